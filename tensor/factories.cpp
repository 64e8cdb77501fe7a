#include "factories.h"

#include <cmath>

#include "../kernels/backend.h"
#include "../kernels/check.h"

namespace levin::inline v0 {
namespace {

Arg arg_of(const Tensor& tensor) { return {tensor.impl().block.get(), &tensor.layout()}; }

Tensor draw(const Tensor& out, Distribution kind, double a, double b, Generator& generator,
            const char* name) {
  Generator::Stream& stream = generator.stream(name);
  const RandomCall call{kind, generator.seed(), stream.id, &stream.counter, a, b, arg_of(out)};
  if (const char* error = backend(out.device()).random(call))
    fail(Fault::world, {"random numbers of shape ", out.shape(), " ", error});
  ++out.impl().block->version;
  return out;
}

// From host memory of the tensor's own element type.
Tensor uploaded(const void* numbers, const Shape& shape, DType dtype) {
  const Tensor result = empty(shape, dtype);
  const std::size_t bytes = result.numel() * item_size(dtype);
  if (const char* error = backend(kCPU).write(numbers, *result.impl().block, 0, bytes))
    fail(Fault::world, {"a tensor of shape ", shape, " ", error});
  return result;
}

Tensor sequence(double start, double step, int64_t count, DType dtype) {
  std::vector<double> numbers(count);
  for (int64_t i = 0; i < count; ++i) numbers[i] = start + static_cast<double>(i) * step;
  return from_vector(numbers).to(dtype);
}

}  // namespace

Tensor empty(const Shape& shape, DType dtype, Device device) {
  return make_empty(shape, shape.numel(), dtype, device);
}

Tensor full(const Shape& shape, Number value, DType dtype, Device device) {
  Tensor result = empty(shape, dtype, device);
  if (const char* error = backend(device).fill(value.value, arg_of(result)))
    fail(Fault::world, {"a tensor of shape ", shape, " ", error});
  return result;
}

Tensor full(const Shape& shape, Number value) { return full(shape, value, value.dtype()); }
Tensor zeros(const Shape& shape, DType dtype, Device device) {
  return full(shape, 0, dtype, device);
}
Tensor ones(const Shape& shape, DType dtype, Device device) {
  return full(shape, 1, dtype, device);
}
Tensor empty_like(const Tensor& like) { return empty(like.shape(), like.dtype(), like.device()); }
Tensor zeros_like(const Tensor& like) { return full_like(like, 0); }
Tensor ones_like(const Tensor& like) { return full_like(like, 1); }
Tensor full_like(const Tensor& like, Number value) {
  return full(like.shape(), value, like.dtype(), like.device());
}
Tensor rand_like(const Tensor& like) { return rand(like.shape(), like.dtype()); }
Tensor randn_like(const Tensor& like) { return randn(like.shape(), like.dtype()); }

Tensor arange(Number start, Number end, Number step, DType dtype) {
  check(step.value != 0, {"arange: step must not be 0"});
  const double count = std::ceil((end.value - start.value) / step.value);
  check(count >= 0, {"arange: from ", start.value, " to ", end.value, " with step ", step.value,
                     ": the step leads away from the end"});
  return sequence(start.value, step.value, static_cast<int64_t>(count), dtype);
}

Tensor arange(Number start, Number end, Number step) {
  const bool real =
      start.kind == Number::real || end.kind == Number::real || step.kind == Number::real;
  return arange(start, end, step, real ? kFloat32 : kInt64);
}

Tensor arange(Number end) { return arange(0, end); }

Tensor linspace(double start, double end, int64_t steps, DType dtype) {
  check(steps >= 0, {"linspace: ", steps, " steps: must not be negative"});
  std::vector<double> numbers(steps);
  const double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0;
  // Counted from the nearer end, so that both ends are met exactly.
  for (int64_t i = 0; i < steps; ++i)
    numbers[i] = i < steps / 2 || steps == 1 ? start + step * static_cast<double>(i)
                                             : end - step * static_cast<double>(steps - 1 - i);
  return from_vector(numbers).to(dtype);
}

Tensor eye(int64_t n, int64_t m, DType dtype) {
  const int64_t columns = m < 0 ? n : m;
  std::vector<double> numbers(Shape{n, columns}.numel());
  for (int64_t i = 0; i < n && i < columns; ++i) numbers[i * columns + i] = 1;
  return from_vector(numbers, {n, columns}).to(dtype);
}

template <class T>
Tensor from_vector(const std::vector<T>& numbers, const Shape& shape) {
  check(shape.numel() == static_cast<int64_t>(numbers.size()),
        {"from_vector: ", numbers.size(), " numbers for a tensor of shape ", shape});
  return uploaded(numbers.data(), shape, DTypeOf<T>::value);
}
template Tensor from_vector(const std::vector<float>&, const Shape&);
template Tensor from_vector(const std::vector<double>&, const Shape&);
template Tensor from_vector(const std::vector<int64_t>&, const Shape&);
template Tensor from_vector(const std::vector<int32_t>&, const Shape&);
template Tensor from_vector(const std::vector<int8_t>&, const Shape&);
template Tensor from_vector(const std::vector<uint8_t>&, const Shape&);

Tensor tensor(Number value) { return full({}, value); }

namespace {

// Appends numbers to `values`; gives the type that holds `dtype` and all of them.
DType append(std::initializer_list<Number> numbers, DType dtype, std::vector<double>* values) {
  for (const Number& number : numbers) {
    values->push_back(number.value);
    dtype = promote(dtype, number.dtype());
  }
  return dtype;
}

}  // namespace

Tensor tensor(std::initializer_list<Number> numbers) {
  std::vector<double> values;
  const DType dtype = append(numbers, numbers.size() == 0 ? kFloat32 : kBool, &values);
  return from_vector(values).to(dtype);
}

Tensor tensor(std::initializer_list<std::initializer_list<Number>> rows) {
  std::vector<double> values;
  DType dtype = kBool;
  const std::size_t width = rows.size() == 0 ? 0 : rows.begin()->size();
  for (const auto& row : rows) {
    check(row.size() == width, {"tensor: rows of ", width, " and ", row.size(),
                                " numbers: all must have the same length"});
    dtype = append(row, dtype, &values);
  }
  if (values.empty()) dtype = kFloat32;
  const Shape shape{static_cast<int64_t>(rows.size()), static_cast<int64_t>(width)};
  return from_vector(values, shape).to(dtype);
}

Tensor from_blob(void* data, const Shape& shape, DType dtype, void* owner,
                 void (*free_owner)(void*)) {
  const Layout layout = Layout::of(shape, dtype);
  check(data || shape.numel() == 0, {"from_blob: a null pointer for a tensor of shape ", shape});
  const Tensor tensor = make_tensor(
      Block::wrap(data, shape.numel() * item_size(dtype), kCPU, nullptr, nullptr), layout);
  // Only now: an error above must leave the memory to the caller.
  Block& block = *tensor.impl().block;
  block.owner = owner;
  if (free_owner) block.owner_free = free_owner;
  return tensor;
}

Tensor rand(const Shape& shape, Generator& generator, DType dtype) {
  check(is_floating(dtype), {"rand: ", dtype, ": a floating type is needed"});
  return draw(empty(shape, dtype), Distribution::uniform, 0, 1, generator, "main");
}
Tensor rand(const Shape& shape, DType dtype) { return rand(shape, default_generator(), dtype); }

Tensor randn(const Shape& shape, Generator& generator, DType dtype) {
  check(is_floating(dtype), {"randn: ", dtype, ": a floating type is needed"});
  return draw(empty(shape, dtype), Distribution::normal, 0, 1, generator, "main");
}
Tensor randn(const Shape& shape, DType dtype) { return randn(shape, default_generator(), dtype); }

Tensor randint(int64_t low, int64_t high, const Shape& shape, Generator& generator) {
  check(low < high, {"randint: from ", low, " to ", high, ": the range is empty"});
  check(std::abs(low) < int64_t{1} << 53 && std::abs(high) < int64_t{1} << 53,
        {"randint: from ", low, " to ", high, ": bounds must be below 2^53"});
  return draw(empty(shape, kInt64), Distribution::integers, static_cast<double>(low),
              static_cast<double>(high), generator, "main");
}
Tensor randint(int64_t low, int64_t high, const Shape& shape) {
  return randint(low, high, shape, default_generator());
}

Tensor randperm(int64_t n, Generator& generator, const char* stream) {
  check(n >= 0, {"randperm: ", n, ": must not be negative"});
  // Fisher-Yates, driven by one uniform double for each swap.
  const std::vector<double> swaps =
      draw(empty({n}, kFloat64), Distribution::uniform, 0, 1, generator, stream)
          .to_vector<double>();
  std::vector<int64_t> order(n);
  for (int64_t i = 0; i < n; ++i) order[i] = i;
  for (int64_t i = n - 1; i > 0; --i)
    std::swap(order[i], order[static_cast<int64_t>(swaps[i] * static_cast<double>(i + 1))]);
  return from_vector(order);
}
Tensor randperm(int64_t n) { return randperm(n, default_generator()); }

void uniform_(const Tensor& out, double low, double high, Generator& generator,
              const char* stream) {
  check(is_floating(out.dtype()), {"uniform_: ", out.dtype(), ": a floating type is needed"});
  draw(out, Distribution::uniform, low, high, generator, stream);
}

void normal_(const Tensor& out, double mean, double deviation, Generator& generator,
             const char* stream) {
  check(is_floating(out.dtype()), {"normal_: ", out.dtype(), ": a floating type is needed"});
  draw(out, Distribution::normal, mean, deviation, generator, stream);
}

}  // namespace levin::inline v0
