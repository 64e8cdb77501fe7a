#include "elementwise.h"

#include <array>

#include "explain.h"
#include "formula_traits.h"
#include "launch.h"

namespace levin::inline v0 {
namespace {

// ---- Forward

constexpr int kMost = 3;

// A formula with its operands, checked and brought to one shape.
struct Prepared {
  ElementwiseCall call;
  const TensorImpl* first;  // of the operands that are tensors
  const Shape* shape;
  int64_t numel;
  DType dtype;  // of the result
};

// Layouts where the operands' own do not do.
struct Joined {
  Shape shape;
  Layout in[kMost];
};

[[noreturn]] void fail_broadcast(Op op, const Operand* in, int count) {
  Shape shapes[kMost];
  for (int i = 0; i < count; ++i)
    if (in[i].tensor) shapes[i] = in[i].tensor->shape();
  if (count == 2)
    fail({name_of(op), ": ", shapes[0], " and ", shapes[1], ": shapes do not broadcast"});
  fail({name_of(op), ": ", shapes[0], ", ", shapes[1], " and ", shapes[2],
        ": shapes do not broadcast"});
}

template <int count>
const Tensor& first_tensor(const Operand* in) {
  if (count == 1 || in[0].tensor) return *in[0].tensor;
  return count == 2 || in[1].tensor ? *in[1].tensor : *in[2].tensor;
}

// Takes the operands as they are. Are all tensors contiguous, of one shape and type, and is that the
// result's too? Then nothing is left to do.
template <int count>
inline bool take(Op op, const Operand* in, std::span<const double> parameters, Prepared* p) {
  ElementwiseCall& call = p->call;
  call.op = op;
  const TensorImpl& first = first_tensor<count>(in).impl();
  bool alike = first.contiguous;
#pragma GCC unroll 3
  for (int i = 0; i < count; ++i) {
    if (!in[i].tensor) {
      call.number_mask |= 1 << i;
      call.numbers[3 - i] = in[i].number.value;
      continue;
    }
    const TensorImpl& x = in[i].tensor->impl();
    call.in[i] = {x.block.get(), &x.layout};
    if (&x == &first) continue;
    alike = alike && x.contiguous && x.layout.dtype == first.layout.dtype &&
            x.block->device == first.block->device && x.layout.shape == first.layout.shape;
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) call.numbers[i] = parameters[i];
  p->first = &first;
  p->shape = &first.layout.shape;
  p->numel = first.numel;
  const Traits& traits = traits_of(op);
  const DType type = first.layout.dtype;
  call.compute = compute_type(type);
  p->dtype = traits.predicate ? kBool : type;
  if (call.number_mask == 0 && call.compute == type) call.packed = first.numel;
  return alike && traits.keeps[kind_of(type)] && (call.number_mask == 0 || is_floating(type));
}

// For operands of different shapes or types.
void join(const Operand* in, int count, Prepared* p, Joined* joined) {
  ElementwiseCall& call = p->call;
  const Traits& traits = traits_of(call.op);
  call.packed = -1;
  for (int i = 0; i < count; ++i) {
    if (!in[i].tensor) continue;
    check_same_device(name_of(call.op), *p->first, in[i].tensor->impl());
    if (in[i].tensor->shape() == *p->shape) continue;
    const Shape so_far = *p->shape;
    if (!broadcast_shapes(so_far, in[i].tensor->shape(), &joined->shape))
      fail_broadcast(call.op, in, count);
    p->shape = &joined->shape;
  }
  p->numel = p->shape->numel();
  // A condition chooses; it has no say in the type.
  const int typed = call.op == Op::where ? 1 : 0;
  DType type = result_type({in + typed, static_cast<std::size_t>(count - typed)});
  if (!is_floating(type)) {
    check(type != kBool || !traits.not_bool,
          {name_of(call.op), ": a bool tensor: a type of numbers is needed, use to()"});
    if (traits.floats_only) type = kFloat32;
  } else {
    check(!traits.integers_only,
          {name_of(call.op), ": a ", type, " tensor: integers or bool are needed"});
  }
  call.compute = compute_type(type);
  p->dtype = traits.predicate ? kBool : type;
  for (int i = 0; i < count; ++i) {
    if (!in[i].tensor || in[i].tensor->shape() == *p->shape) continue;
    joined->in[i] = broadcast_to(*call.in[i].layout, *p->shape);
    call.in[i].layout = &joined->in[i];
  }
}

// ---- Backward

// What a derivative knows of the call.
struct Derivative {
  Op op;
  DType compute;
  uint8_t count;  // of arguments
  uint8_t number_mask;
  Number::Kind kinds[kMost];  // of the arguments that are numbers
  double numbers[4];

