// Indexing: what the table of operations does not show.
#include <gtest/gtest.h>
#include <levin/autograd/ops.h>

#include "recorder.h"

namespace levin {
namespace {

using Numbers = std::vector<int64_t>;

Tensor indices(const Numbers& numbers) { return from_vector(numbers); }
Numbers numbers_of(const Tensor& x) { return x.to_vector<int64_t>(); }

// `x[0] = y` would only change a handle that nobody has.
static_assert(!std::is_assignable_v<Tensor, Tensor> && !std::is_assignable_v<Tensor, Tensor&>);
static_assert(std::is_copy_assignable_v<Tensor> && std::is_nothrow_move_assignable_v<Tensor>);

TEST(Indexing, BasicIndicesGiveViews) {
  const Tensor x = zeros({4, 3});
  x[{Slice(1, None, 2), -1}].fill_(1);
  x[0].fill_(2);
  x[{Ellipsis, None, Slice(0, 1)}].add_(3);
  EXPECT_EQ(numbers_of(x), Numbers({5, 2, 2, 3, 0, 1, 3, 0, 0, 3, 0, 1}));
  x[indices({0, 1})].fill_(9);
  EXPECT_EQ(numbers_of(x[0]), Numbers({5, 2, 2})) << "what a tensor picks is a copy";
}

TEST(Indexing, EveryWayToWriteOneIndex) {
  const Tensor x = arange(6).view({2, 3});
  EXPECT_EQ(numbers_of(x[None]), numbers_of(x));
  EXPECT_EQ(x[None].shape(), Shape({1, 2, 3}));
  EXPECT_EQ(x[Ellipsis].shape(), Shape({2, 3}));
  EXPECT_EQ(numbers_of(x[{}]), Numbers({0, 1, 2})) << "C++ takes the braces for 0";
  EXPECT_EQ(numbers_of(x[Indices{}]), numbers_of(x));
  EXPECT_EQ(numbers_of(x[Slice(1)]), Numbers({3, 4, 5}));
  EXPECT_EQ(numbers_of(x[Slice(None, 1)]), Numbers({0, 1, 2}));
  EXPECT_EQ(numbers_of(x[{1, 2}]), Numbers({5}));
  EXPECT_EQ(numbers_of(x[x > 3]), Numbers({4, 5}));
  EXPECT_EQ(numbers_of(x[Slice(INT64_MIN, INT64_MAX, INT64_MAX)]), Numbers({0, 1, 2}));
}

TEST(Indexing, WritingReachesTheMemoryBehindAnyLayout) {
  const Tensor x = zeros({2, 3, 2}, kInt64);
  const Tensor turned = x.permute({2, 1, 0})[{Slice(), Slice(1)}];  // [2, 2, 2]
  turned.index_put_({indices({0, 1}), Slice(), indices({1, 0})}, indices({7, 8}));
  // x[j][1 + k][i] = turned[i][k][j]
  EXPECT_EQ(numbers_of(x), Numbers({0, 0, 0, 7, 0, 8, 0, 0, 7, 0, 8, 0}));
}

TEST(Indexing, ValuesOfTheSameMemoryAreReadFirst) {
  const Tensor x = arange(5);
  x.index_put_(Slice(1), x[Slice(0, -1)]);
  EXPECT_EQ(numbers_of(x), Numbers({0, 0, 1, 2, 3}));
  x.index_put_(x, x + 10);
  EXPECT_EQ(numbers_of(x), Numbers({10, 11, 12, 13, 3}));
}

TEST(Indexing, ARefusedIndexWritesNothing) {
  const Tensor x = zeros({2}), wrong = indices({0, 2}), values = ones({2});
  EXPECT_THROW(x.scatter_(0, wrong, values), std::out_of_range);
  EXPECT_THROW(x.scatter_add_(0, wrong, values), std::out_of_range);
  EXPECT_THROW(x.index_put_(wrong, values), std::out_of_range);
  EXPECT_THROW(x.index_put_(0, values), std::invalid_argument);
  EXPECT_EQ(x.version(), 0u);
  EXPECT_EQ(numbers_of(x), Numbers({0, 0}));
}

TEST(Indexing, AnOverwrittenValueGetsNoGradient) {
  const Tensor x = zeros({2}).requires_grad_(), v = ones({3}).requires_grad_();
  x.index_put(indices({0, 1, -2}), v).sum().backward();
  EXPECT_EQ(numbers_of(v.grad()), Numbers({0, 1, 1}));
  EXPECT_EQ(numbers_of(x.grad()), Numbers({0, 0}));
}

TEST(Indexing, PartsOfANonLeafCanBeWrittenWithHistory) {
  const Tensor x = ones({3}).requires_grad_(), v = ones({}).requires_grad_();
  const Tensor y = x * 2;
  y.index_put_(Slice(1), v * 5).index_put_(0, 4, true);
  (y * y).sum().backward();
  EXPECT_EQ(numbers_of(y), Numbers({6, 5, 5}));
  EXPECT_EQ(numbers_of(x.grad()), Numbers({24, 0, 0}));
  EXPECT_EQ(numbers_of(v.grad()), Numbers({100}));
}

TEST(Indexing, PaddingHasValueButNoGradient) {
  for (const int64_t padding : {1, -2}) {
    const Tensor weight = ones({3, 2}).requires_grad_();
    const Tensor y = embedding(indices({0, 1, 1, 2, 0}), weight, padding);
    EXPECT_EQ(y.sum().item(), 10);
    y.sum().backward();
    EXPECT_EQ(numbers_of(weight.grad()), Numbers({2, 2, 0, 0, 1, 1}));
  }
}

TEST(Indexing, IndexTensorsMayChangeAfterwards) {
  const Tensor x = arange(3).to(kFloat32).requires_grad_(), index = indices({-1, -1});
  const Tensor y = x[index];
  index.zero_();
  y.sum().backward();
  EXPECT_EQ(numbers_of(x.grad()), Numbers({0, 0, 2}));
}

TEST(Indexing, AStepThatIndexesCanBeReplayed) {
  const Tensor x = arange(12).to(kFloat32).view({4, 3}).requires_grad_();
  const Tensor rows = indices({0, -1}), columns = indices({1, 1}), v = ones({2}).requires_grad_();
  const auto step = [&] {
    const Tensor y =
        x.index_put({rows, columns}, v)[{rows, columns}] + x.gather(0, rows.abs()[None]);
    return embedding(rows.abs(), x, 0).sum() + y.sum();
  };
  StepRecorder recorder;
  Tensor loss;
  {
    const BackendOverride here(&recorder);
    loss = step();
    loss.backward();
  }
  EXPECT_EQ(recorder.obstacle(), "");
  {
    const NoGrad no_grad;
    rows.copy_(indices({-2, 1}));
    x.add_(1);
  }
  recorder.repeat();
  EXPECT_EQ(loss.item(), step().item());
}

}  // namespace
}  // namespace levin
