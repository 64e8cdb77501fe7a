// Schedules: the values of their definitions, state, errors, and what a user may do in between.
#include <gtest/gtest.h>

#include <cmath>

#include "optim_cases.h"
#include "scratch.h"

namespace levin {
namespace {

using namespace optim;
using Numbers = std::vector<double>;

AnyOptimizer sgd(double lr = 0.1) {
  return SGD({zeros({1}).requires_grad_()}, {.lr = lr, .momentum = 0.9});
}

// The rates of epochs 0 .. steps; metric[t] is given to step t.
Numbers rates(const AnyScheduler& scheduler, int steps, const Numbers& metric = {}) {
  Numbers rates = {scheduler->optimizer()->lr()};
  for (int t = 0; t < steps; ++t) {
    metric.empty() ? scheduler->step() : scheduler->step(metric[t]);
    rates.push_back(scheduler->optimizer()->lr());
  }
  return rates;
}

void expect_rates(const AnyScheduler& scheduler, const Numbers& wanted, const Numbers& metric = {},
                  double tolerance = 1e-12) {
  const Numbers got = rates(scheduler, static_cast<int>(wanted.size()) - 1, metric);
  for (std::size_t t = 0; t < wanted.size(); ++t)
    EXPECT_NEAR(got[t], wanted[t], tolerance) << scheduler->type_name() << " at " << t;
}

TEST(Scheduler, FactorsByEpoch) {
  expect_rates(StepLR(sgd(), {.step_size = 2, .gamma = 0.5}),
               {.1, .1, .05, .05, .025, .025, .0125});
  expect_rates(MultiStepLR(sgd(), {.milestones = {2, 5}}), {.1, .1, .01, .01, .01, .001});
  expect_rates(ConstantLR(sgd(), {.factor = .5, .total_iters = 3}), {.05, .05, .05, .1});
  expect_rates(LinearLR(sgd()), {.1 / 3, .14 / 3, .06, .22 / 3, .26 / 3, .1, .1});
  expect_rates(ExponentialLR(sgd(), .9), {.1, .09, .081, .0729, .06561});
  expect_rates(PolynomialLR(sgd()), {.1, .08, .06, .04, .02, 0, 0});
  expect_rates(PolynomialLR(sgd(), {.power = 2}), {.1, .064, .036, .016, .004, 0});
  expect_rates(LambdaLR(sgd(), [](int64_t epoch) { return epoch < 2 ? 1 : .5; }),
               {.1, .1, .05, .05});
  expect_rates(MultiplicativeLR(sgd(), [](int64_t) { return .5; }), {.1, .05, .025});
}

TEST(Scheduler, CosinesAndCycles) {
  expect_rates(CosineAnnealingLR(sgd(), {.T_max = 4}),
               {.1, .0853553, .05, .0146447, 0, .0146447, .05}, {}, 1e-7);
  expect_rates(CosineAnnealingWarmRestarts(sgd(), {.T_0 = 2, .T_mult = 2}),
               {.1, .05, .1, .0853553, .05, .0146447, .1, .096194}, {}, 1e-6);
  const AnyScheduler cycle = OneCycleLR(sgd(), {.max_lr = .1, .total_steps = 10});
  const AnyOptimizer optimizer = cycle->optimizer();
  EXPECT_NEAR(*optimizer->momentum(0), .95, 1e-12);
  expect_rates(cycle,
               {.004, .052, .1, .0950485, .0811746, .0611262, .0388742, .0188258, .0049519, 4e-7},
               {}, 1e-7);
  EXPECT_NEAR(*optimizer->momentum(0), .95, 1e-12);
  cycle->step();
  const std::string error = error_of<std::invalid_argument>([&] { cycle->step(); });
  EXPECT_EQ(error, "Tried to step 11 times. The specified number of total steps is 10");
  EXPECT_EQ(cycle->last_epoch(), 10);
}

TEST(Scheduler, AdamsBeta1IsItsMomentum) {
  const AnyOptimizer adam = Adam({zeros({1}).requires_grad_()});
  const OneCycleLR cycle(adam, {.max_lr = .1, .total_steps = 10});
  EXPECT_NEAR(*adam->momentum(0), .95, 1e-12);
  const CyclicLR cyclic(adam, {.base_lr = .01, .max_lr = .1});
  EXPECT_NEAR(*adam->momentum(0), .9, 1e-12);
  EXPECT_EQ(adam->lr(), .01);
}

TEST(Scheduler, OneAfterAnotherAndTogether) {
  const AnyOptimizer one = sgd(), two = sgd();
  expect_rates(
      SequentialLR(one, {ConstantLR(one, {.factor = .5, .total_iters = 2}), ExponentialLR(one, .9)},
                   {2}),
      {.05, .05, .1, .09, .081});
  expect_rates(
      ChainedScheduler({ConstantLR(two, {.factor = .5, .total_iters = 2}), ExponentialLR(two, .9)}),
      {.05, .045, .081, .0729});
}

TEST(Scheduler, PlateausAsDefined) {
  const Numbers metric = {1, .9, .9, .9, .9, .8, .8, .8};
  expect_rates(ReduceLROnPlateau(sgd(), {.factor = .5, .patience = 1}),
               {.1, .1, .1, .1, .05, .05, .05, .05, .025}, metric);
  expect_rates(ReduceLROnPlateau(sgd(), {.factor = .5, .patience = 1, .cooldown = 2}),
               {.1, .1, .1, .05, .05, .05, .05, .025, .025}, Numbers(8, 1));
  // NaN is never better, whichever way.
  for (const std::string mode : {"min", "max"})
    expect_rates(ReduceLROnPlateau(sgd(), {.mode = mode, .factor = .5, .patience = 0}),
                 {.1, .05, .025}, Numbers(2, NAN));
  const ReduceLROnPlateau plateau(sgd(), {.factor = .25});
  EXPECT_EQ(plateau.factor(), .25);
  EXPECT_TRUE(plateau.needs_metric());
  EXPECT_EQ(StepLR(sgd(), {.step_size = 1}).factor(), std::nullopt);
}

TEST(Scheduler, BurnInOnlyCounts) {
  const AnyScheduler scheduler =
      ReduceLROnPlateauWithBurnIn(sgd(), {.factor = .5, .patience = 0}, 3);
  EXPECT_FALSE(scheduler->needs_metric());
  for (int step = 0; step < 3; ++step) scheduler->step();
  EXPECT_TRUE(scheduler->needs_metric());
  EXPECT_THROW(scheduler->step(), std::invalid_argument);
  EXPECT_EQ(scheduler->last_epoch(), 3);
  expect_rates(ReduceLROnPlateauWithBurnIn(sgd(), {.factor = .5, .patience = 0}, 3),
               {.1, .1, .1, .1, .1, .05, .025, .0125}, Numbers(7, 1));
}

TEST(Scheduler, MinMaxLR) {
  const MinMaxLROptions options{.min_lr = .001, .max_lr = .5, .n_steps = 2, .warmup_steps = 2};
  EXPECT_EQ(rates(MinMaxLR(sgd(.01), options), 9),
            Numbers({.01, .01, .0055, .001, .0055, .01, .255, .5, .255, .01}));
  const Numbers longer = rates(MinMaxLR(sgd(.01), options), 17);
  EXPECT_EQ(Numbers(longer.begin() + 10, longer.end()),
            Numbers(longer.begin() + 2, longer.begin() + 10));
}

TEST(Scheduler, CyclesListLR) {
  EXPECT_EQ(rates(CyclesListLR(sgd(), {{.01, .001, 4}, {.001, .01, 3}}), 8),
            Numbers({.01, .007, .004, .001, .001, .0055, .01, .01, .007}));
}

// Schedules that multiply keep it; those by a formula from the initial rate do not.
TEST(Scheduler, ARateSetByHandPersists) {
  const AnyScheduler step = StepLR(sgd(), {.step_size = 2, .gamma = 0.5});
  const AnyScheduler lambda = LambdaLR(sgd(), [](int64_t) { return 1.0; });
  for (const AnyScheduler& scheduler : {step, lambda}) {
    scheduler->optimizer()->set_lr(0, 0.8);
    scheduler->step(), scheduler->step();
  }
  EXPECT_EQ(step->optimizer()->lr(), 0.4);
  EXPECT_EQ(lambda->optimizer()->lr(), 0.1);
}

TEST(Scheduler, TakesAnOptimizerThatIsUsedOn) {
  SGD optimizer({zeros({1}).requires_grad_()}, {.lr = 1});
  StepLR scheduler(optimizer, {.step_size = 1, .gamma = 0.5});
  scheduler.step();
  EXPECT_EQ(optimizer.lr(), 0.5);
  EXPECT_EQ(optimizer.initial_lr(0), 1);
  EXPECT_TRUE(scheduler.optimizer()->is_same(optimizer));
}

// Every case of the reference, stopped and resumed in another process's stead.
TEST(Scheduler, ARestoredOneGoesOnBitForBit) {
  const Json reference = reference_json("schedulers.json");
  const auto make = [](const Json& one, const Tensors& p) {
    const AnyOptimizer optimizer =
        make_optimizer("SGD", {{"momentum", 0.9}}, p, {{{0}, 0.1}, {{1}, 0.02}});
    return make_scheduler(one["scheduler"], one["options"], optimizer);
  };
  for (const Json& one : reference["cases"]) {
    SCOPED_TRACE(one["id"]);
    const Tensors p = {zeros({1}).requires_grad_(), zeros({1}).requires_grad_()};
    for (const int stop : {0, 1, 8, 29}) {
      const AnyScheduler straight = make(one, p), before = make(one, p);
      const auto run = [&](const AnyScheduler& scheduler, int from, int to) {
        for (int t = from; t < to; ++t) scheduler->step(reference["metric"][t].get<double>());
      };
      run(straight, 0, stop), run(before, 0, stop);
      const AnyScheduler resumed = make(one, p);
      resumed->load_state_dict(before->state_dict());
      resumed->optimizer()->load_state_dict(before->optimizer()->state_dict());
      const AnyScheduler rebound =
          before->rebound(before->optimizer()->rebound([](const Tensor& p) { return p; }));
      for (int t = stop; t < 59; ++t) {
        for (const AnyScheduler& scheduler : {straight, resumed, rebound}) run(scheduler, t, t + 1);
        ASSERT_EQ(rates_of(*resumed->optimizer()), rates_of(*straight->optimizer())) << t;
        ASSERT_EQ(rates_of(*rebound->optimizer()), rates_of(*straight->optimizer())) << t;
        ASSERT_EQ(resumed->optimizer()->momentum(1), straight->optimizer()->momentum(1)) << t;
      }
      EXPECT_EQ(resumed->state_dict(), straight->state_dict());
      EXPECT_EQ(before->last_epoch(), stop) << "the others did not move it";
    }
  }
}

// Options come from the state, too.
TEST(Scheduler, LmesOwnAreRestoredToo) {
  const auto make = [](int kind, bool other) -> AnyScheduler {
    if (kind == 0)
      return MinMaxLR(
          sgd(),
          {.min_lr = .01, .max_lr = other ? .6 : .5, .n_steps = 3, .warmup_steps = other ? 1 : 2});
    if (kind == 1) return CyclesListLR(sgd(), {{.5, other ? .2 : .1, 3}, {.1, .3, 2}});
    return ReduceLROnPlateauWithBurnIn(
        sgd(), {.factor = other ? .9 : .5, .patience = other ? 7 : 0}, other ? 9 : 4);
  };
  for (int kind = 0; kind < 3; ++kind) {
    const AnyScheduler straight = make(kind, false), resumed = make(kind, true);
    for (int t = 0; t < 3; ++t) straight->step(1);
    resumed->load_state_dict(straight->state_dict());
    resumed->optimizer()->load_state_dict(straight->optimizer()->state_dict());
    const AnyScheduler rebound =
        straight->rebound(straight->optimizer()->rebound([](const Tensor& p) { return p; }));
    const Numbers wanted = rates(straight, 12, Numbers(12, 1));
    EXPECT_EQ(rates(resumed, 12, Numbers(12, 1)), wanted);
    EXPECT_EQ(rates(rebound, 12, Numbers(12, 1)), wanted);
    EXPECT_EQ(rebound->type_name(), straight->type_name());
  }
}

TEST(Scheduler, AForeignStateIsRefusedAndChangesNothing) {
  const AnyScheduler step = StepLR(sgd(), {.step_size = 2}), other = ExponentialLR(sgd(), .5);
  SchedulerState state = other->state_dict();
  state[0].second = 9;
  EXPECT_EQ(error_of<std::invalid_argument>([&] { step->load_state_dict(state); }),
            "StepLR.load_state_dict: 'step_size' is missing: the state is of another scheduler");
  state = step->state_dict();
  state[0].second = 9;
  state.emplace_back("base_lrs.1", 1);
  EXPECT_EQ(error_of<std::invalid_argument>([&] { step->load_state_dict(state); }),
            "StepLR.load_state_dict: the state has 6 numbers, this one 5: it is of another "
            "scheduler or number of parameter groups");
  EXPECT_EQ(step->last_epoch(), 0);
}

// A user's own: it always reduces.
struct AlwaysReduces : ReduceLROnPlateau {
  using ReduceLROnPlateau::ReduceLROnPlateau;
  void step(std::optional<double>) override { ++last_epoch_, reduce_lr(); }
};

TEST(Scheduler, OnesOwnReductions) {
  const AnyScheduler scheduler = AlwaysReduces(sgd(), ReduceLROnPlateauOptions{.factor = .5});
  EXPECT_EQ(scheduler->type_name(), "AlwaysReduces");
  EXPECT_EQ(rates(scheduler, 3, {1, .5, .25}), Numbers({.1, .05, .025, .0125}));
  EXPECT_EQ(scheduler->get_last_lr(), Numbers({.0125}));
  EXPECT_EQ(scheduler->factor(), .5);
  EXPECT_EQ(error_of<std::logic_error>([&] { scheduler->rebound(sgd()); }),
            "AlwaysReduces: has no rebound(): it cannot be copied to another optimizer");
}

TEST(Scheduler, RefusesWhatCannotBe) {
  const auto refusal = [](auto make) { return error_of<std::invalid_argument>(make); };
  const std::string at_most = "ReduceLROnPlateau: Factor should be < 1.0.",
                    two = "SequentialLR expects ";
  EXPECT_EQ(refusal([] { ReduceLROnPlateau(sgd(), {.factor = 1}); }), at_most);
  EXPECT_EQ(refusal([] { ReduceLROnPlateau(sgd(), {.mode = "down"}); }),
            "ReduceLROnPlateau: mode down is unknown!");
  EXPECT_EQ(refusal([] {
              ReduceLROnPlateau(sgd(), {.min_lr = {.1, .2}});
            }),
            "expected 1 values for min_lr, got 2");
  EXPECT_EQ(refusal([] { ReduceLROnPlateau(sgd()).step(); }),
            "ReduceLROnPlateau.step: needs the value of the metric that it watches");
  EXPECT_EQ(refusal([] { LinearLR(sgd(), {.start_factor = 0}); }),
            "LinearLR: Starting multiplicative factor expected to be greater than 0 and less or "
            "equal to 1.");
  EXPECT_EQ(refusal([] { LinearLR(sgd(), {.end_factor = 2}); }),
            "LinearLR: Ending multiplicative factor expected to be between 0 and 1.");
  EXPECT_EQ(refusal([] { ConstantLR(sgd(), {.factor = 2}); }),
            "ConstantLR: Constant multiplicative factor expected to be between 0 and 1.");
  EXPECT_EQ(refusal([] { CosineAnnealingWarmRestarts(sgd(), {.T_0 = 0}); }),
            "CosineAnnealingWarmRestarts: Expected positive integer T_0, but got 0");
  EXPECT_EQ(refusal([] { OneCycleLR(sgd(), {.max_lr = 1}); }),
            "OneCycleLR: You must define either total_steps OR (epochs AND steps_per_epoch)");
  EXPECT_EQ(refusal([] { StepLR(AnyOptimizer(), {.step_size = 1}); }),
            "a learning-rate scheduler got an empty optimizer handle");
  const AnyOptimizer adagrad = Adagrad({zeros({1}).requires_grad_()});
  EXPECT_EQ(refusal([&] { CyclicLR(adagrad, {.base_lr = .1, .max_lr = 1}); }),
            "CyclicLR: optimizer must support momentum or beta1 with `cycle_momentum` option "
            "enabled");
  EXPECT_EQ(adagrad->lr(), .01) << "a refusal changes no rate";
  EXPECT_EQ(refusal([] { LambdaLR(sgd(), std::vector<LRFunction>()); }),
            "LambdaLR: Expected 1 lr_lambdas, but got 0");
}

TEST(Scheduler, SequencesRefuseWhatCannotBe) {
  const auto refusal = [](auto make) { return error_of<std::invalid_argument>(make); };
  const AnyOptimizer one = sgd();
  const AnyScheduler step = StepLR(one, {.step_size = 1}),
                     foreign = StepLR(sgd(), {.step_size = 1});
  EXPECT_EQ(refusal([&] {
              SequentialLR(one, {step, step}, {});
            }),
            "Sequential Schedulers expects number of schedulers provided to be one more than the "
            "number of milestone points, but got number of schedulers 2 and the number of "
            "milestones to be equal to 0");
  EXPECT_EQ(refusal([&] {
              SequentialLR(one, {step, ReduceLROnPlateau(one)}, {1});
            }),
            "SequentialLR does not support `ReduceLROnPlateau` scheduler as it requires additional "
            "kwargs to be specified when calling `step`, but got one at index 1 in the given "
            "schedulers sequence.");
  EXPECT_EQ(refusal([&] {
              SequentialLR(one, {step, foreign}, {1});
            }),
            "SequentialLR expects all schedulers to belong to the same optimizer, but got "
            "scheduler StepLR at index 1 of another");
  EXPECT_EQ(refusal([&] { ChainedScheduler({}); }),
            "ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.");
}

TEST(Scheduler, LmesOwnRefuseWhatCannotBe) {
  const auto min_max = [](double lr, MinMaxLROptions options) {
    return error_of<std::invalid_argument>([&] { MinMaxLR(sgd(lr), options); });
  };
  EXPECT_EQ(min_max(.1, {.min_lr = .2, .max_lr = .5, .n_steps = 2}),
            "MinMaxLR: needs 0 < min_lr < learning rate < max_lr < 1, got 0.2, 0.1 and 0.5");
  EXPECT_NE(min_max(.1, {.min_lr = .01, .max_lr = 1, .n_steps = 2}), "");
  EXPECT_NE(min_max(.1, {.min_lr = 0, .max_lr = .5, .n_steps = 2}), "");
  EXPECT_EQ(min_max(.1, {.min_lr = .01, .max_lr = .5, .n_steps = 1}),
            "MinMaxLR: n_steps must be at least 2, got 1");
  EXPECT_THROW(CyclesListLR(sgd(), {}), std::invalid_argument);
  EXPECT_THROW(CyclesListLR(sgd(), {{.1, 1, 2}}), std::invalid_argument);
  EXPECT_THROW(CyclesListLR(sgd(), {{.1, .2, 0}}), std::invalid_argument);
  EXPECT_THROW(ReduceLROnPlateauWithBurnIn(sgd(), {}, 0), std::invalid_argument);
}

}  // namespace
}  // namespace levin
