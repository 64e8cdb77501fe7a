// Array: numbers in row-major order, with plain loops over them. The references of the tests are
// written with it, so that nothing of levin checks itself.
#pragma once

#include <levin/tensor/tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace levin {

using Index = std::vector<int64_t>;

struct Array {
  Shape shape;
  std::vector<double> numbers;

  /// The element at `index`, which has as many entries as there are dimensions.
  double at(const Index& index) const;
  /// The same for the index of a shape to which this one broadcasts.
  double broadcast_at(const Index& index) const;
  /// The element at row-major position `i`.
  double operator[](int64_t i) const { return numbers[i]; }
  int64_t size(int d) const { return shape[d < 0 ? d + shape.size() : d]; }
};

/// All indices of a shape in row-major order.
template <class F>
void for_each_index(const Shape& shape, F f) {
  Index index(shape.size(), 0);
  for (int64_t left = shape.numel(); left > 0; --left) {
    f(index);
    for (int d = shape.size() - 1; d >= 0 && ++index[d] == shape[d]; --d) index[d] = 0;
  }
}

template <class F>
Array make_array(const Shape& shape, F f) {
  Array result{shape, {}};
  result.numbers.reserve(shape.numel());
  for_each_index(shape, [&](const Index& index) { result.numbers.push_back(f(index)); });
  return result;
}
Array map(const Array& x, const std::function<double(double)>& f);
/// Broadcast by NumPy's rule.
Array zip(const Array& a, const Array& b, const std::function<double(double, double)>& f);
Array zip(const Array& a, const Array& b, const Array& c,
          const std::function<double(double, double, double)>& f);
/// f of the elements along the dimensions `dims` (none named: all), in row-major order.
Array reduce(const Array& x, const std::vector<int>& dims, bool keepdim,
             const std::function<double(const std::vector<double>&)>& f);
double sum_of(const std::vector<double>& numbers);

/// The indices of what is not 0, in row-major order.
std::vector<Index> true_indices(const Array& mask);

/// How a tensor lies in memory.
enum class Arrangement {
  contiguous,
  transposed,  ///< the last dimension moves slowest
  sliced,      ///< every second element of a larger tensor, from its second on
  expanded     ///< the first dimension repeats with stride 0: only its first slice is kept
};
const char* name_of(Arrangement);

/// While it lives, place() puts tensors on this device.
class PlacedOn {
 public:
  explicit PlacedOn(Device device);
  ~PlacedOn();
  PlacedOn(const PlacedOn&) = delete;
  PlacedOn& operator=(const PlacedOn&) = delete;
};
/// The numbers as a tensor of this type and arrangement, written element by element; whatever lies
/// between the elements is NaN (or 85 in integers).
Tensor place(const Array& array, DType dtype, Arrangement arrangement = Arrangement::contiguous);
/// The elements of any tensor, read one by one.
Array read(const Tensor& tensor);
/// The bytes of a tensor's memory in which none of its elements lie.
std::vector<unsigned char> gap_bytes(const Tensor& tensor);

/// A number as an element of this type would hold it: integers wrap around.
double as_element(double number, DType dtype);
/// Do both hold the same bits, shapes included?
bool same_bits(const Array& a, const Array& b);
/// Empty where |a - b| <= atol + rtol |b| for all elements (NaN equals NaN), else what differs.
std::string difference(const Array& a, const Array& b, double rtol, double atol);

}  // namespace levin
