// Every call of a Backend as a value, and what it consists of: all that a recorder needs to keep,
// compare and repeat it. A new kind of call is a line in Call, a visit() and an issue() here.
#pragma once

#include <variant>
#include <vector>

#include "backend.h"

namespace levin::inline v0 {

struct FillCall {
  double value;
  Arg out;
};
struct CopyCall {
  Arg in, out;
};
/// An OptimizerCall with spans of its own.
struct OptimizerStep {
  Rule rule;
  const double* numbers;
  std::vector<Span> spans;
};

using Call = std::variant<FillCall, CopyCall, ElementwiseCall, ReduceCall, ScanCall, SortCall,
                          MseCall, MseBackwardCall, CrossEntropyCall, CrossEntropyBackwardCall,
                          LayerNormCall, LayerNormBackwardCall, MatmulCall, LinalgCall, SoftmaxCall,
                          IndexCall, RandomCall, OptimizerStep, AccumulateCall>;

/// What a call does with an operand. `update`: it reads what was there, or leaves a part of it.
enum class Use : uint8_t { read, write, update };

// visit(call, v): v.number(..) for all that must be equal where two calls do the same, and
// v.operand(arg, use) for each operand, absent ones too. Reads come first.

template <class V>
void visit(FillCall& c, V&& v) {
  v.number(c.value);
  v.operand(c.out, Use::write);
}
template <class V>
void visit(CopyCall& c, V&& v) {
  v.operand(c.in, Use::read);
  v.operand(c.out, Use::write);
}
template <class V>
void visit(ElementwiseCall& c, V&& v) {
  v.number(c.op), v.number(c.part), v.number(c.compute), v.number(c.number_mask);
  for (const double number : c.numbers) v.number(number);
  for (Arg& arg : c.in) v.operand(arg, Use::read);
  v.operand(c.out, Use::write);
}
template <class V>
void visit(ReduceCall& c, V&& v) {
  v.number(c.kind), v.number(c.dims), v.number(c.correction);
  v.operand(c.in, Use::read);
  v.operand(c.out, Use::write);
}
template <class V>
void visit(ScanCall& c, V&& v) {
  v.number(c.kind), v.number(c.reverse), v.number(c.dim);
  v.operand(c.x, Use::read);
  v.operand(c.a, Use::read);
  v.operand(c.out, Use::write);
}
template <class V>
void visit(SortCall& c, V&& v) {
  v.number(c.descending);
  v.operand(c.x, Use::read);
  v.operand(c.index, Use::write);
}
template <class V>
void visit(MseCall& c, V&& v) {
  v.number(c.mean);
  v.operand(c.x, Use::read);
  v.operand(c.target, Use::read);
  v.operand(c.out, Use::write);
}
template <class V>
void visit(MseBackwardCall& c, V&& v) {
  v.number(c.mean);
  for (Arg* arg : {&c.x, &c.target, &c.g}) v.operand(*arg, Use::read);
  v.operand(c.out, Use::write);
}
template <class V>
void visit(CrossEntropyCall& c, V&& v) {
  v.number(c.mean), v.number(c.ignored);
  for (Arg* arg : {&c.x, &c.target}) v.operand(*arg, Use::read);
  for (Arg* arg : {&c.losses, &c.out, &c.slopes}) v.operand(*arg, Use::write);
}
template <class V>
void visit(CrossEntropyBackwardCall& c, V&& v) {
  for (Arg* arg : {&c.slopes, &c.g}) v.operand(*arg, Use::read);
  v.operand(c.dx, Use::write);
}
template <class V>
void visit(LayerNormCall& c, V&& v) {
  v.number(c.size), v.number(c.eps);
  for (Arg* arg : {&c.x, &c.weight, &c.bias}) v.operand(*arg, Use::read);
  for (Arg* arg : {&c.kept, &c.out}) v.operand(*arg, Use::write);
}
template <class V>
void visit(LayerNormBackwardCall& c, V&& v) {
  v.number(c.size);
  for (Arg* arg : {&c.x, &c.weight, &c.kept, &c.g}) v.operand(*arg, Use::read);
  for (Arg* arg : {&c.dx, &c.dweight, &c.dbias, &c.sums}) v.operand(*arg, Use::write);
}
template <class V>
void visit(MatmulCall& c, V&& v) {
  v.number(c.alpha), v.number(c.beta);
  v.number(c.activation ? static_cast<int>(*c.activation) : -1);
  v.number(c.precision);
  v.operand(c.a, Use::read);
  v.operand(c.b, Use::read);
  v.operand(c.bias, Use::read);
  v.operand(c.c, c.beta == 0 ? Use::write : Use::update);
}
template <class V>
void visit(LinalgCall& c, V&& v) {
  v.number(c.kind);
  v.operand(c.a, Use::read);
  v.operand(c.b, Use::read);
  v.operand(c.out, Use::write);
}
template <class V>
void visit(SoftmaxCall& c, V&& v) {
  v.number(c.log), v.number(c.backward);
  v.operand(c.x_or_y, Use::read);
  v.operand(c.g, Use::read);
  v.operand(c.out, Use::write);
}
template <class V>
void visit(IndexCall& c, V&& v) {
  v.number(c.kind), v.number(c.dim);
  v.operand(c.source, Use::read);
  v.operand(c.index, Use::read);
  v.operand(c.out, c.kind == IndexKind::gather ? Use::write : Use::update);
}
template <class V>
void visit(RandomCall& c, V&& v) {
  v.number(c.kind), v.number(c.seed), v.number(c.stream), v.number(c.counter);
  v.number(c.a), v.number(c.b);
  v.operand(c.out, Use::write);
}
template <class V>
void visit(OptimizerStep& c, V&& v) {
  v.number(c.rule), v.number(c.numbers), v.number(c.spans.size());
  for (Span& span : c.spans) {
    v.number(span.count), v.number(span.counters);
    v.operand(span.g, Use::read);
    v.operand(span.p, Use::update);
    for (Arg& state : span.state) v.operand(state, Use::update);
  }
}
template <class V>
void visit(AccumulateCall& c, V&& v) {
  v.number(c.weight);
  v.operand(c.value, Use::read);
  v.operand(c.sums, Use::update);
  v.operand(c.counts, Use::update);
}

inline const char* issue(Backend& on, const FillCall& c) { return on.fill(c.value, c.out); }
inline const char* issue(Backend& on, const CopyCall& c) { return on.copy(c.in, c.out); }
inline const char* issue(Backend& on, const ElementwiseCall& c) { return on.elementwise(c); }
inline const char* issue(Backend& on, const ReduceCall& c) { return on.reduce(c); }
inline const char* issue(Backend& on, const ScanCall& c) { return on.scan(c); }
inline const char* issue(Backend& on, const SortCall& c) { return on.sort(c); }
inline const char* issue(Backend& on, const MseCall& c) { return on.mse(c); }
inline const char* issue(Backend& on, const MseBackwardCall& c) { return on.mse_backward(c); }
inline const char* issue(Backend& on, const CrossEntropyCall& c) { return on.cross_entropy(c); }
inline const char* issue(Backend& on, const CrossEntropyBackwardCall& c) {
  return on.cross_entropy_backward(c);
}
inline const char* issue(Backend& on, const LayerNormCall& c) { return on.layer_norm(c); }
inline const char* issue(Backend& on, const LayerNormBackwardCall& c) {
  return on.layer_norm_backward(c);
}
inline const char* issue(Backend& on, const MatmulCall& c) { return on.matmul(c); }
inline const char* issue(Backend& on, const LinalgCall& c) { return on.linalg(c); }
inline const char* issue(Backend& on, const SoftmaxCall& c) { return on.softmax(c); }
inline const char* issue(Backend& on, const IndexCall& c) { return on.index(c); }
inline const char* issue(Backend& on, const RandomCall& c) { return on.random(c); }
inline const char* issue(Backend& on, const AccumulateCall& c) { return on.accumulate(c); }
inline const char* issue(Backend& on, const OptimizerStep& c) {
  return on.optimizer({c.rule, c.numbers, c.spans.data(), static_cast<int64_t>(c.spans.size())});
}

/// A visitor of operands alone.
template <class F>
struct OperandVisitor {
  F& f;
  template <class Number>
  void number(const Number&) {}
  void operand(Arg& arg, Use use) {
    if (arg.block) f(arg, use);
  }
};

/// Calls f(arg, use) for each operand that is there.
template <class F>
void each_operand(Call& call, F f) {
  std::visit([&](auto& c) { visit(c, OperandVisitor<F>{f}); }, call);
}
template <class F>
void each_operand(const Call& call, F f) {
  each_operand(const_cast<Call&>(call), [&](const Arg& arg, Use use) { f(arg, use); });
}

}  // namespace levin::inline v0
