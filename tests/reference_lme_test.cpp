// Runs of the real LME, repeated: reference/lme/<case>.
#include "reference_lme.h"

#include <gtest/gtest.h>
#include <levin/tensor/file.h>
#include <levin/train/files/text.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <regex>
#include <set>

#include "hash.h"
#include "scratch.h"
#include "seed_model.h"
#include "with_isa.h"

namespace levin {
namespace {

Value metadata_in(const Trainer& trainer, const std::string& kind = "fit") {
  const std::string path = trainer.log_dir() + "/" + kind + "_metadata.json";
  return from_json(read_whole(path), path);
}

std::string metrics_in(const Trainer& trainer, const std::string& kind = "") {
  return read_whole(trainer.log_dir() + "/" + kind + "metrics.csv");
}

// A case's fit, which must agree with LME's in all but its defects.
struct Fit {
  explicit Fit(const std::string& name) : run(name), model(run.model()) {
    model->callbacks += StepLog(&steps);
    trainer = std::make_unique<Trainer>(run.trainer(folder.path()));
    trainer->fit(*model, run.loader("train"), run.loader("val"));
    // What SameBitsWithAvx2AndAvx512 reads.
    const std::string metrics = metrics_in(*trainer);
    uint64_t hash = hash_of(metrics.data(), metrics.size());
    for (const auto& [key, tensor] : model->state_dict())
      hash = hash_of(tensor.to_vector<double>(), hash);
    std::cout << "bits " << name << " " << hash << "\n";
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

// Validation in epochs 1, 3 and 5. LME has the sanity check's values in epoch 0 and NaN in 2 and 4:
// here these cells are empty.
TEST(LmeRuns, val_every_2) {
  const Fit fit("val_every_2");
  fit.expect_same_training();
  Cells expected = fit.run.csv("metrics.csv");
  for (const std::size_t epoch : {0, 2, 4})
    for (std::size_t k = 0; k < expected[0].size(); ++k)
      if (expected[0][k].starts_with("val_")) expected[epoch + 1][k].clear();
  expect_metrics(metrics_in(*fit.trainer), expected);
  const Value metadata = metadata_in(*fit.trainer);
  expect_metadata(fit.run, metadata);
  const Value::Map& epochs = metadata.at("epoch_metrics").at("val_loss").as_map();
  ASSERT_EQ(epochs.size(), 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(epochs[i].first, std::to_string(2 * i + 1));
}

// LME has the mean of an epoch's two validations, where only the second one sees all of its training.
TEST(LmeRuns, val_interval_half) {
  const Fit fit("val_interval_half");
  fit.expect_same_training();
  const std::string text = metrics_in(*fit.trainer);
  Cells expected = fit.run.csv("metrics.csv");
  const Cells rows = csv_of(text);
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t i = 1; i < expected.size(); ++i)
    for (std::size_t k = 0; k < expected[0].size(); ++k)
      if (expected[0][k].starts_with("val_")) expected[i][k] = rows[i].at(k);
  expect_metrics(text, expected);
  expect_metadata(fit.run, metadata_in(*fit.trainer));

  Trainer trainer(fit.run.trainer(fit.folder.path()));
  const auto results = trainer.validate(*fit.model, fit.run.loader("val"), {.verbose = false});
  for (std::size_t k = 0; k < rows[0].size(); ++k)
    if (const auto value = results[0].find(rows[0][k])) {
      EXPECT_EQ(rows.back()[k], python_repr(*value)) << rows[0][k];
    }
}

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

// Each run leads to the same weights and metrics whatever the vectors' width.
TEST(LmeRuns, SameBitsWithAvx2AndAvx512) {
  if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq"))
    GTEST_SKIP() << "this processor has no AVX-512";
  const char* runs = "*IsReproduced*:LmeRuns.*-*SameBits*:*multi_trainer*";
  const std::string avx512 = bits_printed_with("avx512", runs),
                    avx2 = bits_printed_with("avx2", runs);
  EXPECT_EQ(std::count(avx2.begin(), avx2.end(), '\n'), 27);
  EXPECT_EQ(avx512, avx2);
}

// What depends on random numbers: the best epochs, and the best run that links lead to.
std::string without_luck(const std::string& line) {
  const std::string best = std::regex_replace(line, std::regex("epoch=.*"), "best.ckpt");
  return std::regex_replace(best, std::regex("-> MultiTrainer/[0-9]"), "-> MultiTrainer/best");
}

// The initial weights are random in LME: only the layout is compared.
TEST(LmeRuns, multi_trainer) {
  namespace fs = std::filesystem;
  const LmeCase run("multi_trainer");
  std::set<std::string> expected, found;
  const std::string root = "lightning_logs/version_0/";
  for (const auto& row : run.csv("tree.txt"))
    expected.insert(
        std::regex_replace(without_luck(row[0]), std::regex("results.npy"), "results.json"));
  for (const std::string file : {"hparams.yaml", "test_metrics.csv"}) {  // Q21, Q15
    for (const char* number : {"0/", "1/", "2/"})
      expected.insert(root + "MultiTrainer/" + number + file);
    expected.insert(root + file + " -> MultiTrainer/best/" + file);
  }

  const Scratch folder;
  const auto model = run.model();
  MultiTrainer multi(run.trainer(folder.path()), 3, {.n_devices = 0});
  multi.fit(*model, normal_loader(100, 5, 10), normal_loader(100, 5, 10, {.batch_size = 10}, 2));
  for (const auto& entry : fs::recursive_directory_iterator(folder / root)) {
    std::string name = fs::relative(entry.path().parent_path(), folder.path()).string() + "/" +
                       entry.path().filename().string();
    if (entry.is_symlink())
      name += " -> " + fs::read_symlink(entry.path()).string();
    else if (entry.is_directory())
      name += "/";
    found.insert(without_luck(name));
  }
  EXPECT_EQ(found, expected);
}

TEST(CaseList, EveryRunOfLmeHasItsTest) {
  std::set<std::string> tests, cases;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int k = 0; k < suite.total_test_count(); ++k) {
      const std::string name = suite.GetTestInfo(k)->name();
      tests.insert(name.substr(name.find('/') + 1));
    }
  }
  for (const auto& entry : std::filesystem::directory_iterator(LEVIN_TEST_DIR "/reference/lme"))
    if (std::filesystem::exists(entry.path() / "case.json")) cases.insert(entry.path().filename());
  for (const std::string& name : cases) EXPECT_TRUE(tests.contains(name)) << name;
  EXPECT_EQ(cases.size(), 27u);
  printf("%zu runs of LME, each repeated\n", cases.size());
}

}  // namespace
}  // namespace levin
