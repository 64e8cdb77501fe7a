#include "layout.h"

#include "check.h"

namespace levin::inline v0 {

void Shape::fail_too_many(std::size_t count) {
  fail({"a shape of ", count, " dimensions: at most 8 are possible"});
}

void Shape::push_back(int64_t size) {
  if (size_ == kMaxDims) fail_too_many(9);
  sizes_[size_++] = size;
}

int64_t Shape::numel() const {
  int64_t n = 1;
  bool empty = false, overflow = false;
  for (const int64_t size : *this) {
    if (size < 0) fail({"a shape of ", *this, ": sizes must not be negative"});
    empty |= size == 0;
    // Beside a size of 0 too: the strides are products of the others.
    if (size > 0) overflow |= __builtin_mul_overflow(n, size, &n);
  }
  if (overflow) fail({"a shape of ", *this, ": too many elements"});
  return empty ? 0 : n;
}

std::string Shape::text() const {
  std::string text = "[";
  for (int i = 0; i < size_; ++i) text += (i ? ", " : "") + std::to_string(sizes_[i]);
  return text + "]";
}

bool Layout::overlaps_itself() const {
  if (numel() == 0) return false;
  // By rising stride, every dimension must step over all that the smaller ones reach.
  int64_t reach = 0;
  bool seen[kMaxDims] = {};
  for (int round = 0; round < shape.size(); ++round) {
    int next = -1;
    for (int d = 0; d < shape.size(); ++d)
      if (!seen[d] && (next < 0 || strides[d] < strides[next])) next = d;
    seen[next] = true;
    if (shape[next] == 1) continue;
    if (strides[next] <= reach) return true;
    reach += strides[next] * (shape[next] - 1);
  }
  return false;
}

Layout broadcast_to(const Layout& layout, const Shape& shape) {
  Layout result = layout;
  result.shape = shape;
  const int missing = shape.size() - layout.shape.size();
  for (int d = shape.size() - 1; d >= 0; --d) {
    const int from = d - missing;
    const bool repeated = from < 0 || (layout.shape[from] == 1 && shape[d] != 1);
    result.strides[d] = repeated ? 0 : layout.strides[from];
  }
  return result;
}

bool broadcast_shapes(const Shape& a, const Shape& b, Shape* out) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  *out = longer;
  const int missing = longer.size() - shorter.size();
  for (int d = 0; d < shorter.size(); ++d) {
    int64_t& size = (*out)[d + missing];
    if (size == 1) size = shorter[d];
    if (shorter[d] != 1 && shorter[d] != size) return false;
  }
  return true;
}

}  // namespace levin::inline v0
