// LME's test_fit_different_forward_params_1 to 6 and test_i_load_from_checkpoint.
#include "port.h"

namespace levin::port {
namespace {

/// One sample: two numbers by each name, and a target of one.
class Named : public data::Dataset {
 public:
  explicit Named(std::vector<const char*> names) : names_(std::move(names)) {}
  int64_t size() const override { return 10; }
  data::Batch get(int64_t, Generator&) const override {
    if (names_.empty()) return {randn({2}), randn({1})};
    if (names_.size() == 1) return {{names_[0], randn({2})}, {"gt", randn({1})}};
    return {{names_[0], randn({2})}, {names_[1], randn({2})}, {"gt", randn({1})}};
  }

 private:
  std::vector<const char*> names_;
};

struct OneInput : nn::Module {
  nn::Linear layer{2, 1};
  void members(nn::Members& m) override { m("layer", layer); }
  std::vector<std::string> input_names() const override { return {"x"}; }
  Tensor forward(const Tensor& x) override { return layer(x); }
};

struct TwoInputs : OneInput {
  std::vector<std::string> input_names() const override { return {"x", "y"}; }
  Tensor forward_inputs(const std::vector<Tensor>& inputs) override {
    return layer(inputs[0] + inputs[1]);
  }
};

// The inputs are everything but "gt"; a pair's first tensor.
AlgorithmOutput with_named_inputs(LME& model, const data::Batch& batch) {
  Tensor y, gt;
  if (!batch.has_names()) {
    gt = batch[1];
    y = model(data::Batch(batch[0]));
  } else {
    gt = batch["gt"];
    data::Batch inputs = batch.size() == 2 ? data::Batch{{batch.names()[0].c_str(), batch[0]}}
                                           : data::Batch{{batch.names()[0].c_str(), batch[0]},
                                                         {batch.names()[1].c_str(), batch[1]}};
    y = model(inputs);
  }
  return {y, model.lme_metrics(y, gt), {}, gt};
}

void fit(nn::AnyModule base, std::vector<const char*> names) {
  const Scratch folder;
  LME model(std::move(base));
  model.model_algorithm = with_named_inputs;
  model.criterion_fn = squared_error;
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01});
  Trainer(options(folder, 1)).fit(model, data::DataLoader(Named(std::move(names))));
}

TEST(PortFit, test_fit_different_forward_params_1) { fit(small_model(), {"input"}); }

TEST(PortFit, test_fit_different_forward_params_2) { fit(OneInput(), {"x"}); }

TEST(PortFit, test_fit_different_forward_params_3) {
  const std::string error = error_of<std::invalid_argument>([] { fit(OneInput(), {"blabla"}); });
  EXPECT_NE(error.find("unexpected input 'blabla'"), std::string::npos) << error;
}

TEST(PortFit, test_fit_different_forward_params_4) {
  EXPECT_THROW(fit(TwoInputs(), {"blabla"}), std::invalid_argument);
}

TEST(PortFit, test_fit_different_forward_params_5) {
  const std::string error = error_of<std::invalid_argument>([] { fit(TwoInputs(), {}); });
  EXPECT_NE(error.find("['x', 'y']"), std::string::npos) << error;
}

TEST(PortFit, test_fit_different_forward_params_6) { fit(TwoInputs(), {"x", "y"}); }

TEST(PortFit, test_i_load_from_checkpoint) {
  const Scratch folder;
  const auto make = [](bool with_optimizer) {
    auto model = std::make_unique<LME>(small_model());
    model->model_algorithm = algorithm;
    model->criterion_fn = squared_error;
    if (!with_optimizer) return model;
    model->optimizer = optim::SGD(model->parameters(), {.lr = 0.1});
    model->scheduler = {
        .scheduler = optim::ReduceLROnPlateau(model->optimizer, {.factor = 0.9, .patience = 5}),
        .monitor = "loss"};
    return model;
  };
  const auto model = make(true);
  EXPECT_EQ(error_of<std::invalid_argument>([&] {
              model->checkpoint_monitors = {"loss", "some_metric"};
            }),
            "Not in metrics: {'some_metric'} (metrics: [])");
  model->metrics = {{"some_metric", {absolute_error, "min"}}};
  model->checkpoint_monitors = {"loss", "some_metric"};
  model->hparams["hello"] = "world";
  Trainer(options(folder, 3)).fit(*model, random_data(2, 1, 10));
  const std::string last = model->checkpoint_callbacks().back()->last_model_path();

  const auto second = make(true), third = make(false);
  second->load_from_checkpoint(last);
  third->load_from_checkpoint(last);
  for (LME* loaded : {second.get(), third.get()}) {
    EXPECT_EQ(loaded->hparams.at("hello").as_text(), "world");
    for (std::size_t i = 0; i < loaded->parameters().size(); ++i)
      EXPECT_TRUE((loaded->parameters()[i] == model->parameters()[i]).all().item<bool>());
  }
  EXPECT_EQ(second->optimizer->state_dict().numbers, model->optimizer->state_dict().numbers);
  EXPECT_EQ(second->scheduler->state_dict(), model->scheduler->state_dict());
  EXPECT_FALSE(static_cast<bool>(third->optimizer));
  EXPECT_FALSE(static_cast<bool>(third->scheduler));
}

}  // namespace
}  // namespace levin::port
