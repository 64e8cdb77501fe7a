// GradScaler: steps are skipped where gradients overflow, and the scale follows.
#include <gtest/gtest.h>
#include <levin/levin.h>

#include <cmath>

#include "scratch.h"

namespace levin {
namespace {

struct Scaled {
  Tensor p = tensor({1.f, 2.f}).requires_grad_();
  optim::SGD optimizer{std::vector{p}, {.lr = 0.5}};
  optim::GradScaler scaler{{.init_scale = 8, .growth_interval = 3}};

  // One step whose gradient is `slope`.
  bool step(double slope) {
    optimizer.zero_grad();
    scaler.scale((p * slope).sum()).backward();
    const bool made = scaler.step(optimizer);
    scaler.update();
    return made;
  }
};

TEST(GradScaler, StepsByTheGradientItself) {
  Scaled s;
  EXPECT_TRUE(s.step(2));
  EXPECT_EQ(s.p.to_vector<float>(), (std::vector<float>{0, 1}));
  EXPECT_EQ(s.p.grad().to_vector<float>(), (std::vector<float>{2, 2}));
}

TEST(GradScaler, SkipsAStepThatOverflowsAndHalvesTheScale) {
  for (const double bad : {HUGE_VAL, std::nan("")}) {
    Scaled s;
    EXPECT_FALSE(s.step(bad));
    EXPECT_EQ(s.p.to_vector<float>(), (std::vector<float>{1, 2}));
    EXPECT_EQ(s.scaler.get_scale(), 4);
    EXPECT_TRUE(s.step(1));
  }
}

TEST(GradScaler, DoublesTheScaleAfterAnIntervalWithoutOverflow) {
  Scaled s;
  std::vector<double> scales;
  for (const double slope : {1., 1., 1., 1., HUGE_VAL, 1., 1., 1.}) {
    s.step(slope);
    scales.push_back(s.scaler.get_scale());
  }
  EXPECT_EQ(scales, (std::vector<double>{8, 8, 16, 16, 8, 8, 8, 16}));
}

TEST(GradScaler, GrowsNoFurtherThanFloat32) {
  Scaled s;
  s.scaler = optim::GradScaler({.init_scale = 0x1p127, .growth_interval = 1});
  s.step(0);
  EXPECT_EQ(s.scaler.get_scale(), 0x1p127);
}

TEST(GradScaler, UnscalesOnceForClipping) {
  Scaled s;
  s.scaler.scale((s.p * 3).sum()).backward();
  s.scaler.unscale_(s.optimizer);
  EXPECT_EQ(s.p.grad().to_vector<float>(), (std::vector<float>{3, 3}));
  EXPECT_EQ(error_of<std::logic_error>([&] { s.scaler.unscale_(s.optimizer); }),
            "unscale_() has already been called on this SGD since the last update().");
  EXPECT_TRUE(s.scaler.step(s.optimizer));
  s.scaler.update();
  s.scaler.unscale_(s.optimizer);
}

// One overflow is one of all, but others make their step.
TEST(GradScaler, KnowsSeveralOptimizers) {
  Scaled s;
  const Tensor q = tensor({1.f}).requires_grad_();
  optim::SGD other(std::vector{q}, {.lr = 0.5});
  s.scaler.scale((s.p * INFINITY).sum()).backward();
  s.scaler.scale(q.sum()).backward();
  EXPECT_FALSE(s.scaler.step(s.optimizer));
  EXPECT_TRUE(s.scaler.step(other));
  s.scaler.update();
  EXPECT_EQ(s.scaler.get_scale(), 4);
  EXPECT_EQ(q.item(), 0.5);
}

TEST(GradScaler, KeepsItsState) {
  Scaled s, t;
  for (int i = 0; i < 2; ++i) s.step(1);
  t.scaler.load_state_dict(s.scaler.state_dict());
  s.step(1), t.step(1);
  EXPECT_EQ(t.scaler.get_scale(), 16);
  EXPECT_EQ(t.scaler.state_dict(), s.scaler.state_dict());
  EXPECT_EQ(error_of<std::invalid_argument>([&] {
              t.scaler.load_state_dict({{"scale", 2}});
            }),
            "GradScaler.load_state_dict: 'growth_factor' is missing");
  EXPECT_EQ(t.scaler.get_scale(), 16);
}

TEST(GradScaler, RefusesStepsOutOfOrder) {
  Scaled s;
  EXPECT_EQ(error_of<std::logic_error>([&] { s.scaler.update(); }),
            "GradScaler.update: no step() was made since the last update()");
  s.scaler.scale(s.p.sum()).backward();
  s.scaler.step(s.optimizer);
  EXPECT_EQ(error_of<std::logic_error>([&] { s.scaler.step(s.optimizer); }),
            "step() has already been called since the last update().");
}

TEST(GradScaler, ScalesFloat16InFloat32) {
  const optim::GradScaler scaler;
  const Tensor scaled = scaler.scale(tensor({2.f}).to(kFloat16));
  EXPECT_EQ(scaled.dtype(), kFloat32);
  EXPECT_EQ(scaled.item(), 131072);
}

TEST(GradScaler, RefusesWhatMeansNothing) {
  const auto error = [](optim::GradScalerOptions options) {
    return error_of<std::invalid_argument>([&] { optim::GradScaler scaler(options); });
  };
  EXPECT_EQ(error({.init_scale = 0}), "GradScaler: scale 0: must be above 0");
  EXPECT_EQ(error({.growth_factor = 1}), "GradScaler: growth_factor 1: must be above 1");
  EXPECT_EQ(error({.backoff_factor = 1}), "GradScaler: backoff_factor 1: must lie between 0 and 1");
  EXPECT_EQ(error({.growth_interval = 0}), "GradScaler: growth_interval 0: must be above 0");
}

}  // namespace
}  // namespace levin
