// LME's test/integration/callbacks/test_i_metadata_callback.py.
#include <levin/train/files/text.h>

#include <cmath>

#include "port.h"

namespace levin::port {
namespace {

const Value& metadata_of(const LME& model) { return model.metadata_callback()->metadata(); }

Value read_json(const std::string& path) { return from_json(read_whole(path), path); }

// What a fit of two epochs leaves.
void expect_fit(const Value& metadata) {
  EXPECT_TRUE(metadata.find("model_parameters"));
  EXPECT_EQ(metadata.at("epoch_metrics").at("l1").size(), 2u);
  EXPECT_EQ(metadata.at("epoch_timestamps").size(), 2u);
  EXPECT_TRUE(metadata.at("epoch_average_duration").is_real());
  EXPECT_TRUE(metadata.at("optimizer").at("starting_lr").is_real());
  EXPECT_TRUE(metadata.find("best_model"));
}

TEST(PortMetadata, test_MetadataCallback_train_1) {
  const Scratch folder;
  const auto model = ready_model();
  model->metrics = {{"l1", {absolute_error, "min"}}};
  EXPECT_TRUE(metadata_of(*model).is_null());
  Trainer trainer(options(folder, 2));
  trainer.fit(*model, random_data(2, 1, 10));
  expect_fit(metadata_of(*model));
  expect_fit(read_json(trainer.log_dir() + "/fit_metadata.json"));
}

TEST(PortMetadata, test_MetadataCallback_test_1) {
  const Scratch folder;
  const auto model = ready_model();
  model->metrics = {{"l1", {absolute_error, "min"}}};
  Trainer trainer(options(folder, 1));
  trainer.test(*model, random_data(2, 1, 10), {.verbose = false});
  const Value metadata = read_json(trainer.log_dir() + "/test_metadata.json");
  EXPECT_TRUE(metadata.find("model_parameters"));
  EXPECT_EQ(metadata.at("epoch_metrics").at("l1").size(), 1u);
  for (const char* key : {"optimizer", "best_model", "epoch_timestamps", "epoch_average_duration"})
    EXPECT_FALSE(metadata.find(key)) << key;
}

TEST(PortMetadata, test_MetadataCallback_no_checkpoint) {
  const Scratch folder;
  const auto model = ready_model();
  TrainerOptions without = options(folder, 1);
  without.enable_checkpointing = false;
  for (const TrainerOptions& with : {options(folder, 1), without})
    Trainer(with).fit(*model, random_data(2, 1, 10));
  EXPECT_FALSE(metadata_of(*model).find("best_model"));
}

TEST(PortMetadata, test_MetadataCallback_two_ModelCheckpoints) {
  const Scratch folder;
  const auto model = ready_model();
  model->metrics = {{"l1", {absolute_error, "min"}}};
  model->callbacks = {ModelCheckpoint({.monitor = "loss", .save_last = true, .save_top_k = 1})};
  Trainer(options(folder, 2)).fit(*model, random_data(2, 1, 10));
  expect_fit(metadata_of(*model));
}

TEST(PortMetadata, test_MetadataCallback_two_monitors) {
  const Scratch folder;
  const auto model = ready_model();
  model->metrics = {{"l1", {absolute_error, "min"}}};
  model->checkpoint_monitors = {"loss", "l1"};
  Trainer(options(folder, 2)).fit(*model, random_data(2, 1, 10));
  expect_fit(metadata_of(*model));
  EXPECT_FALSE(metadata_of(*model).find("scheduler"));
  EXPECT_FALSE(metadata_of(*model).find("early_stopping"));
}

TEST(PortMetadata, test_MetadataCallback_scheduler_ReduceLROnPlateau) {
  const Scratch folder;
  const auto model = ready_model();
  model->scheduler = {.scheduler = optim::ReduceLROnPlateau(model->optimizer, {.mode = "min"}),
                      .monitor = "loss"};
  Trainer(options(folder, 2)).fit(*model, random_data(2, 1, 10));
  const Value& scheduler = metadata_of(*model).at("scheduler");
  EXPECT_EQ(scheduler.at("type").as_text(), "ReduceLROnPlateau");
  EXPECT_EQ(scheduler.at("monitor").as_text(), "loss");
  EXPECT_FALSE(metadata_of(*model).find("early_stopping"));
}

// Reduces in every step.
struct CustomScheduler : optim::ReduceLROnPlateau {
  using ReduceLROnPlateau::ReduceLROnPlateau;
  void step(std::optional<double> metric) override {
    EXPECT_TRUE(metric);
    ++last_epoch_;
    reduce_lr();
  }
};

TEST(PortMetadata, test_MetadataCallback_scheduler_CustomScheduler) {
  const Scratch folder;
  const auto model = ready_model();
  model->scheduler = {.scheduler = CustomScheduler(model->optimizer, {.factor = 0.5}),
                      .monitor = "loss"};
  Trainer(options(folder, 3)).fit(*model, random_data(2, 1, 10));
  const Value& best = metadata_of(*model).at("best_model");
  const int64_t epoch = best.at("epoch").as_integer();
  EXPECT_EQ(best.at("scheduler_num_lr_reduced").as_integer(), epoch);
  EXPECT_EQ(best.at("optimizer_lr").as_real(), 0.01 * std::pow(0.5, epoch));
  EXPECT_EQ(metadata_of(*model).at("scheduler").at("type").as_text(), "CustomScheduler");
}

TEST(PortMetadata, test_MetadataCallback_early_stopping) {
  const Scratch folder;
  const auto model = ready_model();
  const EarlyStopping stop({.monitor = "loss", .min_delta = 0.1, .patience = 1, .mode = "min"});
  model->callbacks = {stop};
  Trainer trainer(options(folder, 2));
  trainer.fit(*model, random_data(2, 1, 10));
  const Value expected(
      Value::Map{{"monitor", "loss"}, {"min_delta", -0.1}, {"mode", "min"}, {"patience", 1}});
  EXPECT_EQ(metadata_of(*model).at("early_stopping"), expected);
  // It stands where LME has it.
  const Value file = read_json(trainer.log_dir() + "/fit_metadata.json");
  std::vector<std::string> keys;
  for (const auto& [key, value] : file.as_map()) keys.push_back(key);
  EXPECT_EQ(
      std::vector<std::string>(keys.begin(), keys.begin() + 4),
      (std::vector<std::string>{"run_command", "optimizer", "early_stopping", "model_checkpoint"}));
  // Several are a list, not an error.
  model->callbacks = {stop, EarlyStopping({.monitor = "loss", .mode = "max"})};
  Trainer(options(folder, 1)).fit(*model, random_data(2, 1, 10));
  EXPECT_EQ(metadata_of(*model).at("early_stopping").size(), 2u);
  EXPECT_EQ(metadata_of(*model).at("early_stopping").as_list()[0], expected);
}

TEST(PortMetadata, test_MetadataCallback_metadata_hparams) {
  const Scratch folder;
  const auto model = ready_model();
  const auto data = random_data(2, 1, 10);
  Trainer(options(folder, 2)).fit(*model, data);
  EXPECT_TRUE(metadata_of(*model).at("fit_hparams").is_null());
  const Value hparams(Value::Map{
      {"name", "x"}, {"list", Value::List{1, 2.5, nullptr, "three"}}, {"empty", nullptr}});
  model->hparams["metadata_hparams"] = hparams;
  Trainer fit(options(folder, 5));
  fit.fit(*model, data);
  EXPECT_EQ(metadata_of(*model).at("fit_hparams"), hparams);
  EXPECT_EQ(read_json(fit.log_dir() + "/fit_metadata.json").at("fit_hparams"), hparams);
  Trainer test(options(folder, 1));
  test.test(*model, data, {.verbose = false});
  EXPECT_NE(test.log_dir(), fit.log_dir());
  EXPECT_EQ(read_json(test.log_dir() + "/test_metadata.json").at("test_hparams"), hparams);
}

}  // namespace
}  // namespace levin::port
