// In-place operations.
#include <vector>

#include "elementwise.h"
#include "hooks.h"
#include "in_place.h"
#include "ops.h"
#include "views.h"

namespace levin::inline v0 {
namespace {

// Calls f(offset) for every element.
template <class F>
void for_each_offset(const Layout& layout, F f) {
  int64_t index[kMaxDims] = {}, at = layout.offset;
  for (int64_t left = layout.numel(); left > 0; --left) {
    f(at);
    for (int d = layout.dim() - 1; d >= 0; --d) {
      at += layout.strides[d];
      if (++index[d] < layout.shape[d]) break;
      at -= layout.strides[d] * layout.shape[d];
      index[d] = 0;
    }
  }
}

// Do two tensors share memory in another way than element by element?
bool overlap_partly(const Tensor& a, const Tensor& b) {
  if (a.impl().block.get() != b.impl().block.get() || a.numel() == 0 || b.numel() == 0)
    return false;
  const Layout &x = a.layout(), &y = b.layout();
  bool same = x.shape == y.shape && x.offset == y.offset && x.dtype == y.dtype;
  for (int d = 0; same && d < x.dim(); ++d) same = x.shape[d] == 1 || x.strides[d] == y.strides[d];
  if (same) return false;
  const auto last = [](const Layout& layout) {
    int64_t at = layout.offset;
    for (int d = 0; d < layout.dim(); ++d) at += layout.strides[d] * (layout.shape[d] - 1);
    return at;
  };
  if (x.offset > last(y) || y.offset > last(x)) return false;
  // Columns of one matrix lie between each other: only looking at every element tells.
  std::vector<bool> touched(last(x) - x.offset + 1);
  for_each_offset(x, [&](int64_t at) { touched[at - x.offset] = true; });
  bool shared = false;
  for_each_offset(
      y, [&](int64_t at) { shared |= at >= x.offset && at <= last(x) && touched[at - x.offset]; });
  return shared;
}

}  // namespace

void check_writable(const char* name, const Tensor& x, Others others) {
  check(!x.layout().overlaps_itself(),
        {name, ": several elements of a tensor of shape ", x.shape(),
         " share one place in memory (it was expanded): use clone() first"});
  for (const Tensor* other : others)
    check(!other || !overlap_partly(x, *other),
          {name, ": source and target overlap in memory: use clone() for the source"});
  if (x.impl().without_history && is_grad_enabled())
    fail(Fault::order, {name, ": a view of shape ", x.shape(),
                        " made under NoGrad, of a tensor that requires a gradient, cannot be "
                        "changed in place where gradients are recorded: use NoGrad"});
  if (x.requires_grad() && x.is_leaf() && is_grad_enabled())
    fail(Fault::order, {name, ": a leaf of shape ", x.shape(),
                        " that requires a gradient cannot be changed in place: use NoGrad"});
}

void wrote(const char* name, const Tensor& x) {
  Block& block = *x.impl().block;
  ++block.version;
  block.last_write = name;
}

void check_recordable(const char* name, const Tensor& x) {
  if (!x.impl().is_view) return;
  const Ref<TensorImpl>& base = x.impl().base;
  const bool of_leaf = base && leaf_of(Tensor(base));
  const bool reached = base ? base->history == x.impl().block->history && base->layout.contiguous()
                            : x.impl().block->owned_alone();
  if (of_leaf || !reached)
    fail(Fault::order, {name, ": a view of shape ", x.shape(), of_leaf ? " of a leaf" : "",
                        " cannot be changed in place where a gradient is recorded: put the parts "
                        "together with cat, stack or where"});
}

namespace {

// g with zeros at the place of a view. Its derivative is itself.
Tensor cleared(const Tensor& g, const PlaceInBase& place) {
  const Tensor y = g.detach().clone();
  const Layout part = place(y.layout());
  launched(backend(y.device()).fill(0, {y.impl().block.get(), &part}), "in place", y);
  if (!recording(g)) return y;
  return record("cleared", y, {&g},
                [=](const Tensor& gg, Grads& grads) { grads.set(0, cleared(gg, place)); });
}

// The base of the view x is now what it was, with `part` at the view's place.
void replace_in_base(const Tensor& x, const Tensor& part) {
  const Tensor base(x.impl().base);
  base.impl().history = x.impl().history;
  if (!base.impl().node && !part.impl().node) return;
  const Ref<NodeBase> before = base.impl().node;
  record("replaced", base, {&base, &part}, [place = PlaceInBase(x)](const Tensor& g, Grads& grads) {
    if (grads.wants(0)) grads.set(0, cleared(g, place));
    if (grads.wants(1)) grads.set(1, part_of("view", g.contiguous(), place));
  });
  move_retain_grad(static_cast<Node*>(before.get()), static_cast<Node*>(base.impl().node.get()));
}

}  // namespace

void take_place(const char* name, const Tensor& x, const Tensor& result) {
  check(result.shape() == x.shape(), {name, ": a result of shape ", result.shape(),
                                      " does not fit the tensor of shape ", x.shape()});
  check(fits_into(result.dtype(), x.dtype()),
        {name, ": a ", result.dtype(), " result cannot be put into a ", x.dtype(), " tensor"});
  launched(backend(x.device()).copy(arg(result), arg(x)), name, x);
  wrote(name, x);
  x.impl().history = x.impl().block->history = x.version();
  if (x.impl().base) replace_in_base(x, result);
  move_retain_grad(static_cast<Node*>(x.impl().node.get()),
                   static_cast<Node*>(result.impl().node.get()));
  x.impl().node = result.impl().node;
}

const Tensor& elementwise_in_place(const char* name, Op op, const Tensor& x,
                                   std::initializer_list<Operand> rest,
                                   std::initializer_list<double> parameters) {
  const Operand none(0);
  Operand in[3] = {x, none, none};
  std::size_t count = 1;
  for (const Operand& operand : rest) in[count++] = operand;
  const std::span<const double> numbers(parameters.begin(), parameters.size());
  return in_place(
      name, x, {in[1].tensor, in[2].tensor}, needs_arguments(op),
      [&] {
        elementwise_into(x, op, {in, count}, numbers);
      },
      [&](const Tensor& old) {
        in[0] = Operand(old);
        return elementwise(op, {in, count}, numbers);
      });
}

const Tensor& Tensor::add_(const Tensor& other, Number alpha) const {
  if (alpha.value != 1 && is_floating(dtype()))
    return elementwise_in_place("add_", Op::add_scaled, *this, {other}, {alpha.value});
  if (alpha.value != 1) return elementwise_in_place("add_", Op::add, *this, {other.mul(alpha)});
  return elementwise_in_place("add_", Op::add, *this, {other});
}
const Tensor& Tensor::sub_(const Tensor& other, Number alpha) const {
  if (alpha.value != 1 && is_floating(dtype()))
    return elementwise_in_place("sub_", Op::add_scaled, *this, {other}, {-alpha.value});
  if (alpha.value != 1) return elementwise_in_place("sub_", Op::sub, *this, {other.mul(alpha)});
  return elementwise_in_place("sub_", Op::sub, *this, {other});
}
const Tensor& Tensor::add_(Number other, Number alpha) const {
  return elementwise_in_place("add_", Op::add, *this, {scaled(other, alpha)});
}
const Tensor& Tensor::sub_(Number other, Number alpha) const {
  return elementwise_in_place("sub_", Op::sub, *this, {scaled(other, alpha)});
}

#define LEVIN_IN_PLACE(name)                                          \
  const Tensor& Tensor::name##_(const Tensor& other) const {          \
    return elementwise_in_place(#name "_", Op::name, *this, {other}); \
  }                                                                   \
  const Tensor& Tensor::name##_(Number other) const {                 \
    return elementwise_in_place(#name "_", Op::name, *this, {other}); \
  }
LEVIN_IN_PLACE(mul)
LEVIN_IN_PLACE(div)
LEVIN_IN_PLACE(pow)
#undef LEVIN_IN_PLACE

const Tensor& Tensor::clamp_(Number low, Number high) const {
  const DType type = result_type({*this, low, high});
  check(type == dtype(), {"clamp_: a ", type, " result cannot be put into a ", dtype(), " tensor"});
  return elementwise_in_place("clamp_", Op::clamp, *this, {}, {low.value, high.value});
}

const Tensor& Tensor::addcmul_(const Tensor& a, const Tensor& b, double value) const {
  return elementwise_in_place("addcmul_", Op::addcmul, *this, {a, b}, {value});
}
const Tensor& Tensor::addcdiv_(const Tensor& a, const Tensor& b, double value) const {
  return elementwise_in_place("addcdiv_", Op::addcdiv, *this, {a, b}, {value});
}

const Tensor& Tensor::lerp_(const Tensor& end, Number weight) const {
  return elementwise_in_place("lerp_", Op::lerp, *this, {end, weight});
}

const Tensor& Tensor::copy_(const Tensor& source) const {
  if (source.device() != device()) return copy_(source.to(device()));
  Shape shape;
  check(broadcast_shapes(source.shape(), this->shape(), &shape) && shape == this->shape(),
        {"copy_: a source of shape ", source.shape(), " does not fit the tensor of shape ",
         this->shape()});
  return in_place(
      "copy_", *this, {&source}, false,
      [&] {
        const Layout from = broadcast_to(source.layout(), shape);
        launched(backend(device()).copy({source.impl().block.get(), &from}, arg(*this)), "copy_",
                 *this);
      },
      [&](const Tensor&) { return source.expand(shape).to(dtype()).clone(); });
}

const Tensor& Tensor::fill_(Number value) const {
  return in_place(
      "fill_", *this, {}, false,
      [&] { launched(backend(device()).fill(value.value, arg(*this)), "fill_", *this); },
      [&](const Tensor&) { return full_like(*this, value); });
}

const Tensor& Tensor::zero_() const { return fill_(0); }

}  // namespace levin::inline v0