  Derivative(const ElementwiseCall& call, const Operand* in, int its_count)
      : op(call.op),
        compute(call.compute),
        count(static_cast<uint8_t>(its_count)),
        number_mask(call.number_mask) {
    for (int i = 0; i < count; ++i) kinds[i] = in[i].number.kind;
    for (int i = 0; i < 4; ++i) numbers[i] = call.numbers[i];
  }

  // x: the arguments where the formula needs them, then y where it does.
  void run(const Saved* x, const Tensor& g, Grads& grads) const {
    const Traits& traits = traits_of(op);
    int edge = 0;
    for (int i = 0; i < count; ++i) {
      if (number_mask >> i & 1) continue;
      const int to = edge++;
      if (!grads.wants(to)) continue;
      if (i < 2 && traits.passes[i])
        grads.set(to, sum_to(g, grads.shape(to)));
      else if (is_grad_enabled())
        grads.set(to, sum_to(recorded(part(i), x, g, grads), grads.shape(to)));
      else
        grads.set(to, fused(part(i), to, x, g, grads));
    }
  }

  void describe(Inspector& inspector) const {
    for (int i = 0; i < count; ++i)
      inspector.arguments.push_back(number_mask >> i & 1 ? std::optional(numbers[3 - i])
                                                         : std::nullopt);
    for (int i = 0; i < traits_of(op).parameters; ++i) inspector.arguments.push_back(numbers[i]);
  }

  static OpPart part(int i) { return static_cast<OpPart>(static_cast<int>(OpPart::d0) + i); }

  uint8_t reads(OpPart part) const {
    return traits_of(op).reads[static_cast<int>(part) - static_cast<int>(OpPart::d0)];
  }

  const Saved& y(const Saved* x) const { return x[needs_arguments(op) ? count : 0]; }

  // g times the derivative in one kernel.
  Tensor fused(OpPart part, int to, const Saved* x, const Tensor& g, Grads& grads) const {
    const Needs needs = traits_of(op).needs;
    ElementwiseCall call{
        op, part, compute, number_mask, {numbers[0], numbers[1], numbers[2], numbers[3]}, {}, {}};
    Layout broadcast[kMost];
    for (int i = 0; i < count; ++i) {
      const bool read = reads(part) >> i & 1;
      if (!read) call.number_mask &= ~(1 << i);
      if (!read || number_mask >> i & 1) continue;
      call.in[i] = x[i].arg(grads);
      if (call.in[i].layout->shape == g.shape()) continue;
      broadcast[i] = broadcast_to(*call.in[i].layout, g.shape());
      call.in[i].layout = &broadcast[i];
    }
    if (needs & output) call.in[count] = y(x).arg(grads);
    call.in[3] = arg(g);
    const bool same = g.shape() == grads.shape(to);
    Tensor result = same ? grads.out(to) : empty(g.shape(), g.dtype(), g.device());
    call.out = arg(result);
    launched(backend(g.device()).elementwise(call), name_of(op), g);
    return same ? result : sum_to(result, grads.shape(to));
  }

  // The same as operations that are recorded themselves.
  Tensor recorded(OpPart part, const Saved* x, const Tensor& g, Grads& grads) const {
    const Needs needs = traits_of(op).needs;
    std::vector<Sym> values;
    for (int i = 0; i < count; ++i) {
      if (!(reads(part) >> i & 1))
        values.emplace_back(0);
      else if (number_mask >> i & 1)
        values.emplace_back(Number(numbers[3 - i], kinds[i]));
      else
        values.emplace_back(x[i].tensor(grads));
    }
    if (needs & output) values.emplace_back(y(x).tensor(grads));
    values.resize(4, Sym(0));
    return traits_of(op).symbolic(part, g, values.data(), numbers);
  }
};

// What a derivative keeps at place i: an argument that it reads, or y.
Saved saved(const Prepared& p, const Operand* in, int count, const Tensor& out, int i) {
  const Traits& traits = traits_of(p.call.op);
  if (!(traits.needs & input) || i == count) return SavedOutput(out);
  uint8_t read = 0;  // by the derivatives that can be wanted
  for (int k = 0; k < count; ++k)
    if (in[k].tensor && in[k].tensor->requires_grad()) read |= traits.reads[k];
  return in[i].tensor && (read >> i & 1) ? Saved(*in[i].tensor) : Saved();
}

template <int kept>
struct ElementwiseBackward : Derivative {
  std::array<Saved, kept> x;

  ElementwiseBackward(const Prepared& p, const Operand* in, int count, const Tensor& out)
      : ElementwiseBackward(p, in, count, out, std::make_index_sequence<kept>()) {}
  void operator()(const Tensor& g, Grads& grads) const { run(x.data(), g, grads); }

