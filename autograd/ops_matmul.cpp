// Matrix products: matmul and its special cases; linear, whose bias is added by the product itself.
#include <atomic>
#include <iterator>

#include "elementwise.h"
#include "launch.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

constexpr const char* kPrecisions[] = {"highest", "high", "medium"};
std::atomic<MatmulPrecision> float32_precision = MatmulPrecision::highest;

void launch_product(const char* name, MatmulCall call, const Tensor& c) {
  call.precision = float32_precision.load(std::memory_order_relaxed);
  launched(backend(c.device()).matmul(call), name, c);
}

// The transpose of a matrix.
Layout swapped(const Layout& matrix) {
  Layout result;
  result.dtype = matrix.dtype;
  result.offset = matrix.offset;
  result.shape = {matrix.shape[1], matrix.shape[0]};
  result.strides[0] = matrix.strides[1];
  result.strides[1] = matrix.strides[0];
  return result;
}

void check_types(const char* name, const Tensor& a, const Tensor& b) {
  check_same_device(name, a, b);
  if (a.dtype() != b.dtype()) [[unlikely]]
    fail({name, ": ", a.dtype(), " and ", b.dtype(), ": element types must be equal"});
  if (a.dtype() == kBool) [[unlikely]]
    fail({name, ": a bool tensor: numbers are needed, use to()"});
}

// Of matrices or batches of them: [.., m, k] [.., k, n] -> [.., m, n].
Tensor batched_product(const Tensor& a, const Tensor& b) {
  const int64_t m = a.size(-2), n = b.size(-1);
  Shape a_leading(a.shape().begin(), a.dim() - 2), b_leading(b.shape().begin(), b.dim() - 2),
      leading;
  check(broadcast_shapes(a_leading, b_leading, &leading),
        {"matmul: ", a.shape(), " and ", b.shape(), ": leading sizes do not broadcast"});
  const auto with = [&](int64_t rows, int64_t columns) {
    Shape shape = leading;
    shape.push_back(rows);
    shape.push_back(columns);
    return shape;
  };
  const Tensor c = empty(with(m, n), a.dtype(), a.device());
  const Layout as = broadcast_to(a.layout(), with(m, a.size(-1)));
  const Layout bs = broadcast_to(b.layout(), with(b.size(-2), n));
  launch_product("matmul",
                 {.a = {a.impl().block.get(), &as}, .b = {b.impl().block.get(), &bs}, .c = arg(c)},
                 c);
  if (!recording(a, b)) return c;
  return record("matmul", c, {&a, &b}, [a = Saved(a), b = Saved(b)](const Tensor& g, Grads& grads) {
    if (grads.wants(0))
      grads.set(0, sum_to(matmul(g, b.tensor(grads).transpose(-2, -1)), grads.shape(0)));
    if (grads.wants(1))
      grads.set(1, sum_to(matmul(a.tensor(grads).transpose(-2, -1), g), grads.shape(1)));
  });
}

// The gradient of linear's bias.
Tensor sum_rows(const Tensor& g, const Grads& grads) {
  if (is_grad_enabled()) return g.sum({0});
  const Tensor sums = grads.out(2);
  launched(backend(g.device()).reduce({Reduction::sum, 1, 0, arg(g), arg(sums)}),
           "backward of linear", g);
  return sums;
}

}  // namespace

void set_float32_matmul_precision(const std::string& precision) {
  for (std::size_t i = 0; i < std::size(kPrecisions); ++i)
    if (precision == kPrecisions[i]) {
      float32_precision = static_cast<MatmulPrecision>(i);
      doubt_captured_steps();
      return;
    }
  fail(
      {"set_float32_matmul_precision: '", precision, "': 'highest', 'high' or 'medium' is needed"});
}
std::string get_float32_matmul_precision() {
  return kPrecisions[static_cast<int>(float32_precision.load())];
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  if (product_autocasts(a, b)) return matmul(autocast(a), autocast(b));
  check_types("matmul", a, b);
  check(a.dim() > 0 && b.dim() > 0,
        {"matmul: ", a.shape(), " and ", b.shape(), ": at least 1 dimension is needed"});
  const Tensor left = a.dim() == 1 ? a.unsqueeze(0) : a;
  const Tensor right = b.dim() == 1 ? b.unsqueeze(1) : b;
  check(left.size(-1) == right.size(-2),
        {"matmul: ", a.shape(), " and ", b.shape(), ": inner sizes must be equal"});
  Tensor c;
  if (left.dim() > 2 && right.dim() == 2) {
    // One large product instead of a batch of small ones.
    Shape shape = left.shape();
    shape[shape.size() - 1] = right.size(-1);
    c = batched_product(left.flatten(0, -2), right).reshape(shape);
  } else {
    c = batched_product(left, right);
  }
  if (a.dim() == 1) c = c.squeeze(-2);
  if (b.dim() == 1) c = c.squeeze(-1);
  return c;
}

