// What a replay may make once, move or leave out: memory that is not what it seems.
#include <gtest/gtest.h>
#include <levin/levin.h>

#include <functional>

namespace levin {
namespace {

// The results of a step, run as it is written and captured, must be equal every time.
void expect_same(const std::function<Tensor(const Tensor&)>& step, const Tensor& x) {
  CapturedStep captured;
  bool replayed = false;
  for (int i = 0; i < 6; ++i) {
    const Tensor now = x + i;
    const std::vector<float> expected = step(now).to_vector<float>();
    EXPECT_EQ(captured.run({now}, [&] { return step(now); }).to_vector<float>(), expected) << i;
    replayed |= captured.has_replayed();
  }
  EXPECT_TRUE(replayed) << captured.why_eager();
}

// Their gradients come in memory of their own, to which an eager step moves them.
TEST(CapturedMemory, LargeGradientsStayForEveryRecording) {
  const Tensor w = rand({65536}).requires_grad_(), data = rand({10, 65536});
  CapturedStep captured;
  int replayed = 0;
  for (int i = 0; i < 12; ++i) {
    const Tensor x = data.slice(0, 0, i % 3 + 1);
    captured.run({x}, [&] {
      w.zero_grad();
      (x * w).sum().backward();
    });
    replayed += captured.has_replayed();
    EXPECT_EQ(w.grad().to_vector<float>(), x.sum({0}).to_vector<float>()) << i;
    if (i % 4 == 3) {  // an eager step between
      w.zero_grad();
      (x * w).sum().backward();
      EXPECT_EQ(w.grad().to_vector<float>(), x.sum({0}).to_vector<float>()) << i;
    }
  }
  EXPECT_GT(replayed, 3);
}

TEST(CapturedMemory, SumsOfNothing) {
  expect_same([](const Tensor& x) { return x.slice(0, 0, 0).sum() + x.sum(); }, rand({7}));
  CapturedStep captured;
  const Tensor x = rand({7});
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(
        std::isnan(captured.run({x}, [&] { return x.slice(0, 0, 0).mean() + x.sum(); }).item()));
}

TEST(CapturedMemory, ConstantsAreMadeOnce) {
  expect_same([](const Tensor& x) { return x * (full({7}, 2) / 3).square(); }, rand({7}));
}

TEST(CapturedMemory, FilledMemoryThatIsWrittenAgainIsNoConstant) {
  const Tensor x = rand({7}), places = arange(0, 7);
  expect_same(
      [](const Tensor& x) {
        const Tensor sum = zeros({7});
        sum.add_(x);
        sum.add_(x);
        return sum * 1;
      },
      x);
  expect_same(
      [](const Tensor& x) {
        const Tensor parts = zeros({14});
        parts.slice(0, 0, 7).copy_(x);
        return parts * 2;
      },
      x);
  expect_same(
      [&](const Tensor& x) {
        const Tensor counts = zeros({7});
        counts.index_put_({places}, x, true);
        return counts * 2;
      },
      x);
  expect_same(
      [](const Tensor& x) {
        const Tensor ones_then_x = ones({7});
        const Tensor before = ones_then_x * 3;
        ones_then_x.copy_(x);
        return before + ones_then_x;
      },
      x);
}

TEST(CapturedMemory, AConstantThatIsReturnedBelongsToTheUser) {
  const Tensor x = rand({3});
  CapturedStep captured;
  for (int i = 0; i < 5; ++i) {
    const Tensor& twos = captured.run({x}, [&] { return full({3}, 2) * 1; });
    EXPECT_EQ(twos.to_vector<float>(), (std::vector<float>{2, 2, 2})) << i;
    twos.zero_();  // each replay writes it anew
  }
  EXPECT_TRUE(captured.has_replayed());
}

}  // namespace
}  // namespace levin
