#include "elementwise.h"

#include <array>

#include "explain.h"
#include "formula_traits.h"
#include "launch.h"

namespace levin::inline v0 {
namespace {

// ---- Forward

constexpr int kMost = 3;

// What a result will be. For operands that are not alike also the layouts by which they are read.
struct Result {
  const Shape* shape;
  int64_t numel;
  DType dtype;
};
struct Joined : Result {
  Shape joined;
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

// Of the operands that are tensors, the first.
inline const TensorImpl& first_of(const Operand* in, int count) {
  if (count == 1 || in[0].tensor) return in[0].tensor->impl();
  return count == 2 || in[1].tensor ? in[1].tensor->impl() : in[2].tensor->impl();
}

// Both contiguous, of one shape and type?
inline bool alike(const TensorImpl& a, const TensorImpl& b) {
  return a.contiguous && b.contiguous && a.layout.dtype == b.layout.dtype &&
         a.block->device == b.block->device && a.layout.shape == b.layout.shape;
}

// Takes the operands as they are. Are all tensors alike, and is the result of that type too? Then
// nothing is left to do.
template <int count>
inline bool take(Op op, const Operand* in, std::span<const double> parameters,
                 ElementwiseCall* call) {
  const TensorImpl& first = first_of(in, count);
  bool all_alike = first.contiguous;
#pragma GCC unroll 3
  for (int i = 0; i < count; ++i) {
    if (!in[i].tensor) {
      call->number_mask |= 1 << i;
      call->numbers[3 - i] = in[i].number.value;
      continue;
    }
    const TensorImpl& x = in[i].tensor->impl();
    call->in[i] = {x.block.get(), &x.layout};
    if (&x != &first) all_alike = all_alike && alike(first, x);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) call->numbers[i] = parameters[i];
  const DType type = first.layout.dtype;
  call->op = op;
  call->compute = compute_type(type);
  call->packed = call->compute == type ? first.numel : -1;
  return all_alike && traits_of(op).keeps(type) && (call->number_mask == 0 || is_floating(type));
}

Result result_like(Op op, const TensorImpl& first) {
  return {&first.layout.shape, first.numel, traits_of(op).predicate ? kBool : first.layout.dtype};
}

// For operands of different shapes or types.
void join(const Operand* in, int count, ElementwiseCall* call, Joined* result) {
  const Op op = call->op;
  const Traits& traits = traits_of(op);
  const TensorImpl& first = first_of(in, count);
  result->shape = &first.layout.shape;
  for (int i = 0; i < count; ++i) {
    if (!in[i].tensor) continue;
    check_same_device(name_of(op), first, in[i].tensor->impl());
    if (in[i].tensor->shape() == *result->shape) continue;
    const Shape so_far = *result->shape;
    if (!broadcast_shapes(so_far, in[i].tensor->shape(), &result->joined))
      fail_broadcast(op, in, count);
    result->shape = &result->joined;
  }
  result->numel = result->shape->numel();
  // A condition chooses; it has no say in the type.
  const int typed = op == Op::where ? 1 : 0;
  DType type = result_type({in + typed, static_cast<std::size_t>(count - typed)});
  if (!is_floating(type)) {
    check(type != kBool || !traits.not_bool,
          {name_of(op), ": a bool tensor: a type of numbers is needed, use to()"});
    if (traits.floats_only) type = kFloat32;
  } else {
    check(!traits.integers_only,
          {name_of(op), ": a ", type, " tensor: integers or bool are needed"});
  }
  call->packed = -1;
  call->compute = compute_type(type);
  result->dtype = traits.predicate ? kBool : type;
  for (int i = 0; i < count; ++i) {
    if (!in[i].tensor || in[i].tensor->shape() == *result->shape) continue;
    result->in[i] = broadcast_to(*call->in[i].layout, *result->shape);
    call->in[i].layout = &result->in[i];
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
    ElementwiseCall call;  // a list of its fields would clear it by a slow instruction
    call.op = op, call.part = part, call.compute = compute, call.number_mask = number_mask;
    for (int i = 0; i < 4; ++i) call.numbers[i] = numbers[i];
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
Saved saved(Op op, const Operand* in, int count, const Tensor& out, int i) {
  const Traits& traits = traits_of(op);
  if (!(traits.needs & input) || i == count) return SavedOutput(out);
  uint8_t read = 0;  // by the derivatives that can be wanted
  for (int k = 0; k < count; ++k)
    if (in[k].tensor && in[k].tensor->requires_grad()) read |= traits.reads[k];
  return in[i].tensor && (read >> i & 1) ? Saved(*in[i].tensor) : Saved();
}

template <int kept>
struct ElementwiseBackward : Derivative {
  std::array<Saved, kept> x;

  ElementwiseBackward(const ElementwiseCall& call, const Operand* in, int count, const Tensor& out)
      : ElementwiseBackward(call, in, count, out, std::make_index_sequence<kept>()) {}
  void operator()(const Tensor& g, Grads& grads) const { run(x.data(), g, grads); }

 private:
  template <std::size_t... i>
  ElementwiseBackward(const ElementwiseCall& call, const Operand* in, int count, const Tensor& out,
                      std::index_sequence<i...>)
      : Derivative(call, in, count), x{saved(call.op, in, count, out, i)...} {}
};

template <int kept>
void record_elementwise(const ElementwiseCall& call, const Operand* in, int count,
                        const Tensor& out) {
  const Tensor* inputs[kMost];
  int edges = 0;
  for (int i = 0; i < count; ++i)
    if (in[i].tensor) inputs[edges++] = in[i].tensor;
  record_as<ElementwiseBackward<kept>>(name_of(call.op), out, inputs, edges, call, in, count, out);
}

constexpr void (*kRecord[kMost + 2])(const ElementwiseCall&, const Operand*, int, const Tensor&) = {
    record_elementwise<0>, record_elementwise<1>, record_elementwise<2>, record_elementwise<3>,
    record_elementwise<4>};

[[gnu::noinline]] void record(const ElementwiseCall& call, const Operand* in, int count,
                              const Tensor& out) {
  const Needs needs = traits_of(call.op).needs;
  const int kept = (needs & input ? count : 0) + (needs & output ? 1 : 0);
  kRecord[kept](call, in, count, out);
}

bool can_record(Op op, const Result& result) {
  return is_grad_enabled() && traits_of(op).differentiable && is_floating(result.dtype);
}

// These are inline, since most of what they read was in registers just before.
[[gnu::always_inline]] inline Tensor computed(ElementwiseCall& call, const Result& result,
                                              Device device) {
  Tensor out = make_empty(*result.shape, result.numel, result.dtype, device);
  call.out = arg(out);
  launched(backend(device).elementwise(call), name_of(call.op), out);
  return out;
}

[[gnu::always_inline]] inline Tensor launch(ElementwiseCall& call, const Operand* in, int count,
                                            const Result& result, Device device) {
  Tensor out = computed(call, result, device);
  if (!can_record(call.op, result)) return out;
  bool wanted = false;
  for (int i = 0; i < count; ++i)
    if (in[i].tensor) wanted |= has_history(*in[i].tensor);
  if (wanted) record(call, in, count, out);
  return out;
}

[[gnu::noinline]] Tensor launch_joined(ElementwiseCall& call, const Operand* in, int count) {
  Joined result;
  join(in, count, &call, &result);
  return launch(call, in, count, result, first_of(in, count).block->device);
}

}  // namespace

template <int count>
Tensor elementwise_of(Op op, const Operand* in, std::span<const double> parameters) {
  ElementwiseCall call;
  const bool is_complete = take<count>(op, in, parameters, &call);
  if (call.packed < 0 && autocast_widens(op, in, count)) [[unlikely]]  // the first may have 16 bits
    return elementwise_in_float32(op, in, count, parameters);
  if (!is_complete) return launch_joined(call, in, count);
  const TensorImpl& first = first_of(in, count);
  return launch(call, in, count, result_like(op, first), first.block->device);
}

// The common case in fewer instructions.
Tensor elementwise_of_two(Op op, const Tensor& a, const Operand& b) {
  const TensorImpl& x = a.impl();
  const DType type = x.layout.dtype, compute = compute_type(type);
  const bool fits = b.tensor ? alike(x, b.tensor->impl()) : x.contiguous && is_floating(type);
  if (!fits || !traits_of(op).keeps(type)) return elementwise(op, {a, b});
  ElementwiseCall call;
  call.op = op;
  call.compute = compute;
  call.in[0] = arg(a);
  if (b.tensor) call.in[1] = arg(*b.tensor);
  if (!b.tensor) call.number_mask = 2, call.numbers[2] = b.number.value;
  if (compute == type) call.packed = x.numel;
  const Result result = result_like(op, x);
  Tensor out = computed(call, result, x.block->device);
  if (can_record(op, result) && has_history(a) + (b.tensor && has_history(*b.tensor)) > 0)
    record(call, std::array<Operand, 2>{a, b}.data(), 2, out);
  return out;
}

template Tensor elementwise_of<1>(Op, const Operand*, std::span<const double>);
template Tensor elementwise_of<2>(Op, const Operand*, std::span<const double>);
template Tensor elementwise_of<3>(Op, const Operand*, std::span<const double>);

bool fits_into(DType result, DType target) {
  return promote(result, target) == target || (is_floating(result) && is_floating(target)) ||
         (!is_floating(result) && result != kBool && !is_floating(target) && target != kBool);
}

void elementwise_into(const Tensor& out, Op op, std::span<const Operand> operands,
                      std::span<const double> parameters) {
  const Operand* in = operands.data();
  const auto count = static_cast<int>(operands.size());
  ElementwiseCall call;
  Joined result;
  const auto take_these = count == 1 ? take<1> : count == 2 ? take<2> : take<3>;
  if (take_these(op, in, parameters, &call))
    static_cast<Result&>(result) = result_like(op, first_of(in, count));
  else
    join(in, count, &call, &result);
  check(*result.shape == out.shape(), {name_of(op), "_: the result of shape ", *result.shape,
                                       " does not fit the tensor of shape ", out.shape()});
  const bool fits = fits_into(result.dtype, out.dtype());
  check(fits, {name_of(op), "_: a ", result.dtype, " result cannot be put into a ", out.dtype(),
               " tensor"});
  call.out = arg(out);
  if (result.dtype != out.dtype() || !out.is_contiguous()) call.packed = -1;
  launched(backend(out.device()).elementwise(call), name_of(op), out);
}

bool needs_arguments(Op op) { return traits_of(op).needs & input; }

}  // namespace levin::inline v0
