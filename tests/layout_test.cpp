#include <gtest/gtest.h>
#include <levin/kernels/layout.h>
#include <levin/tensor/layout_math.h>

#include <functional>
#include <random>
#include <set>

#include "scratch.h"

namespace levin {
namespace {

// The offset of every element, in row-major order.
std::vector<int64_t> offsets_of(const Layout& layout) {
  std::vector<int64_t> offsets = {layout.offset};
  for (int d = 0; d < layout.dim(); ++d) {
    std::vector<int64_t> next;
    for (const int64_t at : offsets)
      for (int64_t i = 0; i < layout.shape[d]; ++i) next.push_back(at + i * layout.strides[d]);
    offsets = next;
  }
  return offsets;
}

std::string bad(const std::function<void()>& action) {
  return error_of<std::invalid_argument>(action);
}

TEST(Shape, CountsAndPrints) {
  EXPECT_EQ(Shape({}).numel(), 1);
  EXPECT_EQ(Shape({2, 3, 4}).numel(), 24);
  EXPECT_EQ(Shape({2, 0, 4}).numel(), 0);
  EXPECT_EQ(Shape({2, 3}).text(), "[2, 3]");
  EXPECT_EQ(Shape({}).text(), "[]");
  EXPECT_NE(Shape({2}), Shape({2, 1}));
}

TEST(Shape, RefusesWhatCannotBe) {
  EXPECT_EQ(bad([] {
              Shape({1, 1, 1, 1, 1, 1, 1, 1, 1});
            }),
            "a shape of 9 dimensions: at most 8 are possible");
  EXPECT_EQ(bad([] { Shape({2, -1}).numel(); }), "a shape of [2, -1]: sizes must not be negative");
  EXPECT_NE(bad([] {
              Shape({1LL << 32, 1LL << 32}).numel();
            }).find("too many elements"),
            std::string::npos);
  EXPECT_NE(bad([] {
              Shape({0, 1LL << 32, 1LL << 32}).numel();
            }).find("too many elements"),
            std::string::npos);
  Shape full({1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_THROW(full.push_back(9), std::invalid_argument);
}

TEST(Shape, Broadcasts) {
  Shape out;
  EXPECT_TRUE(broadcast_shapes({2, 1, 3}, {4, 1}, &out));
  EXPECT_EQ(out, Shape({2, 4, 3}));
  EXPECT_TRUE(broadcast_shapes({}, {0, 1}, &out));
  EXPECT_EQ(out, Shape({0, 1}));
  EXPECT_TRUE(broadcast_shapes({0}, {1}, &out));
  EXPECT_EQ(out, Shape({0}));
  EXPECT_FALSE(broadcast_shapes({2, 3}, {2, 4}, &out));
  EXPECT_FALSE(broadcast_shapes({0}, {2}, &out));
  const Layout row = Layout::of({3}, kFloat32);
  EXPECT_EQ(offsets_of(broadcast_to(row, {2, 3})), (std::vector<int64_t>{0, 1, 2, 0, 1, 2}));
  const Layout column = Layout::of({2, 1}, kFloat32);
  EXPECT_EQ(offsets_of(broadcast_to(column, {2, 3})), (std::vector<int64_t>{0, 0, 0, 1, 1, 1}));
}

TEST(Layout, KnowsWhetherItIsContiguous) {
  const Layout plain = Layout::of({2, 3, 4}, kFloat32);
  EXPECT_TRUE(plain.contiguous());
  EXPECT_FALSE(transposed(plain, 0, 1).contiguous());
  EXPECT_TRUE(selected(plain, 0, 1).contiguous());
  EXPECT_FALSE(selected(plain, 2, 1).contiguous());
  EXPECT_TRUE(narrowed(plain, 0, 1, 1).contiguous());
  EXPECT_FALSE(narrowed(plain, 1, 0, 2).contiguous());
  EXPECT_TRUE(narrowed(plain, 1, 0, 0).contiguous()) << "nothing lies anywhere";
  EXPECT_TRUE(transposed(Layout::of({1, 5}, kFloat32), 0, 1).contiguous());
  EXPECT_TRUE(transposed(Layout::of({0, 5}, kFloat32), 0, 1).contiguous());
  EXPECT_TRUE(Layout::of({}, kFloat32).contiguous());
}

// Against counting: does an offset come twice?
TEST(Layout, KnowsWhetherElementsOverlap) {
  std::mt19937 random(1);
  int overlapping = 0, missed = 0;
  for (int round = 0; round < 3000; ++round) {
    Layout layout;
    for (int d = static_cast<int>(random() % 4); d > 0; --d) {
      layout.strides[layout.dim()] = random() % 7;
      layout.shape.push_back(random() % 4);
    }
    const std::vector<int64_t> offsets = offsets_of(layout);
    const bool twice = std::set<int64_t>(offsets.begin(), offsets.end()).size() != offsets.size();
    overlapping += twice;
    if (twice) {
      EXPECT_TRUE(layout.overlaps_itself());
    }
    missed += !twice && layout.overlaps_itself();
  }
  EXPECT_GT(overlapping, 200);
  EXPECT_LT(missed, 300)
      << "refused though nothing overlaps: interleaved strides, which no view has";
  const Layout plain = Layout::of({4, 6}, kFloat32);
  EXPECT_FALSE(transposed(sliced(plain, 1, 0, 6, 2), 0, 1).overlaps_itself());
  EXPECT_TRUE(expanded(narrowed(plain, 0, 0, 1), {3, 6}).overlaps_itself());
}

TEST(Views, ReachTheRightElements) {
  const Layout plain = Layout::of({2, 3}, kFloat32);
  using Offsets = std::vector<int64_t>;
  EXPECT_EQ(offsets_of(transposed(plain, 0, -1)), (Offsets{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(offsets_of(permuted(plain, {1, 0})), (Offsets{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(offsets_of(sliced(plain, 1, 0, 3, 2)), (Offsets{0, 2, 3, 5}));
  EXPECT_EQ(offsets_of(sliced(plain, 1, -2, 100, 1)), (Offsets{1, 2, 4, 5}));
  EXPECT_EQ(offsets_of(sliced(plain, 1, 2, 1, 1)), Offsets{});
  EXPECT_EQ(offsets_of(sliced(plain, 0, INT64_MIN, INT64_MAX, INT64_MAX)), (Offsets{0, 1, 2}));
  EXPECT_EQ(offsets_of(narrowed(plain, 0, 1, 1)), (Offsets{3, 4, 5}));
  EXPECT_EQ(offsets_of(selected(plain, 1, -1)), (Offsets{2, 5}));
  EXPECT_EQ(selected(plain, 1, -1).shape, Shape({2}));
  EXPECT_EQ(unsqueezed(plain, -1).shape, Shape({2, 3, 1}));
  EXPECT_EQ(squeezed(Layout::of({1, 2, 1}, kFloat32)).shape, Shape({2}));
  EXPECT_EQ(squeezed(plain, 0).shape, Shape({2, 3}));
  EXPECT_EQ(squeezed(Layout::of({1, 2, 1, 1}, kFloat32), {0, 1, -1}).shape, Shape({2, 1}));
  EXPECT_EQ(offsets_of(diagonal_of(plain, 0, 0, 1)), (Offsets{0, 4}));
  EXPECT_EQ(offsets_of(diagonal_of(plain, 1, 0, -1)), (Offsets{1, 5}));
  EXPECT_EQ(offsets_of(diagonal_of(plain, -1, 0, 1)), (Offsets{3}));
  EXPECT_EQ(offsets_of(diagonal_of(plain, 1, 1, 0)), (Offsets{3}));
  EXPECT_EQ(offsets_of(diagonal_of(plain, INT64_MIN, 0, 1)), Offsets{});
  EXPECT_EQ(offsets_of(diagonal_of(plain, INT64_MAX, 0, 1)), Offsets{});
  EXPECT_EQ(offsets_of(flipped(plain, 1)), (Offsets{2, 1, 0, 5, 4, 3}));
  EXPECT_EQ(offsets_of(flipped(plain, {0, 1})), (Offsets{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(moved_dims({0, 1}, {-1, 0}, 3), Shape({1, 2, 0}));
  EXPECT_EQ(expanded(Layout::of({3}, kFloat32), {2, -1}).shape, Shape({2, 3}));
}

TEST(Views, RefuseWhatDoesNotFit) {
  const Layout plain = Layout::of({2, 3}, kFloat32);
  EXPECT_THROW(transposed(plain, 0, 2), std::out_of_range);
  EXPECT_THROW(transposed(plain, -3, 0), std::out_of_range);
  EXPECT_THROW(permuted(plain, {0}), std::invalid_argument);
  EXPECT_THROW(permuted(plain, {0, 0}), std::invalid_argument);
  EXPECT_THROW(sliced(plain, 0, 0, 1, 0), std::invalid_argument);
  EXPECT_THROW(sliced(plain, 0, 0, 1, -1), std::invalid_argument);
  EXPECT_THROW(selected(plain, 0, 2), std::out_of_range);
  EXPECT_THROW(selected(plain, 0, -3), std::out_of_range);
  EXPECT_THROW(narrowed(plain, 0, 1, 2), std::exception);
  EXPECT_THROW(narrowed(plain, 0, 0, -1), std::exception);
  EXPECT_THROW(expanded(plain, {3, 3}), std::invalid_argument);
  EXPECT_THROW(expanded(plain, {3}), std::invalid_argument);
  EXPECT_THROW(dims_mask("sum", {0, -2}, 2), std::invalid_argument);
  EXPECT_THROW(unsqueezed(plain, 3), std::out_of_range);
  EXPECT_THROW(unsqueezed(Layout::of({1, 1, 1, 1, 1, 1, 1, 1}, kFloat32), 0),
               std::invalid_argument);
  EXPECT_THROW(inferred_shape("view", {-1, -1}, 6), std::invalid_argument);
  EXPECT_THROW(inferred_shape("view", {4, -1}, 6), std::invalid_argument);
  EXPECT_THROW(inferred_shape("view", {0, -1}, 0), std::invalid_argument) << "any size would fit";
  EXPECT_THROW(inferred_shape("view", {5}, 6), std::invalid_argument);
  EXPECT_THROW(inferred_shape("view", {-2, -3}, 6), std::invalid_argument);
  EXPECT_EQ(inferred_shape("view", {2, -1}, 6), Shape({2, 3}));
}

// A reshape that is a view must keep every element; one that is refused must have needed a copy.
TEST(Views, ReshapesKeepTheOrder) {
  std::mt19937 random(2);
  int views = 0, refused = 0;
  const Shape targets[] = {{24}, {2, 12}, {4, 6}, {2, 3, 4}, {3, 8}, {1, 24, 1}, {2, 2, 2, 3}};
  for (int round = 0; round < 2000; ++round) {
    Layout layout = Layout::of({2, 3, 4, 2}, kFloat32);
    layout = sliced(layout, static_cast<int64_t>(random() % 4), 0, 4, 1 + random() % 2);
    if (random() % 2) layout = transposed(layout, random() % 4, random() % 4);
    const Shape& target = targets[random() % std::size(targets)];
    Layout result;
    if (target.numel() != layout.numel()) continue;
    if (!reshaped(layout, target, &result)) {
      ++refused;
      EXPECT_FALSE(layout.contiguous());
      continue;
    }
    ++views;
    EXPECT_EQ(result.shape, target);
    EXPECT_EQ(offsets_of(result), offsets_of(layout));
  }
  EXPECT_GT(views, 100);
  EXPECT_GT(refused, 100);
}

TEST(DTypes, PromoteAsPyTorchDoes) {
  EXPECT_EQ(promote(kFloat32, kFloat64), kFloat64);
  EXPECT_EQ(promote(kBFloat16, kFloat16), kFloat32);
  EXPECT_EQ(promote(kFloat16, kInt64), kFloat16);
  EXPECT_EQ(promote(kInt32, kInt64), kInt64);
  EXPECT_EQ(promote(kBool, kUInt8), kUInt8);
  for (int a = 0; a < kDTypes; ++a)
    for (int b = 0; b < kDTypes; ++b)
      EXPECT_EQ(promote(static_cast<DType>(a), static_cast<DType>(b)),
                promote(static_cast<DType>(b), static_cast<DType>(a)));
}

}  // namespace
}  // namespace levin
