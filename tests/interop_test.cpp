// Memory that a tensor shares with code that knows no tensors.
#include <gtest/gtest.h>
#include <levin/autograd/ops.h>
#include <levin/tensor/factories.h>
#include <levin/tensor/span.h>

#include <functional>

#include "scratch.h"

namespace levin {
namespace {

using Numbers = std::vector<double>;

// As it would be with a device that this machine may not have.
Tensor on_cuda() {
  return make_tensor(Block::wrap(nullptr, 8, {Device::cuda, 0}, nullptr, nullptr),
                     Layout::of({2}, kFloat32));
}

template <class F>
std::string refusal(F call) {
  return error_of<std::invalid_argument>(call);
}

TEST(FromBlob, CallsTheDeleterWithTheLastView) {
  double numbers[] = {1, 2, 3, 4};
  std::vector<void*> freed;
  Tensor row;
  {
    const Tensor blob =
        from_blob(numbers, {2, 2}, kFloat64, [&freed](void* data) { freed.push_back(data); });
    row = blob.select(0, 1);
    EXPECT_EQ(blob.data<double>(), numbers);
  }
  row.fill_(7);
  EXPECT_TRUE(freed.empty());
  row = Tensor();
  EXPECT_EQ(freed, (std::vector<void*>{numbers}));
  EXPECT_EQ(numbers[2], 7);
}

TEST(FromBlob, TakesAnythingThatCanBeCalled) {
  int calls = 0;
  from_blob(&calls, {1}, kInt32,
            std::function<void(void*)>([](void* n) { ++*static_cast<int*>(n); }));
  EXPECT_EQ(calls, 1);
  // A deleter that owns something: it goes with it.
  const auto owned = std::make_shared<std::vector<float>>(3, 1.0f);
  {
    const Tensor x = from_blob(owned->data(), {3}, kFloat32, [owned](void*) {});
    EXPECT_EQ(owned.use_count(), 2);
    EXPECT_EQ(x.sum().item(), 3);
  }
  EXPECT_EQ(owned.use_count(), 1);
  from_blob(std::malloc(4), {1}, kFloat32, std::free);
  from_blob(std::malloc(4), {1}, kFloat32, &std::free).fill_(1);
}

TEST(FromBlob, LeavesTheMemoryToTheCallerWhereItThrows) {
  int calls = 0;
  float number = 0;
  const auto deleter = [&](void*) { ++calls; };
  EXPECT_EQ(refusal([&] { from_blob(nullptr, {2}, kFloat32, deleter); }),
            "from_blob: a null pointer for a tensor of shape [2]");
  EXPECT_EQ(refusal([&] { from_blob(&number, {-1}, kFloat32, deleter); }),
            "a shape of [-1]: sizes must not be negative");
  EXPECT_EQ(calls, 0);
  from_blob(nullptr, {0}, kFloat32, deleter);
  EXPECT_EQ(calls, 1);
}

TEST(Data, EveryMisuseIsNamed) {
  const Tensor x = ones({2, 3});
  const Tensor turned = x.transpose(0, 1);
  for (const bool writes : {true, false}) {
    const auto error = [&](const Tensor& tensor) {
      return refusal([&] {
        if (writes)
          tensor.data<float>();
        else
          tensor.const_data<float>();
      });
    };
    EXPECT_EQ(error(Tensor()),
              "an undefined tensor (one that was made by Tensor()) has no elements");
    EXPECT_EQ(error(ones({2}, kInt64)), "data<float32>: the tensor's element type is int64");
    EXPECT_EQ(error(turned),
              "data: a tensor of shape [3, 2] with gaps or another order: use contiguous()");
    EXPECT_EQ(error(x.narrow(1, 0, 2)),
              "data: a tensor of shape [2, 2] with gaps or another order: use contiguous()");
    EXPECT_EQ(error(on_cuda()), "data: the tensor is on cuda, not on the CPU");
  }
}

// What was refused did not write: a backward that needs the elements still runs.
TEST(Data, ARefusedCallIsNoWrite) {
  const Tensor x = ones({2, 2}).requires_grad_();
  const uint32_t before = x.version();
  EXPECT_THROW(x.data<double>(), std::invalid_argument);
  EXPECT_THROW(as_span<double>(x), std::invalid_argument);
  EXPECT_EQ(x.version(), before);
  x.data<float>();
  EXPECT_EQ(x.version(), before + 1);
}

TEST(Data, BackwardNamesItAsTheLastWriter) {
  const Tensor x = ones({2});
  x.add_(1);
  const Tensor w = ones({2}).requires_grad_();
  const Tensor y = (x * w).sum();
  x.data<float>()[0] = 5;
  const std::string error = error_of<std::logic_error>([&] { y.backward(); });
  EXPECT_NE(error.find("was changed in place by data()"), std::string::npos) << error;
}

TEST(Span, ReadsAndWrites) {
  const Tensor x = zeros({2, 2}, kInt32);
  const uint32_t version = x.version();
  EXPECT_EQ(as_const_span<int32_t>(x).size(), 4u);
  EXPECT_EQ(x.version(), version);
  for (int32_t& number : as_span<int32_t>(x)) number = 3;
  EXPECT_EQ(x.version(), version + 1);
  EXPECT_EQ(x.to_vector<double>(), (Numbers{3, 3, 3, 3}));
  EXPECT_EQ(as_span<int32_t>(x.select(0, 1)).data(), x.const_data<int32_t>() + 2);
  EXPECT_TRUE(as_span<float>(zeros({0, 2})).empty());
  EXPECT_EQ(refusal([&] { as_span<float>(x); }),
            "data<float32>: the tensor's element type is int32");
  EXPECT_THROW(as_const_span<int32_t>(x.t()), std::invalid_argument);
}

TEST(Span, IsCopiedIntoATensor) {
  double numbers[] = {1, 2, 3, 4, 5, 6};
  const Tensor x = from_span(std::span(numbers), {2, 3});
  numbers[0] = 100;
  EXPECT_EQ(x.dtype(), kFloat64);
  EXPECT_EQ(x.to_vector<double>(), (Numbers{1, 2, 3, 4, 5, 6}));
  const bool flags[] = {true, false};
  EXPECT_EQ(from_span(std::span(flags)).dtype(), kBool);
  EXPECT_EQ(from_span(std::span(flags)).shape(), Shape{2});
  EXPECT_EQ(from_span(std::span<const float>()).shape(), Shape{0});
  EXPECT_EQ(refusal([&] { from_span(std::span(numbers), {7}); }),
            "from_span: 6 elements for a tensor of shape [7]");
}

}  // namespace
}  // namespace levin
