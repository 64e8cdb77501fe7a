// Runs of the real LME, repeated: reference/lme/<case>.
#include "reference_lme.h"

#include <gtest/gtest.h>
#include <levin/tensor/file.h>
#include <levin/train/files/text.h>

#include "scratch.h"

namespace levin {
namespace {

Value metadata_in(const Trainer& trainer, const std::string& kind = "fit") {
  const std::string path = trainer.log_dir() + "/" + kind + "_metadata.json";
  return from_json(read_whole(path), path);
}

std::string metrics_in(const Trainer& trainer, const std::string& kind = "") {
  return read_whole(trainer.log_dir() + "/" + kind + "metrics.csv");
}

// The training columns of a table, and those with the epoch and step.
Cells train_columns(const Cells& table) {
  Cells kept(table.size());
  for (std::size_t k = 0; k < table[0].size(); ++k)
    for (std::size_t i = 0; i < table.size(); ++i)
      if (!table[0][k].starts_with("val_")) kept[i].push_back(table[i][k]);
  return kept;
}

std::string text_of(const Cells& table) {
  std::string text;
  for (const auto& row : table) {
    for (std::size_t k = 0; k < row.size(); ++k) text += (k ? "," : "") + row[k];
    text += "\r\n";
  }
  return text;
}

// A case's fit, which must agree with LME's in all but its defects.
struct Fit {
  explicit Fit(const std::string& name) : run(name), model(run.model()) {
    model->callbacks += StepLog(&steps);
    trainer = std::make_unique<Trainer>(run.trainer(folder.path()));
    trainer->fit(*model, run.loader("train"), run.loader("val"));
  }
  LmeCase run;
  Scratch folder;
  std::vector<StepLog::Step> steps;
  std::unique_ptr<LME> model;
  std::unique_ptr<Trainer> trainer;

  void expect_same_training() const {
    expect_steps(run, steps);
    expect_weights(run, *model,
                   run.has("weights_after.safetensors") ? "weights_after.safetensors"
                                                        : "expected_fixed_weights.safetensors");
  }
};

class LmeRun : public testing::TestWithParam<const char*> {};

TEST_P(LmeRun, IsReproduced) {
  const Fit fit(GetParam());
  fit.expect_same_training();
  expect_metrics(metrics_in(*fit.trainer), fit.run.csv("expected_fixed.csv"));
  expect_metadata(fit.run, metadata_in(*fit.trainer));
  expect_files(fit.run, fit.trainer->log_dir());
}

INSTANTIATE_TEST_SUITE_P(Reference, LmeRun,
                         testing::Values("adagrad", "adam", "adam_amsgrad", "adamw",
                                         "checkpoint_monitors", "classification", "cosine",
                                         "early_stopping", "mean_iou", "min_max_lr", "momentum_wd",
                                         "nadam", "no_val", "none_batches", "plateau", "rmsprop",
                                         "seed", "seed_no_sanity", "seed_uneven", "step_lr",
                                         "test_predict", "two_optimizers", "vector_metric"),
                         [](const auto& info) { return std::string(info.param); });

// Runs whose validation LME did wrong: only training is compared.
class LmeTraining : public testing::TestWithParam<const char*> {};

TEST_P(LmeTraining, IsReproduced) {
  const Fit fit(GetParam());
  fit.expect_same_training();
  const std::string text = metrics_in(*fit.trainer);
  const Cells rows = csv_of(text), expected = fit.run.csv("metrics.csv");
  EXPECT_EQ(text, text_of(rows));
  EXPECT_EQ(rows[0], expected[0]);
  expect_metrics(text_of(train_columns(rows)), train_columns(expected));
  expect_metadata(fit.run, metadata_in(*fit.trainer));
}

INSTANTIATE_TEST_SUITE_P(Reference, LmeTraining,
                         testing::Values("val_every_2", "val_interval_half"),
                         [](const auto& info) { return std::string(info.param); });

TEST(LmeRuns, resume) {
  Fit first("resume");
  expect_weights(first.run, *first.model, "weights_after_first.safetensors");
  const LmeCase& run = first.run;
  const auto model = run.model();
  for (const Tensor& parameter : model->parameters()) parameter.detach().fill_(9);
  std::vector<StepLog::Step> steps = first.steps;
  model->callbacks += StepLog(&steps);
  TrainerOptions options = run.trainer(first.folder.path());
  options.max_epochs = run.plan().at("then").at("max_epochs").as_integer();
  Trainer trainer(options);
  trainer.fit(*model, run.loader("train"), run.loader("val"),
              {.ckpt_path = first.trainer->log_dir() + "/checkpoints/last.ckpt"});
  expect_steps(run, steps);
  expect_weights(run, *model, "weights_after.safetensors");
  expect_metrics(metrics_in(trainer), run.csv("expected_fixed.csv"));
  expect_metadata(run, metadata_in(trainer));
  expect_files(run, trainer.log_dir(), 3);
}

TEST(LmeRuns, test_predict) {
  const Fit fit("test_predict");
  const LmeCase& run = fit.run;
  Trainer tester(run.trainer(fit.folder.path()));
  const auto results = tester.test(*fit.model, run.loader("test"), {.verbose = false});
  ASSERT_EQ(results.size(), 1);
  Value map = Value::Map();
  for (const auto& [name, value] : results[0]) map[name] = value;
  expect_like(Value::List{map}, run.json("test_results.json"), "results");
  expect_metrics(metrics_in(tester, "test_"), run.csv("test_metrics.csv"));  // Q15

  Value metadata = metadata_in(tester, "test"), expected = run.json("test_metadata.json");
  for (const char* key : {"test_end_timestamp", "test_end_date", "test_duration"})
    EXPECT_TRUE(metadata.erase(key)) << key;  // Q8
  for (const char* key : {"run_command", "test_start_timestamp", "test_start_date"})
    metadata[key] = expected[key];
  expect_like(metadata, expected, "test_metadata");

  Trainer predictor(run.trainer(fit.folder.path()));
  std::vector<Tensor> parts;
  for (const data::Batch& y : predictor.predict(*fit.model, run.loader("test").list()[0]))
    parts.push_back(y.tensor());
  const Tensor expected_y = run.tensors("predictions.safetensors")[0].second;
  EXPECT_EQ(cat(parts).shape(), expected_y.shape());
  EXPECT_LT((cat(parts) - expected_y).abs().max().item(), 1e-5);
}

}  // namespace
}  // namespace levin
