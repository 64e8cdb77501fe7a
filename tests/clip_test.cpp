// Clipping and averaged models: what they do with missing, odd and infinite values.
#include <gtest/gtest.h>

#include <cmath>

#include "optim_cases.h"
#include "recorder.h"
#include "scratch.h"

namespace levin {
namespace {

using optim::AveragedModel;
using Numbers = std::vector<double>;

Tensor with_gradient(const Tensor& gradient) {
  const Tensor p = zeros_like(gradient).requires_grad_();
  p.set_grad(gradient.clone());
  return p;
}

TEST(Clip, NothingWaitsForTheNorm) {
  const Tensors p = {with_gradient(full({4}, 3.0f)), zeros({2}).requires_grad_(),
                     with_gradient(full({2, 2}, 4.0f))};
  StepRecorder recorder;
  Tensor norm;
  {
    const BackendOverride here(&recorder);
    norm = optim::clip_grad_norm_(p, 1);
    optim::clip_grad_value_(p, 10);
  }
  EXPECT_EQ(recorder.obstacle(), "");
  EXPECT_EQ(norm.item(), 10);
  EXPECT_EQ(norm.dim(), 0);
  EXPECT_NEAR(p[0].grad().to_vector<double>()[0], 0.3, 1e-6);
  EXPECT_FALSE(p[1].grad().defined());
}

TEST(Clip, WithoutGradientsTheNormIsZero) {
  EXPECT_EQ(optim::clip_grad_norm_({zeros({2}).requires_grad_()}, 1).item(), 0);
  EXPECT_EQ(optim::clip_grad_norm_({}, 1).item(), 0);
}

TEST(Clip, WhatIsNotFiniteIsPassedOnOrRefused) {
  const Tensors p = {with_gradient(full({2}, NAN)), with_gradient(ones({2}))};
  const std::string error =
      error_of<std::logic_error>([&] { optim::clip_grad_norm_(p, 1, 2, true); });
  EXPECT_TRUE(
      error.starts_with("The total norm of order 2 for gradients from `parameters` is "
                        "non-finite, so it cannot be clipped."))
      << error;
  EXPECT_EQ(p[1].grad().to_vector<double>(), Numbers({1, 1})) << "nothing changed";
  EXPECT_TRUE(std::isnan(optim::clip_grad_norm_(p, 1).item<double>()));
  EXPECT_TRUE(p[1].grad().isnan().all().item<bool>());
  EXPECT_THROW(optim::clip_grad_norm_(p, 1, 0), std::invalid_argument);
}

TEST(Clip, TypesMayDiffer) {
  const Tensors p = {with_gradient(full({1}, 3.0f)), with_gradient(full({1}, 4.0, kFloat64)),
                     with_gradient(zeros({3}, kBFloat16))};
  EXPECT_EQ(optim::clip_grad_norm_(p, 2.5).item<double>(), 5);
  EXPECT_NEAR(p[0].grad().item<double>(), 1.5, 1e-6);
  EXPECT_NEAR(p[1].grad().item<double>(), 2, 1e-6);
  EXPECT_EQ(p[2].grad().dtype(), kBFloat16);
}

TEST(AveragedModel, SwapsValuesAndBack) {
  const Tensor p = ones({2}).requires_grad_();
  AveragedModel average({p}, {.decay = 0.5});
  average.update_parameters();
  {
    const NoGrad no_grad;
    p.fill_(3);
  }
  average.update_parameters();
  const Tensor handle = p;
  average.swap();
  EXPECT_TRUE(average.is_swapped());
  EXPECT_EQ(handle.to_vector<double>(), Numbers({2, 2}));
  EXPECT_THROW(average.update_parameters(), std::logic_error);
  average.swap();
  EXPECT_EQ(handle.to_vector<double>(), Numbers({3, 3}));
  EXPECT_EQ(average.averages()[0].to_vector<double>(), Numbers({2, 2}));
  average.copy_to_parameters();
  EXPECT_EQ(handle.to_vector<double>(), Numbers({2, 2}));
  EXPECT_TRUE(p.requires_grad());
  EXPECT_FALSE(average.averages()[0].requires_grad());
}

TEST(AveragedModel, ARestoredOneGoesOnBitForBit) {
  Generator generator(3);
  const Tensor p = randn({5}, generator).requires_grad_();
  AveragedModel straight({p}), first({p});
  const auto update = [&](std::initializer_list<AveragedModel*> models) {
    const NoGrad no_grad;
    p.copy_(randn({5}, generator));
    for (AveragedModel* model : models) model->update_parameters();
  };
  for (int t = 0; t < 4; ++t) update({&straight, &first});
  AveragedModel resumed({p});
  resumed.load_state_dict(first.state_dict());
  for (int t = 0; t < 4; ++t) update({&straight, &resumed});
  EXPECT_EQ(numbers_of(resumed.averages()), numbers_of(straight.averages()));
  EXPECT_NE(numbers_of(resumed.averages()), numbers_of(first.averages())) << "its own memory";
  optim::OptimizerState state = first.state_dict();
  state.tensors[0].second = ones({4});
  EXPECT_EQ(error_of<std::invalid_argument>([&] { resumed.load_state_dict(state); }),
            "AveragedModel.load_state_dict: averages.0 of shape [4] for a parameter of shape [5]");
  EXPECT_EQ(error_of<std::invalid_argument>([&] { AveragedModel({p}, {.decay = 1.5}); }),
            "AveragedModel: Invalid decay value 1.5 provided. Please provide a value in [0,1] "
            "range.");
}

}  // namespace
}  // namespace levin
