#include "array.h"

#include <levin/kernels/backend.h>
#include <levin/tensor/factories.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace levin {
namespace {

Device place_device = kCPU;

// float16 and bfloat16 by their definition: sign, exponent, fraction.
double half_number(uint16_t bits, int exponent_bits) {
  const int fraction_bits = 15 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
  const double fraction = std::ldexp(bits & ((1 << fraction_bits) - 1), -fraction_bits);
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1)
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  return sign * (exponent == 0 ? std::ldexp(fraction, 1 - bias)
                               : std::ldexp(1 + fraction, exponent - bias));
}

template <class T>
double loaded(const unsigned char* from) {
  T element;
  std::memcpy(&element, from, sizeof(T));
  return static_cast<double>(element);
}

double load(const unsigned char* from, DType dtype) {
  uint16_t half = 0;
  if (item_size(dtype) == 2) std::memcpy(&half, from, 2);
  switch (dtype) {
    case kFloat32:
      return loaded<float>(from);
    case kFloat64:
      return loaded<double>(from);
    case kBFloat16:
      return half_number(half, 8);
    case kFloat16:
      return half_number(half, 5);
    case kInt64:
      return loaded<int64_t>(from);
    case kInt32:
      return loaded<int32_t>(from);
    case kInt8:
      return loaded<int8_t>(from);
    case kUInt8:
      return loaded<uint8_t>(from);
    case kBool:
      return loaded<bool>(from);
  }
  return 0;
}

template <class T>
void put(double number, unsigned char* to) {
  const T element = static_cast<T>(number);
  std::memcpy(to, &element, sizeof(T));
}

// 16-bit types: the number must be 0 or a normal number that they hold exactly.
void put_half(double number, int exponent_bits, unsigned char* to) {
  const int fraction_bits = 15 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
  int exponent = 0;
  const double half_to_one = std::frexp(std::abs(number), &exponent);
  const int fraction = static_cast<int>(std::ldexp(2 * half_to_one - 1, fraction_bits));
  const int size = number == 0 ? 0 : ((exponent - 1 + bias) << fraction_bits) + fraction;
  const auto bits = static_cast<uint16_t>(size | (std::signbit(number) ? 0x8000 : 0));
  if (half_number(bits, exponent_bits) != number)
    throw std::logic_error("a number that a 16-bit type does not hold: " + std::to_string(number));
  std::memcpy(to, &bits, 2);
}

void store(double number, DType dtype, unsigned char* to) {
  switch (dtype) {
    case kFloat32:
      return put<float>(number, to);
    case kFloat64:
      return put<double>(number, to);
    case kBFloat16:
      return put_half(number, 8, to);
    case kFloat16:
      return put_half(number, 5, to);
    case kInt64:
      return put<int64_t>(number, to);
    case kInt32:
      return put<int32_t>(number, to);
    case kInt8:
      return put<int8_t>(number, to);
    case kUInt8:
      return put<uint8_t>(number, to);
    case kBool:
      return put<bool>(number, to);
  }
}

int64_t position(const Layout& layout, const Index& index) {
  int64_t at = layout.offset;
  for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * layout.strides[d];
  return at;
}

int64_t row_major(const Shape& shape, const Index& index) {
  int64_t at = 0;
  for (int d = 0; d < shape.size(); ++d) at = at * shape[d] + index[d];
  return at;
}

// The layout, and how many elements its memory has.
Layout arranged(const Shape& shape, DType dtype, Arrangement arrangement, int64_t* elements) {
  Layout layout = Layout::of(shape, dtype);
  *elements = shape.numel();
  if (arrangement == Arrangement::transposed) {
    int64_t stride = 1;
    for (int d = 0; d < shape.size(); ++d) {
      layout.strides[d] = stride;
      stride *= shape[d];
    }
  } else if (arrangement == Arrangement::sliced) {
    int64_t stride = 1;
    layout.offset = 0;
    for (int d = shape.size() - 1; d >= 0; --d) {
      layout.offset += stride;
      layout.strides[d] = 2 * stride;
      stride *= 2 * shape[d] + 1;
    }
    if (shape.empty()) layout.offset = 3;
    *elements = stride + layout.offset;
  } else if (arrangement == Arrangement::expanded && !shape.empty()) {
    layout.strides[0] = 0;
  }
  return layout;
}

}  // namespace

double Array::at(const Index& index) const { return numbers[row_major(shape, index)]; }

double Array::broadcast_at(const Index& index) const {
  Index own(index.end() - shape.size(), index.end());
  for (int d = 0; d < shape.size(); ++d)
    if (shape[d] == 1) own[d] = 0;
  return at(own);
}

Array map(const Array& x, const std::function<double(double)>& f) {
  Array result = x;
  for (double& number : result.numbers) number = f(number);
  return result;
}

Array zip(const Array& a, const Array& b, const std::function<double(double, double)>& f) {
  Shape shape;
  if (!broadcast_shapes(a.shape, b.shape, &shape)) throw std::logic_error("no common shape");
  return make_array(shape, [&](const Index& i) { return f(a.broadcast_at(i), b.broadcast_at(i)); });
}

Array zip(const Array& a, const Array& b, const Array& c,
          const std::function<double(double, double, double)>& f) {
  Shape two, shape;
  if (!broadcast_shapes(a.shape, b.shape, &two) || !broadcast_shapes(two, c.shape, &shape))
    throw std::logic_error("no common shape");
  return make_array(shape, [&](const Index& i) {
    return f(a.broadcast_at(i), b.broadcast_at(i), c.broadcast_at(i));
  });
}