Tensor Tensor::matmul(const Tensor& other) const { return levin::matmul(*this, other); }

Tensor Tensor::bmm(const Tensor& other) const {
  if (product_autocasts(*this, other)) return autocast(*this).bmm(autocast(other));
  check_types("bmm", *this, other);
  check(dim() == 3 && other.dim() == 3 && size(0) == other.size(0) && size(2) == other.size(1),
        {"bmm: ", shape(), " and ", other.shape(), ": [b, m, k] and [b, k, n] are needed"});
  return levin::matmul(*this, other);
}

Tensor Tensor::mv(const Tensor& vector) const {
  if (product_autocasts(*this, vector)) return autocast(*this).mv(autocast(vector));
  check_types("mv", *this, vector);
  check(dim() == 2 && vector.dim() == 1 && size(1) == vector.size(0),
        {"mv: ", shape(), " and ", vector.shape(), ": [m, k] and [k] are needed"});
  return levin::matmul(*this, vector);
}

Tensor Tensor::dot(const Tensor& other) const {
  if (product_autocasts(*this, other)) return autocast(*this).dot(autocast(other));
  check_types("dot", *this, other);
  check(dim() == 1 && other.dim() == 1 && size(0) == other.size(0),
        {"dot: ", shape(), " and ", other.shape(), ": two vectors of one size are needed"});
  return levin::matmul(*this, other);
}

Tensor Tensor::outer(const Tensor& other) const {
  check(dim() == 1 && other.dim() == 1,
        {"outer: ", shape(), " and ", other.shape(), ": two vectors are needed"});
  return unsqueeze(1).mul(other);
}

Tensor Tensor::addmm(const Tensor& a, const Tensor& b, Number beta, Number alpha) const {
  if (product_autocasts(*this, a, b))
    return autocast(*this).addmm(autocast(a), autocast(b), beta, alpha);
  check_types("addmm", a, b);
  check_types("addmm", *this, a);
  check(a.dim() == 2 && b.dim() == 2 && a.size(1) == b.size(0),
        {"addmm: ", a.shape(), " and ", b.shape(), ": [m, k] and [k, n] are needed"});
  const Shape product{a.size(0), b.size(1)};
  Shape common;
  check(broadcast_shapes(shape(), product, &common) && common == product,
        {"addmm: ", shape(), " does not broadcast to ", product});
  check(is_floating(dtype()) || (beta.kind != Number::real && alpha.kind != Number::real),
        {"addmm: factors ", beta.value, " and ", alpha.value, " of ", dtype(),
         " tensors: whole numbers are needed"});
  const Tensor c = empty(product, dtype(), device());
  if (beta.value != 0) {
    const Layout repeated = broadcast_to(layout(), product);
    launched(backend(device()).copy({impl().block.get(), &repeated}, arg(c)), "addmm", c);
  }
  launch_product("addmm",
                 {.alpha = alpha.value, .beta = beta.value, .a = arg(a), .b = arg(b), .c = arg(c)},
                 c);
  if (!recording(*this, a, b)) return c;
  return record("addmm", c, {this, &a, &b},
                [=, a = Saved(a), b = Saved(b)](const Tensor& g, Grads& grads) {
                  if (grads.wants(0)) grads.set(0, sum_to(g * beta, grads.shape(0)));
                  if (grads.wants(1)) grads.set(1, levin::matmul(g, b.tensor(grads).t()) * alpha);
                  if (grads.wants(2)) grads.set(2, levin::matmul(a.tensor(grads).t(), g) * alpha);
                });
}

namespace {

void check_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_types("linear", x, weight);
  if (weight.dim() != 2 || x.dim() == 0 || x.shape().back() != weight.shape()[1]) [[unlikely]]
    fail({"linear: input ", x.shape(), " and weight ", weight.shape(),
          ": the input's last size must be the weight's"});
  if (!bias.defined()) return;
  if (bias.dim() != 1 || bias.shape()[0] != weight.shape()[0]) [[unlikely]]
    fail({"linear: bias ", bias.shape(), " for weight ", weight.shape(),
          ": one number for each output is needed"});
  check_types("linear", x, bias);
}

