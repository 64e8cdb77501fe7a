// LME's test/unit/callbacks/*, and those of its integration tests that need schedulers or plots.
#include <levin/train/files/text.h>

#include "port.h"

namespace levin::port {
namespace {

bool is_metadata(const AnyCallback& callback) {
  return dynamic_cast<const MetadataCallback*>(callback.get()) != nullptr;
}

TEST(PortCallbacks, test_callbacks_good_1) {
  LME model(small_model());
  ASSERT_EQ(model.configure_callbacks().size(), 1u);
  EXPECT_TRUE(is_metadata(model.configure_callbacks()[0]));
}

TEST(PortCallbacks, test_callbacks_good_2) {
  LME model(small_model());
  model.callbacks = {PlotMetrics()};
  ASSERT_EQ(model.configure_callbacks().size(), 2u);
  EXPECT_TRUE(is_metadata(model.configure_callbacks()[0]));
}

TEST(PortCallbacks, test_callbacks_good_3) {
  LME model(small_model());
  model.callbacks += PlotMetrics();
  ASSERT_EQ(model.configure_callbacks().size(), 2u);
  EXPECT_TRUE(is_metadata(model.configure_callbacks()[0]));
  EXPECT_FALSE(is_metadata(model.configure_callbacks()[1]));
}

TEST(PortCallbacks, test_callbacks_bad_1) {
  LME model(small_model());
  EXPECT_THROW((model.callbacks = {PlotMetrics(), MetadataCallback()}), std::invalid_argument);
}

TEST(PortCallbacks, test_callbacks_model_ckpts) {
  LME model(small_model());
  model.metrics = {{"l1", {absolute_error, "min"}}, {"l2", {squared_error, "min"}}};
  Trainer trainer({.logger = false});
  trainer.attach(model);
  const std::vector<AnyCallback> callbacks = model.configure_callbacks();
  ASSERT_EQ(callbacks.size(), 3u);
  EXPECT_EQ(dynamic_cast<const ModelCheckpoint&>(*callbacks.back()).options().monitor, "loss");
}

TEST(PortMetadataUnit, test_MetadataCallback_save_and_load_equallity) {
  MetadataCallback saved, loaded;
  saved.load_state_dict(from_json(R"({"epoch_metrics": {"loss": {"0": [1.2], "1": [5.55]}}})", ""));
  loaded.load_state_dict(from_json(to_json(saved.state_dict(), -1, NonFinite::text), ""));
  EXPECT_EQ(loaded.metadata(), saved.metadata());
  // Keys stay in the order of epochs (they are text in every JSON).
  saved.log_epoch_metric("loss", 2, tensor({3.0}));
  loaded.log_epoch_metric("loss", 2, tensor({3.0}));
  EXPECT_EQ(loaded.metadata(), saved.metadata());
  EXPECT_EQ(loaded.metadata().at("epoch_metrics").at("loss").as_map()[2].first, "2");
  EXPECT_THROW(loaded.log_epoch_metric("loss", 0, tensor({3.0})), std::invalid_argument);
}

TEST(PortFit, test_fit_with_ReduceLROnPlateau_scheduler) {
  const Scratch folder;
  const auto model = ready_model();
  model->scheduler = {
      .scheduler = optim::ReduceLROnPlateau(model->optimizer, {.factor = 0.9, .patience = 5}),
      .monitor = "loss"};
  Trainer(options(folder, 3)).fit(*model, random_data(2, 1, 10));
  EXPECT_EQ(model->scheduler->last_epoch(), 2);
}

TEST(PortFit, test_fit_with_DeltaLR_scheduler) {
  const Scratch folder;
  const auto model = ready_model();
  model->scheduler = {
      .scheduler = optim::MinMaxLR(
          model->optimizer, {.min_lr = 0.001, .max_lr = 0.5, .n_steps = 2, .warmup_steps = 2}),
      .monitor = "loss"};
  Trainer(options(folder, 10)).fit(*model, random_data(2, 1, 10));
  EXPECT_EQ(model->metadata_callback()->metadata().at("optimizer").at("lr_history"),
            Value(Value::List{0.01, 0.01, 0.0055, 0.001, 0.0055, 0.01, 0.255, 0.5, 0.255, 0.01}));
}

class PortFitPlots : public testing::TestWithParam<const char*> {};

TEST_P(PortFitPlots, test_fit_with_PlotCallbacks) {
  const Scratch folder;
  const auto model = ready_model();
  std::vector<int64_t> epochs;
  model->callbacks = {PlotMetrics(), PlotCallbackGeneric(
                                         [&](LME& model, const data::Batch&, const AlgorithmOutput&,
                                             const std::string&) {
                                           epochs.push_back(model.trainer().current_epoch());
                                         },
                                         GetParam())};
  Trainer(options(folder, 3, 0)).fit(*model, random_data(2, 1, 10));
  EXPECT_EQ(epochs, (std::vector<int64_t>{0, 1, 2}));
}
INSTANTIATE_TEST_SUITE_P(Modes, PortFitPlots, testing::Values("first", "random"),
                         [](const auto& info) { return std::string(info.param); });

TEST(PortTrainSetup, test_train_setup_scheduler_bad_2) {
  const Scratch folder;
  const auto model = ready_model();
  model->scheduler = {.scheduler = optim::ReduceLROnPlateau(model->optimizer),
                      .monitor = "val_loss"};
  EXPECT_THROW(Trainer(options(folder, 1)).fit(*model, random_data(2, 1, 10)),
               std::invalid_argument);
}

TEST(PortTrainSetup, test_train_setup_scheduler_good) {
  const Scratch folder;
  const auto model = ready_model();
  model->scheduler = {.scheduler = optim::ReduceLROnPlateau(model->optimizer), .monitor = "loss"};
  Trainer trainer(options(folder, 1));
  trainer.fit(*model, random_data(2, 1, 10));
  EXPECT_EQ(trainer.current_epoch(), 1);
}

}  // namespace
}  // namespace levin::port
