// Shape: an inline list of sizes. Layout: how a tensor's elements lie in its memory.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <vector>

#include "dtype.h"

namespace levin::inline v0 {

/// Most dimensions a tensor can have.
inline constexpr int kMaxDims = 8;

/// Copies the `count` sizes or strides that are used. With a known end, compilers make this a few
/// moves; for a whole array they choose vectors, which have to wait for the single sizes that were
/// written just before.
inline void copy_used(const int64_t* from, int count, int64_t* to) {
  for (int d = 0; d < kMaxDims; ++d) {
    if (d == count) return;
    to[d] = from[d];
  }
}

/// Up to 8 sizes (or dimension numbers), stored inline. More throw std::invalid_argument.
class Shape {
 public:
  Shape() {}
  Shape(const Shape& other) : size_(other.size_) { copy_used(other.sizes_, size_, sizes_); }
  Shape& operator=(const Shape& other) {
    size_ = other.size_;
    copy_used(other.sizes_, size_, sizes_);
    return *this;
  }
  Shape(std::initializer_list<int64_t> sizes) : Shape(sizes.begin(), sizes.size()) {}
  /// One size (or dimension): `x.view(-1)`, `x.sum(0)`.
  template <std::integral Size>
  requires(!std::is_same_v<Size, bool>) Shape(Size size) : size_(1) {
    sizes_[0] = static_cast<int64_t>(size);
  }
  Shape(const std::vector<int64_t>& sizes) : Shape(sizes.data(), sizes.size()) {}
  Shape(const int64_t* sizes, std::size_t count) : size_(static_cast<int>(count)) {
    if (count > kMaxDims) [[unlikely]]
      fail_too_many(count);
    copy_used(sizes, size_, sizes_);
  }

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t* begin() { return sizes_; }
  int64_t* end() { return sizes_ + size_; }
  const int64_t* begin() const { return sizes_; }
  const int64_t* end() const { return sizes_ + size_; }
  int64_t& operator[](int i) { return sizes_[i]; }
  int64_t operator[](int i) const { return sizes_[i]; }
  int64_t back() const { return sizes_[size_ - 1]; }
  void push_back(int64_t size);

  /// The product of the sizes. Throws std::invalid_argument where it, or that of the sizes other
  /// than 0, passes 2^63 - 1.
  int64_t numel() const;
  /// "[2, 3]"
  std::string text() const;

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.size_ != b.size_) return false;
    for (int i = 0; i < a.size_; ++i)
      if (a.sizes_[i] != b.sizes_[i]) return false;
    return true;
  }

 private:
  [[noreturn]] static void fail_too_many(std::size_t count);

  int size_ = 0;
  int64_t sizes_[kMaxDims];
};

/// Shape, strides and offset (all in elements) and element type of a tensor in a Block.
struct Layout {
  DType dtype = kFloat32;
  int64_t offset = 0;
  Shape shape;
  int64_t strides[kMaxDims];

  Layout() {}
  Layout(const Layout& other) : dtype(other.dtype), offset(other.offset), shape(other.shape) {
    copy_used(other.strides, dim(), strides);
  }
  Layout& operator=(const Layout& other) {
    shape = other.shape;
    copy_used(other.strides, dim(), strides);
    offset = other.offset;
    dtype = other.dtype;
    return *this;
  }

  int dim() const { return shape.size(); }
  int64_t numel() const {
    int64_t n = 1;
    for (const int64_t size : shape) n *= size;
    return n;
  }
  /// Row-major without gaps? Sizes of 1 may have any stride; an empty layout is contiguous.
  bool contiguous() const {
    int64_t expected = 1;
    bool row_major = true;
    for (int d = shape.size() - 1; d >= 0; --d) {
      if (shape[d] == 0) return true;
      row_major &= shape[d] == 1 || strides[d] == expected;
      expected *= shape[d];
    }
    return row_major;
  }
  /// Do all indices reach the same element?
  bool repeats_one() const {
    for (int d = 0; d < shape.size(); ++d)
      if (shape[d] != 1 && strides[d] != 0) return false;
    return true;
  }
  /// Do several indices reach the same element?
  bool overlaps_itself() const;

  /// Row-major without gaps, at offset 0.
  void become(const Shape& its_shape, DType its_dtype) {
    dtype = its_dtype;
    offset = 0;
    shape = its_shape;
    int64_t stride = 1;
    for (int d = shape.size() - 1; d >= 0; --d) {
      strides[d] = stride;
      stride *= shape[d];
    }
  }
  static Layout of(const Shape& shape, DType dtype) {
    Layout layout;
    layout.become(shape, dtype);
    return layout;
  }
};

/// The same elements with `dim` of `shape`: size-1 and missing dimensions repeat with stride 0. The
/// caller has checked that the shapes broadcast.
Layout broadcast_to(const Layout& layout, const Shape& shape);

/// The shape that both broadcast to, by NumPy's rule. False where they do not fit.
bool broadcast_shapes(const Shape& a, const Shape& b, Shape* out);

}  // namespace levin::inline v0
