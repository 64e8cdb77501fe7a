// Defects of LME that levin must not have, by their numbers: those of callbacks and metadata.
#include <levin/train/files/text.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "callback_run.h"
#include "port.h"

namespace levin::port {
namespace {

using Lines = std::vector<std::string>;

const Value& metadata_of(const LME& model) { return model.metadata_callback()->metadata(); }

Value read_json(const std::string& path) { return from_json(read_whole(path), path); }

// Twenty samples, two batches.
data::DataLoader two_batches() { return normal_loader(20, 2, 1, {.batch_size = 10}); }

// A rate that is multiplied by a factor in every step, also above 1.
struct Multiplied : optim::ReduceLROnPlateau {
  Multiplied(optim::AnyOptimizer optimizer, double factor)
      : ReduceLROnPlateau(std::move(optimizer), {.factor = 0.5}) {
    factor_ = factor;
  }
  void step(std::optional<double>) override {
    ++last_epoch_;
    optimizer_->set_lr(0, optimizer_->lr(0) * factor_);
  }
};

TEST(Defects, Q7_ReductionsOfTheRateAreCountedRight) {
  for (const double factor : {0.5, 0.1, 0.9, 2.0, 1.0}) {
    const Scratch folder;
    const auto model = ready_model(1e-3);
    model->scheduler = {.scheduler = Multiplied(model->optimizer, factor), .monitor = "loss"};
    // Each epoch is the best one.
    model->criterion_fn = [&](auto& y, auto&) {
      return y.mean() * 0 - static_cast<double>(model->trainer().current_epoch());
    };
    Trainer(options(folder, 6)).fit(*model, two_batches());
    const Value& best = metadata_of(*model).at("best_model");
    EXPECT_EQ(best.at("epoch").as_integer(), 5);
    EXPECT_EQ(best.at("scheduler_num_lr_reduced").as_integer(), factor == 1 ? 0 : 5) << factor;
  }
}

TEST(Defects, Q8_TheEndOfATestIsKept) {
  const Scratch folder;
  const auto model = ready_model();
  Trainer trainer(options(folder, 1));
  trainer.test(*model, two_batches(), {.verbose = false});
  const Value metadata = read_json(trainer.log_dir() + "/test_metadata.json");
  EXPECT_GE(metadata.at("test_end_timestamp").as_real(),
            metadata.at("test_start_timestamp").as_real());
  EXPECT_FALSE(metadata.at("test_end_date").as_text().empty());
  EXPECT_TRUE(metadata.at("test_duration").as_text().starts_with("0:00:0"));
}

TEST(Defects, Q9_MetadataOnTheDiskKeepsUpWithTheCsv) {
  const Scratch folder;
  const auto model = ready_model();
  std::vector<std::size_t> rows, epochs;
  model->callbacks = {LambdaCallback({
      .on_train_epoch_start =
          [&](Trainer& trainer, LME&) {
            if (trainer.current_epoch() == 0) return;
            rows.push_back(csv(trainer.log_dir() + "/metrics.csv").size() - 1);
            epochs.push_back(read_json(trainer.log_dir() + "/fit_metadata.json")
                                 .at("epoch_metrics")
                                 .at("loss")
                                 .size());
            if (trainer.current_epoch() == 3) throw std::runtime_error("on purpose");
          },
  })};
  Trainer trainer(options(folder, 5));
  EXPECT_THROW(trainer.fit(*model, two_batches()), std::runtime_error);
  EXPECT_EQ(epochs, (std::vector<std::size_t>{1, 2, 3}));
  EXPECT_EQ(rows, epochs);
  const Value metadata = read_json(trainer.log_dir() + "/fit_metadata.json");
  EXPECT_EQ(metadata.at("epoch_metrics").at("loss").size(), 3u);
  EXPECT_EQ(metadata.at("status").as_text(), "failed: on purpose");
}

TEST(Defects, Q10_MetadataIsValidJsonWhateverTheNumbersAre) {
  const Scratch folder;
  const auto model = ready_model();
  model->metrics = {{"bad",
                     {[](auto&, auto&) {
                        return tensor({NAN, INFINITY, -INFINITY, 1.0});
                      },
                      "min"}}};
  model->hparams["metadata_hparams"]["number"] = NAN;
  Trainer trainer(options(folder, 1));
  trainer.fit(*model, two_batches());
  const Value metadata = read_json(trainer.log_dir() + "/fit_metadata.json");
  EXPECT_EQ(metadata.at("epoch_metrics").at("bad").at("0"),
            Value(Value::List{nullptr, nullptr, nullptr, 1.0}));
  EXPECT_TRUE(metadata.at("fit_hparams").at("number").is_null());
}

TEST(Defects, Q13_MetadataGoesOnInAResumedRun) {
  const Scratch folder;
  const auto run = [&](int64_t epochs, const std::string& ckpt_path) {
    const auto model = ready_model(0.1);
    model->scheduler = {.scheduler =
                            optim::StepLR(model->optimizer, {.step_size = 1, .gamma = 0.5})};
    int64_t epoch_at_start = -1;
    model->callbacks = {LambdaCallback({.on_fit_start = [&](Trainer& trainer, LME&) {
      epoch_at_start = trainer.current_epoch();
    }})};
    Trainer trainer(options(folder, epochs));
    trainer.fit(*model, two_batches(), {}, {.ckpt_path = ckpt_path});
    EXPECT_EQ(epoch_at_start, ckpt_path.empty() ? 0 : 2);
    return read_json(trainer.log_dir() + "/fit_metadata.json");
  };
  const Value first = run(2, "");
  const Value both = run(4, folder / "lightning_logs/version_0/checkpoints/last.ckpt");
  EXPECT_EQ(both.at("optimizer").at("starting_lr").as_real(), 0.1);
  EXPECT_EQ(both.at("optimizer").at("lr_history"), Value(Value::List{0.1, 0.05, 0.025, 0.0125}));
  EXPECT_EQ(both.at("epoch_timestamps").size(), 4u);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(both.at("epoch_timestamps").as_list()[i], first.at("epoch_timestamps").as_list()[i]);
  EXPECT_EQ(both.at("fit_start_timestamp"), first.at("fit_start_timestamp"));
  EXPECT_EQ(both.at("epoch_metrics").at("loss").size(), 4u);
}

TEST(Defects, Q17_UserCallbacksKeepTheirOrder) {
  const Scratch folder;
  const auto model = ready_model();
  std::string order;
  const auto named = [&](char name) {
    return LambdaCallback({.on_fit_start = [&order, name](Trainer&, LME&) { order += name; }});
  };
  model->callbacks = {named('z'), named('a'), named('m')};
  model->callbacks += named('b');
  TrainerOptions with = options(folder, 1);
  with.callbacks = {named('2'), named('1')};
  Trainer(with).fit(*model, two_batches());
  EXPECT_EQ(order, "21zamb");
}

TEST(Defects, Q24_AFitWithoutALoggerLeavesTheRunBeforeAlone) {
  const Scratch folder;
  const auto model = ready_model();
  Trainer first(options(folder, 1));
  first.fit(*model, two_batches());
  const std::string path = first.log_dir() + "/fit_metadata.json";
  const std::string before = read_whole(path);
  TrainerOptions without = options(folder, 2);
  without.logger = false;
  without.default_root_dir = folder / "elsewhere";
  Trainer(without).fit(*model, two_batches());
  EXPECT_EQ(metadata_of(*model).at("epoch_metrics").at("loss").size(), 2u);
  EXPECT_EQ(read_whole(path), before);
}

TEST(Defects, Q26_ARandomPlotChangesNothingThatIsTrained) {
  std::vector<std::vector<double>> results;
  for (const bool plots : {false, true}) {
    const Scratch folder;
    manual_seed(4);
    const auto model = ready_model();
    std::vector<std::vector<double>> noise;
    model->model_algorithm = [&](LME& model, const data::Batch& batch) {
      const Tensor drawn = randn({1});  // what dropout would draw
      noise.push_back(drawn.to_vector<double>());
      return algorithm(model, {batch[0] + drawn * 0.1, batch[1]});
    };
    if (plots)
      model->callbacks = {PlotCallbackGeneric(
          [](LME&, const data::Batch&, const AlgorithmOutput&, const std::string&) { randn({7}); },
          "random")};
    const auto loader = normal_loader(40, 2, 1, {.batch_size = 10, .shuffle = true, .seed = 2});
    TrainerOptions with = options(folder, 3);
    with.num_sanity_val_steps = 0;  // it draws the same numbers, from a copy of the generator
    Trainer(with).fit(*model, loader, loader);
    results.push_back(parameters_of(*model));
    // Nor are the numbers of a batch or an epoch those of another.
    std::sort(noise.begin(), noise.end());
    EXPECT_EQ(std::unique(noise.begin(), noise.end()), noise.end());
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(Defects, Q32_TheLoggedRateIsTheOneInForce) {
  const Scratch folder;
  const auto model = ready_model(0.1);
  model->scheduler = {.scheduler = optim::StepLR(model->optimizer, {.step_size = 1, .gamma = 0.5})};
  std::vector<double> rates;
  model->callbacks = {LearningRateMonitor(),
                      LambdaCallback({.on_before_optimizer_step = [&](Trainer& trainer, LME&,
                                                                      optim::Optimizer& optimizer) {
                        if (trainer.batch_idx() == 0) rates.push_back(optimizer.lr(0));
                      }})};
  Trainer trainer(options(folder, 3));
  trainer.fit(*model, two_batches());
  Lines trained_with;
  for (const double rate : rates) trained_with.push_back(python_repr(rate));
  EXPECT_EQ(column(trainer.log_dir() + "/metrics.csv", "lr-SGD"), trained_with);
  EXPECT_EQ(trained_with, (Lines{"0.1", "0.05", "0.025"}));
}

TEST(Defects, Q33_EarlyStoppingSeesTheValidationThatIsOver) {
  for (const bool sanity : {false, true}) {
    ScriptedFit run(std::vector<double>(8, 7));
    run.val_scores = {3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    TrainerOptions options = run.options(8);
    options.num_sanity_val_steps = sanity ? 2 : 0;
    options.check_val_every_n_epoch = 2;
    run.fit({EarlyStopping({.monitor = "val_score", .patience = 1})}, options);
    EXPECT_EQ(run.validations, 4);  // 1 is seen twice
    EXPECT_EQ(run.trainer->current_epoch(), 8);

    run.validations = 0;
    options.check_val_every_n_epoch = 1;
    options.val_check_interval = 0.5;
    run.fit({EarlyStopping({.monitor = "val_score", .patience = 1})}, options);
    EXPECT_EQ(run.validations, 4);
    EXPECT_EQ(run.trainer->current_epoch(), 2);

    run.validations = 0;
    run.fit({EarlyStopping({.monitor = "loss", .patience = 100})}, options);  // of the epoch so far
    EXPECT_EQ(run.validations, 16);
  }
}

TEST(Defects, Q36_ARowIsWrittenBeforeItsCheckpoint) {
  const Scratch folder;
  const auto model = ready_model();
  std::vector<std::size_t> rows;
  model->callbacks = {LambdaCallback({.on_save_checkpoint = [&](Trainer& trainer, LME&, Value&) {
    rows.push_back(csv(trainer.log_dir() + "/metrics.csv").size() - 1);
  }})};
  Trainer(options(folder, 2)).fit(*model, two_batches());
  EXPECT_EQ(rows, (std::vector<std::size_t>{1, 2}));  // last.ckpt after each epoch
}

TEST(Defects, Q44_EveryMonitorHasItsBestModel) {
  const Scratch folder;
  const auto model = ready_model();
  // The first epoch is the best for "up", the last for "down".
  const auto counted = [&](double sign) {
    return [&model, sign](auto&, auto&) {
      return tensor(sign * static_cast<double>(model->trainer().current_epoch()));
    };
  };
  model->metrics = {{"down", {counted(-1), "min"}}, {"up", {counted(-1), "max"}}};
  model->checkpoint_monitors = {"down", "up", "loss"};
  Trainer trainer(options(folder, 3));
  trainer.fit(*model, two_batches(), two_batches());
  const Value metadata = read_json(trainer.log_dir() + "/fit_metadata.json");
  EXPECT_EQ(metadata.at("best_model").at("monitor").as_text(), "val_down");
  EXPECT_EQ(metadata.at("best_model").at("epoch").as_integer(), 2);
  const Value& all = metadata.at("best_models");
  Lines monitors;
  for (const auto& [monitor, best] : all.as_map()) {
    monitors.push_back(monitor);
    EXPECT_TRUE(std::filesystem::exists(best.at("path").as_text()));
    EXPECT_EQ(best.at("monitor").as_text(), monitor);
  }
  EXPECT_EQ(monitors, (Lines{"val_down", "val_up", "val_loss"}));
  EXPECT_EQ(all.at("val_down"), metadata.at("best_model"));
  EXPECT_EQ(all.at("val_up").at("epoch").as_integer(), 0);
}

// The words that a shell makes of a command.
Lines shell_words(const std::string& command) {
  const Scratch folder;
  const std::string file = folder / "words";
  EXPECT_EQ(std::system(("printf '%s\\n' " + command + " > '" + file + "'").c_str()), 0);
  std::istringstream text(read_whole(file));
  Lines words;
  for (std::string word; std::getline(text, word);) words.push_back(word);
  return words;
}

TEST(Defects, Q46_TheCommandCanBeGivenToAShellAgain) {
  Lines own;
  std::istringstream arguments(read_whole("/proc/self/cmdline"));
  for (std::string word; std::getline(arguments, word, '\0');) own.push_back(word);
  const std::string odd = "it's \"$HOME\" & more";
  if (own.back() != odd) {  // once more, by a command that needs quotes
    const std::string exe = std::filesystem::read_symlink("/proc/self/exe").string();
    const std::string command = "'" + exe + "' '--gtest_filter=Defects.Q46*' ";
    EXPECT_EQ(std::system((command + R"('it'\''s "$HOME" & more' > /dev/null)").c_str()), 0);
    return;
  }
  const Scratch folder;
  const auto model = ready_model();
  Trainer trainer(options(folder, 1));
  trainer.fit(*model, two_batches());
  const Value metadata = read_json(trainer.log_dir() + "/fit_metadata.json");
  EXPECT_EQ(shell_words(metadata.at("run_command").as_text()), own);
}

TEST(Defects, Q47_GroupsMayHaveRatesOfTheirOwn) {
  const Scratch folder;
  const auto model = ready_model();
  const std::vector<Tensor> all = model->parameters();
  model->optimizer = optim::SGD({{{all[0], all[1]}, {.lr = 0.1}}, {{all[2], all[3]}, {.lr = 0.2}}});
  Trainer trainer(options(folder, 2));
  trainer.fit(*model, two_batches());
  const Value metadata = read_json(trainer.log_dir() + "/fit_metadata.json");
  const Value rates(Value::List{0.1, 0.2});
  EXPECT_EQ(metadata.at("optimizer").at("starting_lr"), rates);
  EXPECT_EQ(metadata.at("optimizer").at("lr_history"), Value(Value::List{rates, rates}));
  EXPECT_EQ(metadata.at("best_model").at("optimizer_lr"), rates);
}

// A Value holds nothing that JSON cannot hold; a path is its text.
TEST(Defects, Q51_APathInTheHparamsIsText) {
  const Scratch folder;
  const auto model = ready_model();
  const std::filesystem::path path = "/data/wäter";
  model->hparams["path"] = path.string();
  model->hparams["metadata_hparams"]["path"] = path.string();
  model->hparams["bytes"] = "\xff\x01";
  Trainer trainer(options(folder, 3));
  trainer.fit(*model, two_batches());
  const Value metadata = read_json(trainer.log_dir() + "/fit_metadata.json");
  EXPECT_EQ(metadata.at("fit_hparams").at("path").as_text(), path.string());
  EXPECT_EQ(metadata.at("best_model").at("hyper_parameters").at("path").as_text(), path.string());
  EXPECT_EQ(metadata.at("epoch_metrics").at("loss").size(), 3u);
}

}  // namespace
}  // namespace levin::port
