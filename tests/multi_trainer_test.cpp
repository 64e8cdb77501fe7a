// MultiTrainer: LME's own tests under their names, what is chosen, written and linked.
#include <gtest/gtest.h>

#include <cmath>

#include "multi_run.h"

namespace levin {
namespace {

using std::invalid_argument;
using std::logic_error;

LME model_3x3() { return LME(nn::Linear(3, 3)); }

TEST(PortMultiTrainer, test_multi_trainer_ctor) {
  const Scratch folder;
  Trainer trainer({.logger = CSVLogger(folder.path())});
  const MultiTrainer multi(trainer, 5);
  EXPECT_EQ(multi.done_so_far(), 0);
  EXPECT_EQ(multi.num_trains(), 5);
  EXPECT_EQ(multi.size(), 5);
  EXPECT_FALSE(multi.done());
}

TEST(PortMultiTrainer, test_multi_trainer_fit) {
  const QuietLog log;
  const Scratch folder;
  LME model = model_3x3();
  make_seed(model);
  const auto train = normal_loader(100, 3, 3), val = normal_loader(100, 3, 3);
  const auto fit = [&](int64_t version, int64_t trains, int64_t done_before) {
    TrainerOptions options = quiet("", 3);
    options.logger = CSVLogger(folder.path(), {.name = "", .version = version});
    Trainer trainer(options);
    MultiTrainer multi(trainer, trains);
    EXPECT_EQ(multi.done_so_far(), done_before);
    multi.fit(model, train, val);
    EXPECT_TRUE(multi.done());
    EXPECT_EQ(multi.done_so_far(), trains);
    Names runs;
    for (const auto& name : entries_of(multi.log_dir() + "/MultiTrainer"))
      if (name != "fit_metrics.csv") runs.insert(name);
    EXPECT_EQ(static_cast<int64_t>(runs.size()), trains);
  };
  fit(0, 3, 0);
  fit(0, 5, 3);
  fit(0, 5, 5);
  fit(1, 5, 0);
}

void expect_five_without_validation(const std::string& folder, int64_t n_devices) {
  const QuietLog log("no validation loader");
  LME model = model_3x3();
  make_seed(model);
  Trainer trainer(in_folder(folder));
  MultiTrainer multi(trainer, 5, {.n_devices = n_devices});
  multi.fit(model, normal_loader(100, 3, 3));
  EXPECT_EQ(log.count(), 1);
  for (const char* name : {"checkpoints", "fit_metadata.json"})
    EXPECT_TRUE(entries_of(folder).contains(name)) << name;
}

TEST(PortMultiTrainer, test_multi_trainer_3) {
  const Scratch folder;
  expect_five_without_validation(folder / "12", 0);
}

TEST(PortMultiTrainer, test_multi_trainer_parallel_cpu) {
  const Scratch folder;
  Trainer trainer(in_folder(folder / "12"));
  const std::string error =
      error_of<invalid_argument>([&] { MultiTrainer(trainer, 5, {.n_devices = 1 << 20}); });
  EXPECT_NE(
      error.find("Expected 1048576, got " + std::to_string(std::thread::hardware_concurrency())),
      std::string::npos)
      << error;
  expect_five_without_validation(folder / "12", -1);
}

// tests/reference/lme's tree, with what LME loses: hparams.yaml (Q21), tests in a file of their own
// (Q15); results are JSON.
TEST(MultiTrainer, LeavesLmesFolders) {
  const QuietLog log("is not empty");
  const Scratch folder;
  LME model(nn::Sequential(nn::Linear(3, 6), nn::Tanh(), nn::Linear(6, 3)));
  make_noisy(model);
  MultiTrainer multi(in_folder(folder / "version_0"), 3, {.n_devices = 0});
  multi.fit(model, train_data(), val_data());
  EXPECT_EQ(log.count(), 0);
  const std::string dir = multi.log_dir();
  EXPECT_EQ(entries_of(dir + "/MultiTrainer"), (Names{"0", "1", "2", "fit_metrics.csv"}));
  const Names linked = {"checkpoints", "fit_metadata.json",  "hparams.yaml",
                        "metrics.csv", "test_metadata.json", "test_metrics.csv"};
  for (int run = 0; run < 3; ++run) {
    Names names = entries_of(dir + "/MultiTrainer/" + std::to_string(run));
    EXPECT_EQ(names.erase("results.json"), 1u);
    EXPECT_EQ(names, linked);
    const Names files = entries_of(dir + "/MultiTrainer/" + std::to_string(run) + "/checkpoints");
    EXPECT_EQ(files.size(), 2u);
    EXPECT_TRUE(files.contains("last.ckpt"));
  }
  Names all = linked;
  all.insert("MultiTrainer");
  EXPECT_EQ(entries_of(dir), all);
  for (const std::string& name : linked)
    EXPECT_EQ(fs::read_symlink(dir + "/" + name).string(),
              "MultiTrainer/" + std::to_string(multi.best_id()) + "/" + name);
  EXPECT_TRUE(fs::equivalent(
      multi.best_model_path(),
      dir + "/checkpoints/" + fs::path(multi.best_model_path()).filename().string()));
}

// The longer it trains, the worse the validation: the first epoch is the best.
TEST(MultiTrainer, ResultsAreThoseOfTheBestCheckpoints) {
  const QuietLog log;
  const Scratch folder;
  LME model = model_3x3();
  make_seed(model, 0.1);
  const Tensor x = randn({20, 3});
  const data::DataLoader train(data::TensorDataset(x, 3 * x), {.batch_size = 10});
  const data::DataLoader val(data::TensorDataset(x, -3 * x), {.batch_size = 10});
  MultiTrainer multi(in_folder(folder / "runs"), 3);
  multi.fit(model, train, val);
  EXPECT_EQ(multi.metrics(), (std::vector<std::string>{"loss", "l1", "accuracy_like"}));
  const auto results = multi.fit_metrics();
  int64_t best = 0;
  for (int64_t i = 1; i < 3; ++i)
    if (results[i]["loss"] < results[best]["loss"]) best = i;
  EXPECT_EQ(multi.best_id(), best);
  EXPECT_TRUE(fs::path(multi.best_model_path()).filename().string().starts_with("epoch=0-"));
  const auto tested = multi.test(model, val, {.ckpt_path = "best", .verbose = false});
  EXPECT_EQ(tested[0]["loss"], results[best]["loss"]);
  EXPECT_EQ(
      read_whole(multi.log_dir() + "/MultiTrainer/" + std::to_string(best) + "/test_metrics.csv")
          .find("accuracy_like,epoch,l1,loss,step\r\n"),
      0u);
}

TEST(MultiTrainer, EqualBitsForAnyNumberOfDevices) {
  const QuietLog log;
  const Scratch folder;
  LME model(nn::Sequential(nn::Linear(3, 8), nn::Tanh(), nn::Linear(8, 3)));
  make_noisy(model);
  std::vector<std::string> all;
  for (const int64_t devices : {int64_t{0}, int64_t{1}, two_devices()}) {
    const std::string path = folder / ("d" + std::to_string(all.size()));
    manual_seed(all.size() + 100);  // the program's generator changes nothing, nor is it changed
    MultiTrainer multi(in_folder(path), 4, {.n_devices = devices, .seed = 7});
    multi.fit(model, normal_loader(40, 3, 3, {.batch_size = 10, .shuffle = true}), val_data());
    std::string numbers = read_whole(path + "/MultiTrainer/fit_metrics.csv");
    for (int run = 0; run < 4; ++run)
      numbers += numbers_of(path + "/MultiTrainer/" + std::to_string(run));
    all.push_back(numbers);
  }
  EXPECT_EQ(all[0], all[1]);
  EXPECT_EQ(all[0], all[2]);
}

TEST(MultiTrainer, RunsAreThoseOfTheirSeedsWhateverTheirNumber) {
  const QuietLog log;
  const Scratch folder;
  LME model = model_3x3();
  make_noisy(model);
  const std::vector<double> before = parameters_of(model);
  const auto fit = [&](const char* name, int64_t trains, uint64_t seed) {
    MultiTrainer multi(in_folder(folder / name), trains, {.n_devices = 0, .seed = seed});
    multi.fit(model, train_data(), val_data());
    return multi.fit_metrics();
  };
  const auto three = fit("a", 3, 5), two = fit("b", 2, 6);
  EXPECT_EQ(three[1]["loss"], two[0]["loss"]);  // seed 6
  EXPECT_EQ(three[2]["loss"], two[1]["loss"]);
  EXPECT_NE(three[0]["loss"], three[1]["loss"]);
  EXPECT_EQ(parameters_of(model), before);
  const std::string last = "/MultiTrainer/1/checkpoints/last.ckpt";
  const Checkpoint checkpoint = load_checkpoint_file(folder / "a" + last);
  EXPECT_EQ(checkpoint.state.at("random_state").at("seed"), "6");
}

TEST(Defects, Q4_a_bare_linear_starts_anew_in_every_run) {
  const QuietLog log("reset_parameters");
  const Scratch folder;
  LME model = model_3x3();
  make_seed(model, 0);
  MultiTrainer multi(in_folder(folder / "runs", 1), 3, {.n_devices = 0});
  multi.fit(model, train_data(), val_data());
  const auto results = multi.fit_metrics();
  EXPECT_NE(results[0]["loss"], results[1]["loss"]);
  EXPECT_NE(results[1]["loss"], results[2]["loss"]);
  EXPECT_EQ(log.count(), 0);
}

// A module that keeps its parameters starts all runs alike: somebody should say so.
TEST(MultiTrainer, SaysWhereNothingIsReset) {
  struct Scale : nn::Module {
    Tensor scale = ones({3}).requires_grad_();
    void members(nn::Members& m) override { m("scale", scale); }
    Tensor forward(const Tensor& x) override { return x * scale; }
  };
  const QuietLog log("reset_parameters");
  const Scratch folder;
  LME model{Scale()};
  make_seed(model);
  MultiTrainer multi(in_folder(folder / "runs", 1), 2);
  multi.fit(model, train_data(), val_data());
  EXPECT_EQ(log.count(), 1);
}

// Metrics by script: run i has the value scores[i].
struct Scripted {
  std::vector<double> scores;
  const char* mode = "max";
  std::string csv = {};
  int64_t fit(const std::string& folder) {
    LME model = model_3x3();
    make_seed(model, 0);
    model.metrics = {{"score",
                      {[scores = scores](auto&, auto&) {
                         return MetricResult(scores.at(default_generator().seed()));
                       },
                       mode}}};
    MultiTrainer multi(in_folder(folder, 1), static_cast<int64_t>(scores.size()),
                       {.relevant_metric = "score"});
    multi.fit(model, train_data(), val_data());
    csv = read_whole(folder + "/MultiTrainer/fit_metrics.csv");
    return multi.best_id();
  }
};

TEST(Defects, Q27_the_best_is_chosen_by_the_metrics_own_direction) {
  const QuietLog log;
  const Scratch folder;
  Scripted largest{.scores = {1, 3, 2}};
  EXPECT_EQ(largest.fit(folder / "max"), 1);
  Scripted smallest{.scores = {2, 3, 1}, .mode = "min"};
  EXPECT_EQ(smallest.fit(folder / "min"), 2);
  const double inf = INFINITY;
  EXPECT_EQ((Scripted{.scores = {NAN, 3, NAN, 4}}.fit(folder / "nan")), 3);
  EXPECT_EQ((Scripted{.scores = {NAN, 3, NAN, 4}, .mode = "min"}.fit(folder / "nan_min")), 1);
  EXPECT_EQ((Scripted{.scores = {inf, -3}}.fit(folder / "inf")), 1);
  EXPECT_EQ(error_of<logic_error>([&] {
              Scripted{.scores = {NAN, NAN}}.fit(folder / "none");
            }),
            "MultiTrainer: no run has a finite 'score'");
  EXPECT_EQ(entries_of(folder / "none"), Names{"MultiTrainer"});
}

TEST(MultiTrainer, TheSummaryHasMeanAndDeviation) {
  const QuietLog log;
  const Scratch folder;
  Scripted runs{.scores = {1, 2, NAN, 6}};
  runs.fit(folder / "runs");
  std::vector<std::string> lines;
  std::istringstream stream(runs.csv);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines[0], "run,loss,score\r");
  EXPECT_EQ(lines[1].substr(0, 2), "0,");
  const auto score = [](const std::string& line) { return line.substr(line.rfind(',')); };
  EXPECT_EQ(score(lines[1]), ",1.0\r");
  EXPECT_EQ(score(lines[3]), ",nan\r");
  EXPECT_EQ(lines[5].substr(0, 5), "mean,");
  EXPECT_EQ(score(lines[5]), ",3.0\r");
  EXPECT_EQ(lines[6].substr(0, 4), "std,");
  EXPECT_EQ(score(lines[6]), ",2.6457513110645907\r");  // sqrt((4 + 1 + 9) / 2)
}

TEST(MultiTrainer, ForeignFilesAndLinksStay) {
  const QuietLog log("no link");
  const Scratch folder;
  const std::string dir = folder / "runs";
  fs::create_directories(dir + "/MultiTrainer/0/checkpoints");
  for (const char* name : {"/metrics.csv", "/notes.txt", "/MultiTrainer/0/mine.txt",
                           "/MultiTrainer/0/checkpoints/mine.ckpt", "/MultiTrainer/0/metrics.csv"})
    write_whole(dir + name, "foreign");
  fs::create_symlink("notes.txt", dir + "/fit_metadata.json");
  Scripted{.scores = {1, 2}}.fit(dir);
  EXPECT_EQ(log.count(), 2);
  for (const char* name :
       {"/metrics.csv", "/notes.txt", "/MultiTrainer/0/mine.txt",
        "/MultiTrainer/0/checkpoints/mine.ckpt", "/MultiTrainer/0/metrics_old1.csv"})
    EXPECT_EQ(read_whole(dir + name), "foreign") << name;
  EXPECT_EQ(fs::read_symlink(dir + "/fit_metadata.json"), "notes.txt");
  EXPECT_EQ(fs::read_symlink(dir + "/checkpoints"), "MultiTrainer/1/checkpoints");

  // A better run takes the links over; what only the old best had is no longer linked.
  write_whole(dir + "/MultiTrainer/1/only_here", "");
  Scripted{.scores = {1, 2}}.fit(dir);
  EXPECT_EQ(fs::read_symlink(dir + "/only_here"), "MultiTrainer/1/only_here");
  Scripted{.scores = {1, 2, 3}}.fit(dir);
  EXPECT_EQ(fs::read_symlink(dir + "/checkpoints"), "MultiTrainer/2/checkpoints");
  EXPECT_FALSE(fs::is_symlink(dir + "/only_here"));
  EXPECT_TRUE(fs::exists(dir + "/MultiTrainer/1/only_here"));
}

TEST(Defects, Q27_all_options_of_the_trainer_hold_in_the_runs) {
  const QuietLog log;
  const Scratch folder;
  LME model = model_3x3();
  make_seed(model);
  TrainerOptions options = in_folder(folder / "runs", 5);
  options.limit_train_batches = 1;
  options.limit_val_batches = 1;
  options.max_steps = 2;
  options.precision = "64-true";
  options.logger = {CSVLogger(folder.path(), {.name = "", .version = "runs"}),
                    JsonLinesLogger(folder.path(), {.name = "", .version = "runs"})};
  options.profiler = SimpleProfiler({.filename = "times"});
  struct Counter : Callback {
    explicit Counter(std::atomic<int>* batches) : batches(batches) {}
    void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                            int64_t) override {
      ++*batches;
      EXPECT_EQ(trainer.options().max_epochs, 5);
    }
    std::atomic<int>* batches;
  };
  std::atomic<int> batches = 0;
  std::vector<int64_t> asked;
  MultiTrainer multi(options, 3, {.callbacks = [&](int64_t run) -> std::vector<AnyCallback> {
                       asked.push_back(run);
                       return {Counter(&batches)};
                     }});
  multi.fit(model, train_data(), val_data());
  EXPECT_EQ(batches, 6);
  EXPECT_EQ(std::set<int64_t>(asked.begin(), asked.end()), (std::set<int64_t>{0, 1, 2}));
  for (int run = 0; run < 3; ++run) {
    const std::string path = folder / ("runs/MultiTrainer/" + std::to_string(run));
    EXPECT_EQ(load_checkpoint_file(path + "/checkpoints/last.ckpt").state.at("precision"),
              "64-true");
    EXPECT_TRUE(fs::exists(path + "/metrics.jsonl"));
    EXPECT_TRUE(fs::exists(path + "/fit-times.txt"));
  }
}

TEST(MultiTrainer, SeveralLoadersAndAFactory) {
  const QuietLog log;
  const Scratch folder;
  LME model = model_3x3();
  make_seed(model);
  MultiTrainer multi(in_folder(folder / "runs", 1), 2);
  multi.fit(model, [] { return train_data(); }, {val_data(), normal_loader(10, 3, 3)});
  EXPECT_EQ(multi.metrics()[0], "loss/dataloader_idx_0");
  const auto results = multi.fit_metrics();
  EXPECT_EQ(multi.best_id(), results[1][multi.metrics()[0]] < results[0][multi.metrics()[0]]);
}

}  // namespace
}  // namespace levin
