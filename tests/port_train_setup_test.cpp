// LME's test/integration/test_i_train_setup.py. (Its tests of schedulers stand beside the
// callbacks' tests.)
#include "port.h"

namespace levin::port {
namespace {

TEST(PortTrainSetup, test_all_are_none) {
  const Scratch folder;
  LME model(small_model());
  model.model_algorithm = algorithm;
  EXPECT_EQ(model.metrics.size(), 0);
  EXPECT_FALSE(static_cast<bool>(model.criterion_fn));
  EXPECT_EQ(error_of<std::logic_error>([&] { model.criterion_fn(randn({1}), randn({1})); }),
            "No criterion fn was implemented. Use model.criterion_fn=XXX or a different "
            "model.model_algorithm that includes a loss function");
  EXPECT_FALSE(static_cast<bool>(model.optimizer));
  EXPECT_FALSE(static_cast<bool>(model.scheduler));
  EXPECT_THROW(Trainer(options(folder, 1)).fit(model, random_data(2, 1, 10)),
               std::invalid_argument);
}

TEST(PortTrainSetup, test_train_setup_minimal) {
  const Scratch folder;
  Trainer(options(folder, 1)).fit(*ready_model(), random_data(2, 1, 10));
}

TEST(PortTrainSetup, test_train_setup_metrics_good_accuracy) {
  const Scratch folder;
  LME model(nn::Sequential(nn::Linear(2, 3), nn::Linear(3, 5), nn::ReLU()));
  model.model_algorithm = algorithm;
  model.criterion_fn = squared_error;
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01});
  model.metrics = {{"accuracy",
                    {[](const Tensor& y, const Tensor& gt) {
                       const Tensor right = (y.argmax(-1) == gt.argmax(-1)).to(kFloat32);
                       return (gt * right.unsqueeze(-1)).sum(0);  // of each class
                     },
                     "max"}}};
  EXPECT_TRUE(model.metadata_callback()->metadata().is_null());
  const Tensor gt = one_hot(randint(0, 5, {10}), 5).to(kFloat32);
  Trainer(options(folder, 7)).fit(model, data::DataLoader(data::TensorDataset(randn({10, 2}), gt)));
  ASSERT_EQ(epochs_of(model, "accuracy").size(), 7u);
  const Value& epochs = model.metadata_callback()->metadata().at("epoch_metrics").at("accuracy");
  for (const auto& [epoch, value] : epochs.as_map()) EXPECT_EQ(value.size(), 5u);
}

void fit_with(const char* name, MetricFunction metric) {
  const Scratch folder;
  const auto model = ready_model();
  model->metrics = {{name, {std::move(metric), "min"}}};
  Trainer trainer(options(folder, 1));
  trainer.fit(*model, random_data(2, 1, 10));
  EXPECT_TRUE(trainer.callback_metrics().contains(name));
}

TEST(PortTrainSetup, test_train_setup_metrics_l1) { fit_with("l1", absolute_error); }
TEST(PortTrainSetup, test_train_setup_metrics_mse) { fit_with("mse", squared_error); }

}  // namespace
}  // namespace levin::port
