// What is known of each elementwise formula, from its struct.
#pragma once

#include "../kernels/check.h"
#include "../kernels/formulas.h"
#include "sym.h"

namespace levin::inline v0 {

struct Traits {
  int arguments;
  int parameters;
  Needs needs;
  bool floats_only;
  bool integers_only;
  bool not_bool;
  bool predicate;
  bool differentiable;
  bool passes[2];    // the derivative by that argument is 1
  uint8_t reads[3];  // the arguments that a derivative reads, as bits
  // g times the derivative as a recorded expression; x holds the arguments and then y
  Tensor (*symbolic)(OpPart part, const Tensor& g, const Sym* x, const double* numbers);

  // Are tensors of this type taken without a conversion?
  bool keeps(DType type) const {
    return is_floating(type) ? !integers_only : !floats_only && (type != kBool || !not_bool);
  }
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

inline constexpr Traits kTraits[kOps] = {
#define OP(name, Struct, arguments, parameters) \
  traits_of<formula::Struct>(count_arguments(#arguments)),
#define FORMULA OP
#include "../kernels/ops.def"
#undef FORMULA
#undef OP
};

inline const Traits& traits_of(Op op) { return kTraits[static_cast<int>(op)]; }

}  // namespace levin::inline v0
