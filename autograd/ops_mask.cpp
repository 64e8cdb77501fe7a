// Operations by masks.
#include <numeric>

#include "elementwise.h"
#include "in_place.h"
#include "indexing.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

Shape check_mask(const char* name, const Tensor& x, const Tensor& mask) {
  check_same_device(name, x, mask);
  check(mask.dtype() == kBool, {name, ": a ", mask.dtype(), " mask: bool is needed"});
  Shape shape;
  check(broadcast_shapes(mask.shape(), x.shape(), &shape),
        {name, ": a mask of shape ", mask.shape(), " for a tensor of shape ", x.shape(),
         ": they do not broadcast"});
  return shape;
}

void check_number(const char* name, const Tensor& value) {
  check(value.dim() == 0,
        {name, ": a value of shape ", value.shape(), ": a number or 0-d tensor is needed"});
}

}  // namespace

std::vector<int64_t> true_places(const Tensor& mask) {
  const std::vector<uint8_t> elements = mask.to_vector<uint8_t>();  // 0 or 1
  const auto count = std::accumulate(elements.begin(), elements.end(), std::size_t{0});
  // Without a branch, which no processor could foresee; so one place more is written to.
  std::vector<int64_t> places(count + 1);
  std::size_t at = 0;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    places[at] = static_cast<int64_t>(i);
    at += elements[i];
  }
  places.pop_back();
  return places;
}

Tensor Tensor::masked_fill(const Tensor& mask, const Tensor& value) const {
  check_mask("masked_fill", *this, mask);
  check_number("masked_fill", value);
  return where(mask, value.to(dtype()), *this);
}
Tensor Tensor::masked_fill(const Tensor& mask, Number value) const {
  return masked_fill(mask, number_like(*this, value));
}

const Tensor& Tensor::masked_fill_(const Tensor& mask, const Tensor& value) const {
  check(check_mask("masked_fill_", *this, mask) == shape(),
        {"masked_fill_: a mask of shape ", mask.shape(), " does not fit a tensor of shape ",
         shape()});
  check_number("masked_fill_", value);
  return in_place(
      "masked_fill_", *this, {&mask, &value}, needs_arguments(Op::where),
      [&] {
        const Operand in[] = {mask, value, *this};
        elementwise_into(*this, Op::where, in, {});
      },
      [&](const Tensor& old) { return old.masked_fill(mask, value); });
}
const Tensor& Tensor::masked_fill_(const Tensor& mask, Number value) const {
  return masked_fill_(mask, number_like(*this, value));
}

Tensor Tensor::masked_select(const Tensor& mask) const {
  const Shape shape = check_mask("masked_select", *this, mask);
  return expand(shape)[mask.expand(shape)];
}

Tensor Tensor::nonzero() const {
  const std::vector<int64_t> places = true_places(dtype() == kBool ? *this : ne(0));
  const auto count = static_cast<int64_t>(places.size());
  std::vector<int64_t> coordinates(count * dim());
  for (int64_t i = 0; i < count; ++i) {
    int64_t left = places[i];
    for (int d = dim() - 1; d >= 0; --d) {
      coordinates[i * dim() + d] = left % shape()[d];
      left /= shape()[d];
    }
  }
  return from_vector(coordinates, {count, dim()}).to(device());
}

}  // namespace levin::inline v0
