// LME::clone(): a model of its own, for runs side by side.
#include <gtest/gtest.h>

#include "multi_run.h"

namespace levin {
namespace {

TEST(LmeClone, HasItsOwnParametersOptimizersAndSchedulers) {
  LME model(nn::Sequential(nn::Linear(3, 4), nn::Linear(4, 3)));
  make_seed(model);
  optim::SGD sgd(model.parameters(), {.lr = 0.5, .momentum = 0.9});
  model.optimizer = sgd;
  model.scheduler = {.scheduler = optim::StepLR(sgd, {.step_size = 1})};
  model.hparams["a"] = 1;
  const std::vector<double> before = parameters_of(model);
  const std::unique_ptr<LME> copy = model.clone();
  EXPECT_EQ(parameters_of(*copy), before);
  EXPECT_EQ(copy->hparams, model.hparams);
  copy->scheduler->step();
  EXPECT_DOUBLE_EQ(copy->optimizer->lr(), 0.05);
  EXPECT_EQ(sgd.lr(), 0.5);
  (*copy)(ones({1, 3})).sum().backward();
  copy->optimizer->step();
  EXPECT_NE(parameters_of(*copy), before);
  EXPECT_EQ(parameters_of(model), before);
  EXPECT_EQ(copy->metrics.list()[1].metric->mode(), std::string("max"));
}

// A handle of one's own to the model's optimizer is the model's optimizer.
TEST(LmeClone, ASchedulerOfAnotherHandleToTheOptimizerTrains) {
  const Scratch folder;
  LME model(nn::Linear(3, 3));
  make_seed(model);
  optim::SGD sgd(model.parameters(), {.lr = 0.5});
  model.optimizer = sgd;
  model.scheduler = {.scheduler = optim::StepLR(sgd, {.step_size = 1})};
  Trainer trainer(in_folder(folder / "run", 2));
  trainer.fit(model, train_data());
  EXPECT_DOUBLE_EQ(sgd.lr(), 0.05);
}

TEST(LmeClone, ASchedulerOfAStrangerIsRefused) {
  LME model(nn::Linear(3, 3)), other(nn::Linear(3, 3));
  make_seed(model);
  make_seed(other);
  model.scheduler = {.scheduler = optim::StepLR(other.optimizer, {.step_size = 1})};
  EXPECT_EQ(error_of<std::invalid_argument>([&] { model.clone(); }),
            "clone: the optimizer of the scheduler StepLR is none of the model's");
}

struct Derived : LME {
  using LME::LME;
  int64_t number = 0;
  std::unique_ptr<LME> clone() const override {
    auto copy = std::make_unique<Derived>(base_model_copy());
    copy->number = number;
    return copied_into(std::move(copy));
  }
};

TEST(LmeClone, ADerivedClassCopiesItself) {
  Derived model(nn::Linear(3, 3));
  make_seed(model);
  model.number = 3;
  const std::unique_ptr<LME> copy = model.clone();
  EXPECT_EQ(dynamic_cast<Derived&>(*copy).number, 3);
  EXPECT_TRUE(copy->optimizer);
  EXPECT_FALSE(copy->parameters()[0].is_same(model.parameters()[0]));

  struct Further : Derived {
    using Derived::Derived;
  };
  struct Plain : LME {
    using LME::LME;
  };
  Plain plain(nn::Linear(3, 3));
  make_seed(plain);
  const std::string needed = ": a class that derives from LME must override clone()";
  EXPECT_NE(error_of<std::logic_error>([&] { plain.clone(); }).find("Plain" + needed),
            std::string::npos);
  Further further(nn::Linear(3, 3));
  EXPECT_NE(error_of<std::logic_error>([&] { further.clone(); }).find("Further" + needed),
            std::string::npos);
  const Scratch folder;
  MultiTrainer multi(in_folder(folder / "runs"), 2);
  EXPECT_NE(error_of<std::logic_error>([&] { multi.fit(plain, train_data()); }).find(needed),
            std::string::npos);
}

}  // namespace
}  // namespace levin