 private:
  template <std::size_t... i>
  ElementwiseBackward(const Prepared& p, const Operand* in, int count, const Tensor& out,
                      std::index_sequence<i...>)
      : Derivative(p.call, in, count), x{saved(p, in, count, out, i)...} {}
};

template <int kept>
void record_elementwise(const Prepared& p, const Operand* in, int count, const Tensor& out) {
  const Tensor* inputs[kMost];
  int edges = 0;
  for (int i = 0; i < count; ++i)
    if (in[i].tensor) inputs[edges++] = in[i].tensor;
  record_as<ElementwiseBackward<kept>>(name_of(p.call.op), out, inputs, edges, p, in, count, out);
}

constexpr void (*kRecord[kMost + 2])(const Prepared&, const Operand*, int, const Tensor&) = {
    record_elementwise<0>, record_elementwise<1>, record_elementwise<2>, record_elementwise<3>,
    record_elementwise<4>};

// Inline, since what it reads was written just before.
[[gnu::always_inline]] inline Tensor launch(Prepared& p, const Operand* in, int count) {
  const Op op = p.call.op;
  const Device device = p.first->block->device;
  Tensor out = make_empty(*p.shape, p.numel, p.dtype, device);
  p.call.out = arg(out);
  launched(backend(device).elementwise(p.call), name_of(op), out);
  if (!is_grad_enabled() || !traits_of(op).differentiable || !is_floating(p.dtype)) return out;
  bool wanted = false;
  for (int i = 0; i < count; ++i)
    if (in[i].tensor) wanted |= has_history(*in[i].tensor);
  if (!wanted) return out;
  const Needs needs = traits_of(op).needs;
  kRecord[(needs & input ? count : 0) + (needs & output ? 1 : 0)](p, in, count, out);
  return out;
}

[[gnu::noinline]] Tensor launch_joined(Prepared& p, const Operand* in, int count) {
  Joined joined;
  join(in, count, &p, &joined);
  return launch(p, in, count);
}

template <int count>
Tensor elementwise_of(Op op, const Operand* in, std::span<const double> parameters) {
  Prepared p;
  const bool ready = take<count>(op, in, parameters, &p);
  return ready ? launch(p, in, count) : launch_joined(p, in, count);
}

}  // namespace

Tensor elementwise(Op op, std::span<const Operand> in, std::span<const double> parameters) {
  if (in.size() == 1) return elementwise_of<1>(op, in.data(), parameters);
  if (in.size() == 2) return elementwise_of<2>(op, in.data(), parameters);
  return elementwise_of<3>(op, in.data(), parameters);
}

bool fits_into(DType result, DType target) {
  return promote(result, target) == target || (is_floating(result) && is_floating(target)) ||
         (!is_floating(result) && result != kBool && !is_floating(target) && target != kBool);
}

void elementwise_into(const Tensor& out, Op op, std::span<const Operand> operands,
                      std::span<const double> parameters) {
  const Operand* in = operands.data();
  const auto count = static_cast<int>(operands.size());
  Prepared p;
  Joined joined;
  const auto take_these = count == 1 ? take<1> : count == 2 ? take<2> : take<3>;
  if (!take_these(op, in, parameters, &p)) join(in, count, &p, &joined);
  check(*p.shape == out.shape(), {name_of(op), "_: the result of shape ", *p.shape,
                                  " does not fit the tensor of shape ", out.shape()});
  const bool fits = fits_into(p.dtype, out.dtype());
  check(fits,
        {name_of(op), "_: a ", p.dtype, " result cannot be put into a ", out.dtype(), " tensor"});
  p.call.out = arg(out);
  if (p.dtype != out.dtype() || !out.is_contiguous()) p.call.packed = -1;
  launched(backend(out.device()).elementwise(p.call), name_of(op), out);
}

bool needs_arguments(Op op) { return traits_of(op).needs & input; }

bool is_plain_function(Op op) {
  const Traits& traits = traits_of(op);
  return traits.arguments == 1 && traits.parameters == 0 && traits.differentiable;
}

Tensor through_value(Op op, const Tensor& g, const Tensor& y) {
  if (is_grad_enabled()) {
    const Sym values[] = {Sym(0), Sym(y), Sym(0), Sym(0)};
    return traits_of(op).symbolic(OpPart::d0, g, values, nullptr);
  }
  const Tensor result = empty(g.shape(), g.dtype(), g.device());
  launched(backend(g.device())
               .elementwise({.op = op,
                             .part = OpPart::d0,
                             .compute = compute_type(g.dtype()),
                             .in = {{}, arg(y), {}, arg(g)},
                             .out = arg(result)}),
           name_of(op), g);
  return result;
}

}  // namespace levin::inline v0
