#include "functional.h"

#include "../kernels/check.h"
#include "ops.h"

namespace levin::inline v0::autograd::functional {
namespace {

FunctionOfSeveral of_several(const FunctionOfOne& f) {
  return [&f](const Tensors& inputs) { return f(inputs[0]); };
}

// Inputs to differentiate by: each with a node of its own.
Tensors prepared(const Tensors& inputs, bool create_graph) {
  Tensors result;
  for (const Tensor& input : inputs)
    result.push_back(create_graph && input.requires_grad() ? input.view(input.shape())
                                                           : input.detach().requires_grad_());
  return result;
}

Tensor finished(const Tensor& result, bool create_graph) {
  return create_graph ? result : result.detach();
}

Tensors gradients(const Tensor& y, const Tensors& inputs, const Tensor& v, bool create_graph) {
  Tensors result(inputs.size());
  if (y.requires_grad()) result = grad({y}, inputs, {v}, true, create_graph, true);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!result[i].defined()) result[i] = zeros_like(inputs[i]);
  return result;
}

Shape joined(const Shape& a, const Shape& b) {
  Shape shape = a;
  for (const int64_t size : b) shape.push_back(size);
  return shape;
}

// Jacobians of y by the inputs that it was computed from.
Tensors rows_of(const Tensor& y, const Tensors& inputs, bool create_graph) {
  std::vector<Tensors> rows(inputs.size());
  const Tensor unit = zeros({y.numel()}, y.dtype(), y.device());
  for (int64_t j = 0; j < y.numel(); ++j) {
    const Tensor v = unit.clone();
    v.select(0, j).fill_(1);
    const Tensors row = gradients(y, inputs, v.view(y.shape()), create_graph);
    for (std::size_t i = 0; i < inputs.size(); ++i) rows[i].push_back(row[i]);
  }
  Tensors result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape shape = joined(y.shape(), inputs[i].shape());
    result.push_back(rows[i].empty() ? zeros(shape, inputs[i].dtype(), inputs[i].device())
                                     : finished(stack(rows[i]).view(shape), create_graph));
  }
  return result;
}

Tensor start_for(const Tensor& y, const Tensor& v) {
  if (!v.defined()) {
    check(y.numel() == 1,
          {"vjp: v may be left out for an output of one element only, not of shape ", y.shape()});
    return ones_like(y);
  }
  check(v.shape() == y.shape(),
        {"vjp: v of shape ", v.shape(), " for an output of shape ", y.shape()});
  return v;
}

Tensors directions_for(const Tensors& inputs, const Tensors& v) {
  if (v.empty()) {
    check(inputs.size() == 1 && inputs[0].numel() == 1,
          {"jvp: v may be left out for one input of one element only"});
    return {ones_like(inputs[0])};
  }
  check(v.size() == inputs.size(),
        {"jvp: ", v.size(), " tensors v for ", inputs.size(), " inputs"});
  for (std::size_t i = 0; i < v.size(); ++i)
    check(v[i].shape() == inputs[i].shape(),
          {"jvp: v of shape ", v[i].shape(), " for input ", i, " of shape ", inputs[i].shape()});
  return v;
}

}  // namespace

Tensors jacobian(const FunctionOfSeveral& f, const Tensors& inputs, bool create_graph) {
  const EnableGrad enable_grad;
  const Tensors x = prepared(inputs, create_graph);
  return rows_of(f(x), x, create_graph);
}

Tensor jacobian(const FunctionOfOne& f, const Tensor& x, bool create_graph) {
  return jacobian(of_several(f), Tensors{x}, create_graph)[0];
}

std::vector<Tensors> hessian(const FunctionOfSeveral& f, const Tensors& inputs, bool create_graph) {
  const EnableGrad enable_grad;
  const Tensors x = prepared(inputs, create_graph);
  const Tensor y = f(x);
  check(y.numel() == 1,
        {"hessian: the function must give one element, not a tensor of shape ", y.shape()});
  std::vector<Tensors> result;
  for (const Tensor& slope : gradients(y, x, ones_like(y), true))
    result.push_back(rows_of(slope, x, create_graph));
  return result;
}

Tensor hessian(const FunctionOfOne& f, const Tensor& x, bool create_graph) {
  return hessian(of_several(f), Tensors{x}, create_graph)[0][0];
}

std::pair<Tensor, Tensors> vjp(const FunctionOfSeveral& f, const Tensors& inputs, const Tensor& v,
                               bool create_graph) {
  const EnableGrad enable_grad;
  const Tensors x = prepared(inputs, create_graph);
  const Tensor y = f(x);
  return {finished(y, create_graph), gradients(y, x, start_for(y, v), create_graph)};
}

std::pair<Tensor, Tensor> vjp(const FunctionOfOne& f, const Tensor& x, const Tensor& v,
                              bool create_graph) {
  auto [y, products] = vjp(of_several(f), Tensors{x}, v, create_graph);
  return {y, products[0]};
}

std::pair<Tensor, Tensor> jvp(const FunctionOfSeveral& f, const Tensors& inputs, const Tensors& v,
                              bool create_graph) {
  const EnableGrad enable_grad;
  const Tensors x = prepared(inputs, create_graph), directions = directions_for(x, v);
  const Tensor y = f(x);
  // The product u J is linear in u: its derivative by u, times v, is J v.
  const Tensor u = zeros_like(y).requires_grad_();
  const Tensors products = gradients(y, x, u, true);
  Tensor along = zeros_like(y);
  for (std::size_t i = 0; i < x.size(); ++i)
    along = along + gradients(products[i], {u}, directions[i], create_graph)[0];
  return {finished(y, create_graph), finished(along, create_graph)};
}

std::pair<Tensor, Tensor> jvp(const FunctionOfOne& f, const Tensor& x, const Tensor& v,
                              bool create_graph) {
  return jvp(of_several(f), Tensors{x}, v.defined() ? Tensors{v} : Tensors{}, create_graph);
}

}  // namespace levin::inline v0::autograd::functional
