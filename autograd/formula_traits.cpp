#include "formula_traits.h"

#include "../kernels/formulas.h"
#include "elementwise.h"
#include "launch.h"

namespace levin::inline v0 {
namespace {

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
  traits.predicate = gives_bool<F>();
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

}  // namespace

constinit const Traits kTraits[kOps] = {
#define OP(name, Struct, arguments, parameters) \
  traits_of<formula::Struct>(count_arguments(#arguments)),
#define FORMULA OP
#include "../kernels/ops.def"
#undef FORMULA
#undef OP
};

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
