#include "op_sample.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace levin {
namespace {

DType type_of(const Input& input, DType dtype) {
  return input.kind == Input::index ? kInt64 : input.kind == Input::mask ? kBool : dtype;
}

// Reals are exact in float32, and in the 16-bit types where these are asked for.
double rounded(double number, DType dtype) {
  const bool half = dtype == kBFloat16 || dtype == kFloat16;
  return half ? std::round(number * 8) / 8 : static_cast<double>(static_cast<float>(number));
}

Array draw_one(const Input& input, DType dtype, std::mt19937_64* random) {
  const bool whole = !is_floating(type_of(input, dtype)) || input.kind == Input::whole;
  double low = input.low, high = input.high;
  if (whole) low = std::ceil(low), high = std::floor(high);
  if (type_of(input, dtype) == kUInt8 || type_of(input, dtype) == kBool) low = std::max(low, 0.0);
  if (type_of(input, dtype) == kBool) high = 1;
  return make_array(input.shape, [&](const Index&) {
    const double unit = std::ldexp(static_cast<double>((*random)() >> 11), -53);
    if (whole) return low + std::floor(unit * (high - low + 1));
    return rounded(low + unit * (high - low), dtype);
  });
}

}  // namespace

Arrays draw(const OpCase& row, const Sample& sample, DType dtype, Arrangement arrangement) {
  std::mt19937_64 random(std::hash<std::string>()(row.name));
  Arrays arrays;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    arrays.push_back(draw_one(sample[i], dtype, &random));
    const bool target = row.in_place && i == 0;
    if (arrangement != Arrangement::expanded || target || sample[i].shape.empty()) continue;
    const Array all = arrays.back();
    arrays.back() = make_array(all.shape, [&](Index index) {
      index[0] = 0;
      return all.at(index);
    });
  }
  return arrays;
}

Tensors place_all(const OpCase& row, const Sample& sample, const Arrays& arrays, DType dtype,
                  Arrangement arrangement) {
  Tensors tensors;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const bool target = row.in_place && i == 0 && arrangement == Arrangement::expanded;
    tensors.push_back(place(arrays[i], type_of(sample[i], dtype),
                            target ? Arrangement::contiguous : arrangement));
  }
  return tensors;
}

Tensors leaves(const OpCase& row, const Sample& sample, const Arrays& arrays, DType dtype,
               Arrangement arrangement) {
  const Tensors tensors = place_all(row, sample, arrays, dtype, arrangement);
  for (const Tensor& tensor : values_of(sample, tensors)) tensor.requires_grad_();
  return tensors;
}

Tensors values_of(const Sample& sample, const Tensors& tensors) {
  Tensors values;
  for (std::size_t i = 0; i < sample.size(); ++i)
    if (sample[i].kind == Input::value) values.push_back(tensors[i]);
  return values;
}

Tensors run_on_copy(const OpCase& row, const Tensors& tensors, const Call& call) {
  if (!row.in_place) return call.run(tensors);
  Tensors copied = tensors;
  copied[0] = tensors[0].clone();
  return call.run(copied);
}

std::vector<Arrangement> arrangements(const OpCase& row) {
  if (!row.any_layout) return {Arrangement::contiguous};
  return {Arrangement::contiguous, Arrangement::transposed, Arrangement::sliced,
          Arrangement::expanded};
}

unsigned group_of(DType dtype) {
  if (dtype == kFloat32 || dtype == kFloat64) return kReals;
  if (is_floating(dtype)) return kHalves;
  return dtype == kBool ? kBooleans : kIntegers;
}

std::vector<DType> main_types(const OpCase& row) {
  if (row.types & kReals) return {kFloat64, kFloat32};
  return {kInt64};
}

void for_each_row(const std::function<void(const OpCase&)>& f) {
  for (const OpCase& row : op_cases()) {
    SCOPED_TRACE(row.name);
    try {
      f(row);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

Tolerance tolerance(DType dtype, double slack) {
  switch (dtype) {
    case kFloat64:
      return {1e-13 * slack, 1e-13 * slack};
    case kFloat32:
      return {1e-6 * slack, 1e-6 * slack};
    case kBFloat16:
      return {0x1p-6, 0x1p-6};
    case kFloat16:
      return {0x1p-9, 0x1p-9};
    default:
      return {0, 0};
  }
}

}  // namespace levin
