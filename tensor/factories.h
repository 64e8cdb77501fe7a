// Making tensors: from numbers, from memory, at random.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "generator.h"
#include "tensor.h"

namespace levin::inline v0 {

/// Not initialised.
Tensor empty(const Shape& shape, DType dtype = kFloat32, Device device = kCPU);
Tensor zeros(const Shape& shape, DType dtype = kFloat32, Device device = kCPU);
Tensor ones(const Shape& shape, DType dtype = kFloat32, Device device = kCPU);
Tensor full(const Shape& shape, Number value, DType dtype, Device device = kCPU);
/// The element type follows the number: 1.5 gives float32, 3 int64, true bool.
Tensor full(const Shape& shape, Number value);
Tensor empty_like(const Tensor& like);
Tensor zeros_like(const Tensor& like);
Tensor ones_like(const Tensor& like);
Tensor full_like(const Tensor& like, Number value);
Tensor rand_like(const Tensor& like);
Tensor randn_like(const Tensor& like);

/// start, start + step, .. below end (above, where step is negative). int64 where all three are
/// integers, else float32.
Tensor arange(Number start, Number end, Number step = 1);
Tensor arange(Number end);
Tensor arange(Number start, Number end, Number step, DType dtype);
/// `steps` numbers from start to end, both included.
Tensor linspace(double start, double end, int64_t steps, DType dtype = kFloat32);
/// Ones on the diagonal of [n, m] (m = n where it is left out).
Tensor eye(int64_t n, int64_t m = -1, DType dtype = kFloat32);

/// A copy of the numbers; without a shape a vector. Their count must be the shape's
/// (std::invalid_argument).
template <class T>
Tensor from_vector(const std::vector<T>& numbers, const Shape& shape);
template <class T>
Tensor from_vector(const std::vector<T>& numbers) {
  return from_vector(numbers, {static_cast<int64_t>(numbers.size())});
}
/// A 0-d tensor, a vector, a matrix: `tensor(1.5)`, `tensor({1, 2})`, `tensor({{1.0, 2.0}, {3.0,
/// 4.0}})`. int64 where all numbers are integers, bool where all are bool, else float32.
Tensor tensor(Number value);
Tensor tensor(std::initializer_list<Number> numbers);
Tensor tensor(std::initializer_list<std::initializer_list<Number>> rows);
/// The caller's memory, not copied: contiguous, and alive as long as any tensor that views it.
/// `free_owner(owner)` is called when the last one goes; not where from_blob throws.
Tensor from_blob(void* data, const Shape& shape, DType dtype, void* owner = nullptr,
                 void (*free_owner)(void*) = nullptr);
/// The same as PyTorch has it: `deleter(data)` is called instead.
template <std::invocable<void*> Deleter>
Tensor from_blob(void* data, const Shape& shape, DType dtype, Deleter deleter) {
  struct Owner {
    Deleter deleter;
    void* data;
  };
  auto owner = std::make_unique<Owner>(Owner{std::move(deleter), data});
  const Tensor tensor = from_blob(data, shape, dtype, owner.get(), [](void* last) {
    const std::unique_ptr<Owner> freed(static_cast<Owner*>(last));
    freed->deleter(freed->data);
  });
  owner.release();
  return tensor;
}

/// Uniform in [0, 1); standard normal; integers in [low, high); a permutation of 0 .. n - 1. From
/// `generator`, or from this thread's default one. Sampling in place: uniform_, normal_.
Tensor rand(const Shape& shape, DType dtype = kFloat32);
Tensor rand(const Shape& shape, Generator& generator, DType dtype = kFloat32);
Tensor randn(const Shape& shape, DType dtype = kFloat32);
Tensor randn(const Shape& shape, Generator& generator, DType dtype = kFloat32);
Tensor randint(int64_t low, int64_t high, const Shape& shape);
Tensor randint(int64_t low, int64_t high, const Shape& shape, Generator& generator);
Tensor randperm(int64_t n);
Tensor randperm(int64_t n, Generator& generator, const char* stream = "main");
/// Overwrites `out` (no history): uniform in [low, high), or normal.
void uniform_(const Tensor& out, double low, double high, Generator& generator,
              const char* stream = "main");
void normal_(const Tensor& out, double mean, double deviation, Generator& generator,
             const char* stream = "main");

}  // namespace levin::inline v0