Array reduce(const Array& x, const std::vector<int>& dims, bool keepdim,
             const std::function<double(const std::vector<double>&)>& f) {
  const int count = x.shape.size();
  std::vector<bool> gone(count, dims.empty());
  for (const int d : dims)
    if (count > 0) gone[d < 0 ? d + count : d] = true;
  Shape kept, result_shape;
  for (int d = 0; d < count; ++d) {
    kept.push_back(gone[d] ? 1 : x.shape[d]);
    if (!gone[d] || keepdim) result_shape.push_back(kept[d]);
  }
  std::vector<std::vector<double>> groups(kept.numel());
  for_each_index(x.shape, [&](const Index& index) {
    Index to = index;
    for (int d = 0; d < count; ++d)
      if (gone[d]) to[d] = 0;
    groups[row_major(kept, to)].push_back(x.at(index));
  });
  Array result{result_shape, {}};
  for (const std::vector<double>& group : groups) result.numbers.push_back(f(group));
  return result;
}

double sum_of(const std::vector<double>& numbers) {
  long double sum = 0;
  for (const double number : numbers) sum += number;
  return static_cast<double>(sum);
}

std::vector<Index> true_indices(const Array& mask) {
  std::vector<Index> list;
  for_each_index(mask.shape, [&](const Index& i) {
    if (mask.at(i) != 0) list.push_back(i);
  });
  return list;
}

const char* name_of(Arrangement arrangement) {
  constexpr const char* names[] = {"contiguous", "transposed", "sliced", "expanded"};
  return names[static_cast<int>(arrangement)];
}

Tensor place(const Array& array, DType dtype, Arrangement arrangement) {
  int64_t elements = 0;
  const Layout layout = arranged(array.shape, dtype, arrangement, &elements);
  const Tensor memory = empty({elements}, dtype);
  auto* bytes = static_cast<unsigned char*>(memory.impl().block->data);
  const std::size_t size = item_size(dtype);
  const double poison = is_floating(dtype) ? std::numeric_limits<double>::quiet_NaN()
                        : dtype == kBool   ? 1
                                           : 85;
  for (int64_t i = 0; i < elements; ++i) {
    if (size == 2)
      std::memset(bytes + i * size, 0xff, 2);
    else
      store(poison, dtype, bytes + i * size);
  }
  for_each_index(array.shape, [&](const Index& index) {
    if (arrangement == Arrangement::expanded && !index.empty() && index[0] > 0) return;
    store(array.at(index), dtype, bytes + position(layout, index) * size);
  });
  const Tensor there = memory.to(place_device);
  return arrangement == Arrangement::contiguous ? there.view(array.shape)
                                                : make_view(there, layout);
}

PlacedOn::PlacedOn(Device device) { place_device = device; }
PlacedOn::~PlacedOn() { place_device = kCPU; }

std::vector<unsigned char> bytes_of(const Tensor& tensor) {
  const Block& block = *tensor.impl().block;
  std::vector<unsigned char> bytes(block.bytes);
  if (const char* error = backend(block.device).read(block, 0, bytes.data(), bytes.size()))
    throw std::runtime_error(error);
  return bytes;
}

Array read(const Tensor& tensor) {
  const Layout& layout = tensor.layout();
  const std::vector<unsigned char> memory = bytes_of(tensor);
  const auto* bytes = memory.data();
  return make_array(layout.shape, [&](const Index& index) {
    return load(bytes + position(layout, index) * item_size(layout.dtype), layout.dtype);
  });
}

std::vector<unsigned char> gap_bytes(const Tensor& tensor) {
  const std::size_t size = item_size(tensor.dtype());
  std::vector<unsigned char> result = bytes_of(tensor);
  for_each_index(tensor.shape(), [&](const Index& index) {
    std::memset(result.data() + position(tensor.layout(), index) * size, 0, size);
  });
  return result;
}

double as_element(double number, DType dtype) {
  if (is_floating(dtype)) return number;
  const auto whole = static_cast<int64_t>(number);
  switch (dtype) {
    case kBool:
      return number != 0;
    case kInt8:
      return static_cast<int8_t>(whole);
    case kUInt8:
      return static_cast<uint8_t>(whole);
    case kInt32:
      return static_cast<int32_t>(whole);
    default:
      return static_cast<double>(whole);
  }
}

bool same_bits(const Array& a, const Array& b) {
  const std::size_t bytes = a.numbers.size() * sizeof(double);
  return a.shape == b.shape &&
         (bytes == 0 || std::memcmp(a.numbers.data(), b.numbers.data(), bytes) == 0);
}

std::string difference(const Array& a, const Array& b, double rtol, double atol) {
  if (!(a.shape == b.shape)) return "shape " + a.shape.text() + " instead of " + b.shape.text();
  for (std::size_t i = 0; i < a.numbers.size(); ++i) {
    const double x = a.numbers[i], y = b.numbers[i];
    if (x == y || (x != x && y != y)) continue;
    if (std::abs(x - y) <= atol + rtol * std::abs(y) && std::isfinite(y)) continue;
    std::ostringstream text;
    text.precision(17);
    text << "element " << i << " of " << a.shape.text() << " is " << x << " instead of " << y;
    return text.str();
  }
  return "";
}

}  // namespace levin
