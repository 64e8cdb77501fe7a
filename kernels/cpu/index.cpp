// gather, scatter, scatter_add and select by an int64 index. Scatters run in index order on one
// thread: where positions repeat, the last one wins or the sum is taken in order, the same every
// time.
#include <cstring>

#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

constexpr const char* kOutOfRange = "has an index out of range";

// Where element (i_0, .., i_last) of a layout lies, counted without divisions.
class Position {
 public:
  Position(const Shape& shape, const Layout& a, const Layout& b, int without)
      : shape_(shape), a_(a), b_(b), without_(without), at_a(a.offset), at_b(b.offset) {}

  void next() {
    for (int d = shape_.size() - 1; d >= 0; --d) {
      at_a += a_.strides[d];
      if (d != without_)
        at_b += b_.strides[d];
      else
        ++along;
      if (++index_[d] < shape_[d]) return;
      at_a -= a_.strides[d] * shape_[d];
      if (d != without_)
        at_b -= b_.strides[d] * shape_[d];
      else
        along = 0;
      index_[d] = 0;
    }
  }

 private:
  const Shape& shape_;
  const Layout &a_, &b_;
  int without_;
  int64_t index_[kMaxDims] = {};

 public:
  int64_t at_a, at_b, along = 0;
};

// `near` moves along with the index, `far` is reached through it.
template <class Move>
const char* for_each_index(const IndexCall& call, const Layout& near, const Layout& far,
                           Move move) {
  const Layout& index = *call.index.layout;
  const auto* indices = static_cast<const int64_t*>(call.index.block->data);
  const int64_t n = index.numel(), size = far.dim() ? far.shape[call.dim] : 1;
  const int64_t stride = far.dim() ? far.strides[call.dim] : 0;
  Position near_at(index.shape, near, far, call.dim);
  Position index_at(index.shape, index, far, call.dim);
  for (int64_t i = 0; i < n; ++i, near_at.next(), index_at.next()) {
    const int64_t to = indices[index_at.at_a];
    if (to < 0 || to >= size) return kOutOfRange;
    move(near_at.at_a, near_at.at_b + to * stride);
  }
  return nullptr;
}

template <class S>
const char* run_typed(const IndexCall& call) {
  auto* source = static_cast<const S*>(call.source.block->data);
  auto* out = static_cast<S*>(call.out.block->data);
  if (call.kind == IndexKind::gather)
    return for_each_index(call, *call.out.layout, *call.source.layout,
                          [&](int64_t near, int64_t far) { out[near] = source[far]; });
  if (call.kind == IndexKind::scatter)
    return for_each_index(call, *call.source.layout, *call.out.layout,
                          [&](int64_t near, int64_t far) { out[far] = source[near]; });
  return for_each_index(call, *call.source.layout, *call.out.layout,
                        [&](int64_t near, int64_t far) {
                          if constexpr (std::is_same_v<S, BFloat16> || std::is_same_v<S, Float16>)
                            out[far] = convert_to<S>(widen(out[far]) + widen(source[near]));
                          else
                            out[far] = static_cast<S>(out[far] + source[near]);
                        });
}

// Rows of a contiguous source: what a loader's batch is made of.
const char* select(const IndexCall& call) {
  const Layout &source = *call.source.layout, &out = *call.out.layout;
  const auto* index = data_of<const int64_t>(call.index);
  const int64_t size = source.shape[call.dim], count = out.shape[call.dim];
  const int64_t index_stride = call.index.layout->dim() ? call.index.layout->strides[0] : 0;
  int64_t outer = 1, inner = 1;
  for (int d = 0; d < call.dim; ++d) outer *= source.shape[d];
  for (int d = call.dim + 1; d < source.dim(); ++d) inner *= source.shape[d];
  const std::size_t bytes = inner * item_size(source.dtype);
  const auto* from =
      static_cast<const char*>(call.source.block->data) + source.offset * item_size(source.dtype);
  auto* to = static_cast<char*>(call.out.block->data) + out.offset * item_size(source.dtype);
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t j = 0; j < count; ++j) {
      const int64_t row = index[j * index_stride];
      if (row < 0 || row >= size) return kOutOfRange;
      if (bytes) std::memcpy(to + (o * count + j) * bytes, from + (o * size + row) * bytes, bytes);
    }
  }
  return nullptr;
}

}  // namespace

const char* index(const IndexCall& call) {
  if (call.kind == IndexKind::select) return select(call);
  return with_type(call.source.layout->dtype,
                   [&](auto element) { return run_typed<decltype(element)>(call); });
}

}  // namespace levin::inline v0::cpu