// Operands have passed check_linear; x has two dimensions, the bias is contiguous.
Tensor linear_value(const Tensor& x, const Tensor& weight, const Tensor& bias,
                    std::optional<Op> activation) {
  Tensor y = empty({x.shape()[0], weight.shape()[0]}, x.dtype(), x.device());
  const Layout weight_t = swapped(weight.layout());
  launch_product("linear",
                 {.a = arg(x),
                  .b = {weight.impl().block.get(), &weight_t},
                  .c = arg(y),
                  .bias = bias.defined() ? arg(bias) : Arg{},
                  .activation = activation},
                 y);
  return y;
}

// What linear keeps, and its derivative.
struct LinearBackward {
  bool has_bias;
  Saved x, weight;

  LinearBackward(bool with_bias, const Tensor& its_x, const Tensor& its_weight)
      : has_bias(with_bias), x(its_x), weight(its_weight) {}
  void operator()(const Tensor& g, Grads& grads) const {
    if (is_grad_enabled()) {
      if (grads.wants(0)) grads.set(0, levin::matmul(g, weight.tensor(grads)));
      if (grads.wants(1)) grads.set(1, levin::matmul(g.t(), x.tensor(grads)));
    } else {
      if (grads.wants(0)) {
        Tensor dx = grads.out(0);
        launch_product("backward of linear", {.a = arg(g), .b = weight.arg(grads), .c = arg(dx)},
                       dx);
        grads.set(0, std::move(dx));
      }
      if (grads.wants(1)) {
        Tensor dw = grads.out(1);
        const Layout g_t = swapped(g.layout());
        launch_product("backward of linear",
                       {.a = {g.impl().block.get(), &g_t}, .b = x.arg(grads), .c = arg(dw)}, dw);
        grads.set(1, std::move(dw));
      }
    }
    if (has_bias && grads.wants(2)) grads.set(2, sum_rows(g, grads));
  }
};

// The same behind an activation, whose derivative reads its value y.
struct ActivatedLinearBackward {
  Op activation;
  SavedOutput y;
  LinearBackward linear;

  void operator()(const Tensor& g, Grads& grads) const {
    linear(through_value(activation, g, y.tensor(grads)), grads);
  }
};

// Calls linear(x, bias) for x of two dimensions.
template <class Linear>
Tensor by_rows(const Tensor& x, const Tensor& weight, Linear linear) {
  Shape shape = x.shape();
  shape[shape.size() - 1] = weight.shape()[0];
  return linear(x.dim() == 1 ? x.unsqueeze(0) : x.flatten(0, -2)).reshape(shape);
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (product_autocasts(x, weight, bias))
    return linear(autocast(x), autocast(weight), autocast(bias));
  check_linear(x, weight, bias);
  if (x.dim() != 2)
    return by_rows(x, weight, [&](const Tensor& rows) { return linear(rows, weight, bias); });
  const bool has_bias = bias.defined();
  if (has_bias && !bias.is_contiguous()) return linear(x, weight, bias.contiguous());
  Tensor y = linear_value(x, weight, bias, {});
  if (!(has_bias ? recording(x, weight, bias) : recording(x, weight))) return y;
  const Tensor* inputs[] = {&x, &weight, &bias};
  record_as<LinearBackward>("linear", y, inputs, has_bias ? 3 : 2, has_bias, x, weight);
  return y;
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Op activation) {
  if (product_autocasts(x, weight, bias))
    return linear(autocast(x), autocast(weight), autocast(bias), activation);
  check_linear(x, weight, bias);
  check(is_plain_function(activation), {"linear: ", name_of(activation),
                                        " as activation: a function of one argument, without "
                                        "parameters, is needed"});
  const bool has_bias = bias.defined();
  const bool wanted = has_bias ? recording(x, weight, bias) : recording(x, weight);
  if ((x.dtype() != kFloat32 && x.dtype() != kFloat64) || (wanted && needs_arguments(activation)))
    return elementwise(activation, {linear(x, weight, bias)});
  if (x.dim() != 2)
    return by_rows(x, weight,
                   [&](const Tensor& rows) { return linear(rows, weight, bias, activation); });
  if (has_bias && !bias.is_contiguous()) return linear(x, weight, bias.contiguous(), activation);
  Tensor y = linear_value(x, weight, bias, activation);
  if (!wanted) return y;
  const Tensor* inputs[] = {&x, &weight, &bias};
  return record("linear", y, inputs, has_bias ? 3 : 2,
                ActivatedLinearBackward{activation, SavedOutput(y), {has_bias, x, weight}});
}

}  // namespace levin::inline v0
