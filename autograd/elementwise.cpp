#include "elementwise.h"

#include <array>

#include "../kernels/formulas.h"
#include "explain.h"
#include "launch.h"
#include "sym.h"

namespace levin::inline v0 {
namespace {

// ---- What is known of each formula, from its struct

struct Traits {
  int arguments;
  int parameters;
  Needs needs;
  bool floats_only;
  bool integers_only;
  bool not_bool;
  bool differentiable;
  bool passes[2];    // the derivative by that argument is 1
  uint8_t reads[3];  // the arguments that a derivative reads, as bits
  // g times the derivative as a recorded expression; x holds the arguments and then y
  Tensor (*symbolic)(OpPart part, const Tensor& g, const Sym* x, const double* numbers);
};

template <class F>
F formula_with(const double* numbers) {
  F formula{};
  if constexpr (!std::is_empty_v<F>) __builtin_memcpy(&formula, numbers, sizeof(F));
  return formula;
}

template <class F>
Tensor symbolic(OpPart part, const Tensor& g, const Sym* x, const double* numbers) {
  const F f = formula_with<F>(numbers);
  if constexpr (requires { f.d0(x[0], x[1]); }) return chain(g, f.d0(x[0], x[1]));
  if constexpr (requires { f.d0(x[0], x[1], x[2]); })
    if (part == OpPart::d0) return chain(g, f.d0(x[0], x[1], x[2]));
  if constexpr (requires { f.d1(x[0], x[1], x[2]); }) return chain(g, f.d1(x[0], x[1], x[2]));
  if constexpr (requires { f.d0(x[0], x[1], x[2], x[3]); })
    if (part == OpPart::d0) return chain(g, f.d0(x[0], x[1], x[2], x[3]));
  if constexpr (requires { f.d1(x[0], x[1], x[2], x[3]); })
    if (part == OpPart::d1) return chain(g, f.d1(x[0], x[1], x[2], x[3]));
  if constexpr (requires { f.d2(x[0], x[1], x[2], x[3]); })
    return chain(g, f.d2(x[0], x[1], x[2], x[3]));
  fail(Fault::order, {"this formula has no such derivative"});
}

template <class F>
constexpr Traits traits_of(int arguments) {
  Traits traits{};
  traits.arguments = arguments;
  traits.parameters = std::is_empty_v<F> ? 0 : static_cast<int>(sizeof(F) / sizeof(double));
  if constexpr (requires { F::needs; }) traits.needs = F::needs;
  traits.floats_only = requires { F::kFloatsOnly; };
  traits.integers_only = requires { F::kIntegersOnly; };
  traits.not_bool = requires { F::kNotBool; };
  traits.differentiable = requires(F f, Sym s) { f.d0(s, s); }
  || requires(F f, Sym s) { f.d0(s, s, s); }
  || requires(F f, Sym s) { f.d1(s, s, s, s); };
  traits.passes[0] = requires { F::kPasses0; };
  traits.passes[1] = requires { F::kPasses1; };
  if constexpr (requires { F::needs; })
    for (int i = 0; i < arguments; ++i) traits.reads[i] = formula::arguments_read<F>(i);
  traits.symbolic = symbolic<F>;
  return traits;
}

constexpr int count_arguments(const char* list) {
  int count = 1;
  for (; *list; ++list) count += *list == ',';
  return count;
}

constexpr Traits kTraits[kOps] = {
#define OP(name, Struct, arguments, parameters) \
  traits_of<formula::Struct>(count_arguments(#arguments)),
#define FORMULA OP
#include "../kernels/ops.def"
#undef FORMULA
#undef OP
};

const Traits& traits_of(Op op) { return kTraits[static_cast<int>(op)]; }

// ---- Forward

constexpr int kMost = 3;

// A formula with its operands, checked and brought to one shape.
struct Prepared {
  ElementwiseCall call;
  const Tensor* first = nullptr;  // of the operands that are tensors
  const Shape* shape;             // the first tensor's, or `joined`
  DType dtype;                    // of the result
  Shape joined;
  Layout broadcast[kMost];  // where an operand's own layout does not do
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

void prepare(Op op, const Operand* in, int count, std::span<const double> parameters, Prepared* p) {
  const Traits& traits = traits_of(op);
  ElementwiseCall& call = p->call;
  call.op = op;
  for (int i = 0; i < count; ++i) {
    const Tensor* tensor = in[i].tensor;
    if (!tensor) {
      call.number_mask |= 1 << i;
      call.numbers[3 - i] = in[i].number.value;
    } else if (!p->first) {
      p->first = tensor;
      p->shape = &tensor->shape();
    } else {
      check_same_device(name_of(op), *p->first, *tensor);
      if (tensor->shape() == *p->shape) continue;
      const Shape so_far = *p->shape;
      if (!broadcast_shapes(so_far, tensor->shape(), &p->joined)) fail_broadcast(op, in, count);
      p->shape = &p->joined;
    }
  }
  int at = 0;
  for (const double parameter : parameters) call.numbers[at++] = parameter;
  // A condition chooses; it has no say in the type.
  const int typed = op == Op::where ? 1 : 0;
  DType type = result_type({in + typed, static_cast<std::size_t>(count - typed)});
  if (!is_floating(type)) [[unlikely]] {
    check(type != kBool || !traits.not_bool,
          {name_of(op), ": a bool tensor: a type of numbers is needed, use to()"});
    if (traits.floats_only) type = kFloat32;
  } else {
    check(!traits.integers_only,
          {name_of(op), ": a ", type, " tensor: integers or bool are needed"});
  }
  call.compute = compute_type(type);
  p->dtype = is_predicate(op) ? kBool : type;
  for (int i = 0; i < count; ++i) {
    if (!in[i].tensor) continue;
    call.in[i] = arg(*in[i].tensor);
    if (call.in[i].layout->shape == *p->shape) continue;
    p->broadcast[i] = broadcast_to(*call.in[i].layout, *p->shape);
    call.in[i].layout = &p->broadcast[i];
  }
}

// ---- Backward

// What a derivative knows of the call, and what it reads: y here, the arguments behind it.
struct Derivative {
  Op op;
  DType compute;
  uint8_t count;  // of arguments
  uint8_t number_mask;
  Number::Kind kinds[kMost];  // of the arguments that are numbers
  double numbers[4];
  SavedOutput y;

  // x holds the arguments where the formula needs them.
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
    if (needs & output) call.in[count] = y.arg(grads);
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
    if (needs & output) values.emplace_back(y.tensor(grads));
    values.resize(4, Sym(0));
    return traits_of(op).symbolic(part, g, values.data(), numbers);
  }
};

template <int kept>
struct ElementwiseBackward : Derivative {
  std::array<Saved, kept> x;
  void operator()(const Tensor& g, Grads& grads) const { run(x.data(), g, grads); }
};

// `kept` is the number of arguments, or 0 where the derivative does not read them.
template <int kept>
Tensor record_elementwise(const Prepared& p, const Operand* in, int count, Tensor out) {
  ElementwiseBackward<kept> backward;
  backward.op = p.call.op;
  backward.compute = p.call.compute;
  backward.count = static_cast<uint8_t>(count);
  backward.number_mask = p.call.number_mask;
  for (int i = 0; i < 4; ++i) backward.numbers[i] = p.call.numbers[i];
  const Tensor* inputs[kMost];
  int edges = 0;
  uint8_t read = 0;  // by the derivatives that can be wanted
  for (int i = 0; i < count; ++i)
    if (in[i].tensor && in[i].tensor->requires_grad()) read |= traits_of(p.call.op).reads[i];
  for (int i = 0; i < count; ++i) {
    backward.kinds[i] = in[i].number.kind;
    if (!in[i].tensor) continue;
    if constexpr (kept > 0)
      if (read >> i & 1) backward.x[i] = Saved(*in[i].tensor);
    inputs[edges++] = in[i].tensor;
  }
  if (traits_of(p.call.op).needs & output) backward.y = SavedOutput(out);
  return record(name_of(p.call.op), std::move(out), inputs, edges, std::move(backward));
}

}  // namespace

Tensor elementwise(Op op, std::span<const Operand> operands, std::span<const double> parameters) {
  const Operand* in = operands.data();
  const int count = static_cast<int>(operands.size());
  Prepared p;
  prepare(op, in, count, parameters, &p);
  Tensor out = empty(*p.shape, p.dtype, p.first->device());
  p.call.out = arg(out);
  launched(backend(p.first->device()).elementwise(p.call), name_of(op), out);
  if (!traits_of(op).differentiable || !is_floating(p.dtype)) return out;
  bool wanted = false;
  for (int i = 0; i < count; ++i)
    if (in[i].tensor) wanted |= recording(*in[i].tensor);
  if (!wanted) return out;
  const auto record = !needs_arguments(op) ? record_elementwise<0>
                      : count == 1         ? record_elementwise<1>
                      : count == 2         ? record_elementwise<2>
                                           : record_elementwise<3>;
  return record(p, in, count, std::move(out));
}

bool fits_into(DType result, DType target) {
  return promote(result, target) == target || (is_floating(result) && is_floating(target)) ||
         (!is_floating(result) && result != kBool && !is_floating(target) && target != kBool);
}

void elementwise_into(const Tensor& out, Op op, std::span<const Operand> operands,
                      std::span<const double> parameters) {
  Prepared p;
  prepare(op, operands.data(), static_cast<int>(operands.size()), parameters, &p);
  check(*p.shape == out.shape(), {name_of(op), "_: the result of shape ", *p.shape,
                                  " does not fit the tensor of shape ", out.shape()});
  const bool fits = fits_into(p.dtype, out.dtype());
  check(fits,
        {name_of(op), "_: a ", p.dtype, " result cannot be put into a ", out.dtype(), " tensor"});
  p.call.out = arg(out);
  launched(backend(p.first->device()).elementwise(p.call), name_of(op), out);
}

bool needs_arguments(Op op) { return traits_of(op).needs & input; }

}  // namespace levin::inline v0
