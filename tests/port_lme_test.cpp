// LME's test/unit/test_lme.py.
#include <algorithm>

#include "port.h"

namespace levin::port {
namespace {

std::vector<Tensor> copies(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> result;
  for (const Tensor& tensor : tensors) result.push_back(tensor.detach().clone());
  return result;
}

void expect_all_changed(const std::vector<Tensor>& before, const std::vector<Tensor>& after) {
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_GT((before[i] - after[i].detach()).abs().max().item(), 1e-6) << "parameter " << i;
}

TEST(PortLME, test_constructor_1) { EXPECT_EQ(LME(small_model()).num_params(), 13); }

TEST(PortLME, test_constructor_2) {
  static_assert(!std::is_constructible_v<LME, LME>);
  struct Nested : LME {
    Nested() : LME(small_model()) {}
    Nested(const Nested&) : Nested() {}
  };
  const std::string error =
      error_of<std::invalid_argument>([] { LME model{nn::AnyModule(Nested())}; });
  EXPECT_NE(error.find("nested"), std::string::npos) << error;
}

TEST(PortLME, test_device_1) { EXPECT_TRUE(LME(small_model()).device() == kCPU); }

TEST(PortLME, test_num_params_1) { EXPECT_EQ(LME(small_model()).num_params(), 13); }

TEST(PortLME, test_num_trainable_params_1) {
  EXPECT_EQ(LME(small_model()).num_trainable_params(), 13);
}

TEST(PortLME, test_num_trainable_params_2) {
  LME model(small_model());
  model.trainable_params(false);
  EXPECT_EQ(model.num_params(), 13);
  EXPECT_EQ(model.num_trainable_params(), 0);
  model.trainable_params(true);
  EXPECT_EQ(model.num_params(), 13);
  EXPECT_EQ(model.num_trainable_params(), 13);
}

TEST(PortLME, test_trainable_params_1) {
  LME model(small_model());
  EXPECT_TRUE(model.is_trainable_model());
  model.trainable_params(false);
  EXPECT_FALSE(model.is_trainable_model());
  model.trainable_params(true);
  EXPECT_TRUE(model.is_trainable_model());
}

TEST(PortLME, test_is_parametric_model_1) {
  struct Square : nn::Module {
    Tensor forward(const Tensor& x) override { return x * x; }
  };
  LME model{Square()};
  EXPECT_FALSE(model.is_parametric_model());
  EXPECT_FALSE(model.is_trainable_model());
  EXPECT_EQ(model.num_params(), 0);
}

TEST(PortLME, test_set_metrics_1) {
  LME model(small_model());
  model.metrics = {{"metric1", {[](auto& y, auto& gt) { return (y - gt).mean(); }, "min"}}};
  EXPECT_EQ(model.metrics.size(), 1);
}

TEST(PortLME, test_set_metrics_before_criterion) {
  LME model(small_model());
  model.criterion_fn = squared_error;
  model.metrics = {{"metric1", {absolute_error, "min"}}};
  EXPECT_EQ(model.metrics.size(), 1);
}

TEST(PortLME, test_set_metrics_after_criterion) {
  LME model(small_model());
  model.metrics = {{"metric1", {absolute_error, "min"}}};
  model.criterion_fn = squared_error;
  EXPECT_EQ(model.metrics.size(), 1);
}

TEST(PortLME, test_set_criterion_1) {
  LME model(small_model());
  model.criterion_fn = squared_error;
  EXPECT_TRUE(static_cast<bool>(model.criterion_fn));
  EXPECT_EQ(model.metrics.size(), 0);
}

TEST(PortLME, test_reset_parameters_1) {
  LME model(small_model());
  const auto before = copies(model.parameters());
  model.reset_parameters();
  expect_all_changed(before, model.parameters());
}

TEST(PortLME, test_reset_parameters_2) {
  nn::AnyModule nested = small_model();
  for (int i = 0; i < 10; ++i) nested = nn::Sequential(std::vector<nn::AnyModule>{nested});
  LME model(nested);
  const auto before = copies(model.parameters());
  model.reset_parameters();
  expect_all_changed(before, model.parameters());
}

TEST(PortLME, test_reset_parameters_3) {
  LME nested(nn::Sequential(nn::Sequential(nn::Linear(2, 3), nn::Linear(3, 1)))),
      bare(nn::Linear(5, 10));
  for (LME* model : {&nested, &bare}) {  // bare: Q4
    const auto before = copies(model->parameters());
    model->reset_parameters();
    expect_all_changed(before, model->parameters());
  }
}

TEST(PortLME, test_model_algorithm_no_trainer_1) {
  LME model(small_model());
  model.metrics = {{"l1", {absolute_error, "min"}}};
  model.criterion_fn = squared_error;
  model.model_algorithm = algorithm;
  const auto output = model.model_algorithm(model, {randn({10, 2}), randn({10, 1})});
  EXPECT_EQ(output->y.tensor().shape(), Shape({10, 1}));
  EXPECT_EQ(output->metrics.size(), 2);
  const Tensor& l1 = output->metrics.find("l1")->tensor();
  const Tensor& loss = output->metrics.find("loss")->tensor();
  EXPECT_FALSE(l1.requires_grad());
  EXPECT_TRUE(loss.requires_grad());
  EXPECT_EQ(l1.dim(), 0);
  EXPECT_EQ(loss.dim(), 0);
}

TEST(PortLME, test_state_dict_no_prefix) {
  for (const auto& [name, tensor] : LME(small_model()).state_dict())
    EXPECT_FALSE(name.starts_with("base_model")) << name;
}

}  // namespace
}  // namespace levin::port
