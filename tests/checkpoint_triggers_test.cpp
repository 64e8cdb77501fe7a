// ModelCheckpoint: when it saves, what it monitors, and that a run goes on exactly from what it saved.
#include <gtest/gtest.h>
#include <levin/tensor/file.h>
#include <levin/train/console/log.h>

#include <cmath>
#include <thread>

#include "scripted_run.h"

namespace levin {
namespace {

// Epochs of 6 batches; the model logs "by_step" in every one and "by_epoch".
struct Fit {
  Scratch folder;
  std::shared_ptr<ModelCheckpoint> checkpoint;
  TrainerOptions trainer_options{.max_epochs = 2};
  std::vector<AnyCallback> callbacks = {};
  std::string csv;
  int64_t skipped_from = 1000;  // batches without an update

  std::vector<double> fit(ModelCheckpointOptions options, bool validates = true,
                          const std::string& ckpt_path = "") {
    manual_seed(4);
    LME model(nn::Sequential(nn::Linear(3, 4), nn::Dropout(0.25), nn::Linear(4, 1)));
    model.criterion_fn = [](auto& y, auto& gt) { return (y - gt).pow(2).mean(); };
    model.optimizer = optim::SGD(model.parameters(), {.lr = 0.05, .momentum = 0.9});
    model.model_algorithm = [&](LME& model,
                                const data::Batch& batch) -> std::optional<AlgorithmOutput> {
      Trainer& trainer = model.trainer();
      if (trainer.batches_done() >= skipped_from) return {};
      const AlgorithmOutput output = plain_algorithm(model, batch);
      if (!trainer.training()) return output;
      trainer.log("by_step", 10.0 - static_cast<double>(trainer.batches_done()));
      trainer.log("by_epoch", output.metrics.find("loss")->tensor(),
                  {.on_step = false, .on_epoch = true});
      return output;
    };
    checkpoint = std::make_shared<ModelCheckpoint>(std::move(options));
    model.callbacks.operator=(callbacks);
    model.callbacks += checkpoint;
    TrainerOptions own = trainer_options;
    own.logger = CSVLogger(folder.path());
    own.enable_checkpointing = own.enable_progress_bar = own.enable_model_summary = false;
    own.log_every_n_steps = 2;
    const auto train = normal_loader(12, 3, 1, {.batch_size = 2, .shuffle = true}, 1);
    const auto val = normal_loader(4, 3, 1, {.batch_size = 2}, 2);
    Trainer trainer(std::move(own));
    trainer.fit(model, train, validates ? data::Loaders(val) : data::Loaders(),
                {.ckpt_path = ckpt_path});
    if (fs::exists(trainer.log_dir() + "/metrics.csv"))
      csv = read_whole(trainer.log_dir() + "/metrics.csv");
    return parameters_of(model);
  }
  Names files() const { return files_in(checkpoint->dirpath()); }
};

std::string stage_of(const std::string& path) {
  const Value state = load_checkpoint_file(path).state;
  return state.at("loops").at("fit_loop").at("stage").as_text();
}

TEST(ModelCheckpoint, SavesEveryNTrainSteps) {
  Fit run;
  run.fit({.save_top_k = -1, .every_n_train_steps = 4});
  EXPECT_EQ(run.files(),
            (Names{"epoch=0-step=4.ckpt", "epoch=1-step=8.ckpt", "epoch=1-step=12.ckpt"}));
  run.fit({.save_top_k = 1, .every_n_train_steps = 5});
  EXPECT_EQ(run.files(), Names{"epoch=1-step=10.ckpt"});
  // last.ckpt is of every epoch too, where a parameter has changed since the last save.
  run.fit({.save_last = true, .save_top_k = -1, .every_n_train_steps = 4});
  EXPECT_EQ(load_checkpoint_file(run.checkpoint->last_model_path()).state.at("global_step"), 12);
  run.fit({.filename = "{step}", .save_last = true, .every_n_train_steps = 5});
  EXPECT_EQ(run.files(), (Names{"step=10.ckpt", "last.ckpt"}));
  EXPECT_EQ(stage_of(run.checkpoint->last_model_path()), "epoch_end");
}

TEST(ModelCheckpoint, StepsAreUpdatesOfTheParameters) {
  Fit run;
  run.trainer_options.accumulate_grad_batches = 2;
  run.fit({.save_top_k = -1, .every_n_train_steps = 1});
  EXPECT_EQ(run.files().size(), 6u);
  run.skipped_from = 0;  // every batch is skipped: there is nothing to save
  run.fit({.save_last = true, .save_top_k = -1, .every_n_train_steps = 1});
  EXPECT_EQ(run.files(), Names());
}

TEST(ModelCheckpoint, SavesByTime) {
  Fit run;
  run.fit({.save_top_k = -1, .train_time_interval = std::chrono::seconds(0)});
  EXPECT_EQ(run.files().size(), 12u);
  run.fit({.save_top_k = -1, .train_time_interval = std::chrono::hours(1)});
  EXPECT_EQ(run.files(), Names());
  struct Slow : Callback {
    void on_train_batch_start(Trainer& trainer, LME&, const data::Batch&, int64_t) override {
      if (trainer.batches_done() == 7) std::this_thread::sleep_for(std::chrono::milliseconds(600));
    }
  };
  run.callbacks = {Slow()};
  run.fit({.save_top_k = -1, .train_time_interval = std::chrono::milliseconds(500)});
  EXPECT_EQ(run.files(), Names{"epoch=1-step=8.ckpt"});
}

TEST(ModelCheckpoint, SavesWhenAValidationEnds) {
  const ModelCheckpointOptions options{.monitor = "val_loss", .save_top_k = -1};
  const Names ends{"epoch=0-step=6.ckpt", "epoch=1-step=12.ckpt"};
  Fit run;
  const auto saved_at = [&](std::optional<bool> at_epoch_end) {
    ModelCheckpointOptions own = options;
    own.save_on_train_epoch_end = at_epoch_end;
    run.fit(own);
    return run.files();
  };
  EXPECT_EQ(saved_at({}), ends);
  EXPECT_EQ(stage_of(run.checkpoint->best_model_path()), "epoch_end");
  EXPECT_EQ(saved_at(false), ends);
  EXPECT_EQ(stage_of(run.checkpoint->best_model_path()), "validating");
  run.trainer_options.val_check_interval = 0.5;
  EXPECT_EQ(saved_at({}), (Names{"epoch=0-step=3.ckpt", "epoch=0-step=6.ckpt",
                                 "epoch=1-step=9.ckpt", "epoch=1-step=12.ckpt"}));
  // Each with the values of its own validation.
  const auto& kept = run.checkpoint->best_k_models();
  EXPECT_EQ(
      std::set<double>({kept[0].second, kept[1].second, kept[2].second, kept[3].second}).size(),
      4u);
  EXPECT_EQ(saved_at(true), ends);
  run.trainer_options.val_check_interval =
      6;  // batches: other than once an epoch, as far as it knows
  saved_at({});
  EXPECT_EQ(stage_of(run.checkpoint->best_model_path()), "validating");
  run.trainer_options.val_check_interval = 1.0;
  run.trainer_options.check_val_every_n_epoch = 2;
  EXPECT_EQ(saved_at({}), Names{"epoch=1-step=12.ckpt"});
  run.fit({.save_top_k = -1}, false);  // without validation it is the epoch's end
  EXPECT_EQ(run.files(), ends);
}

// An epoch without validation has no value: that is no mistake.
TEST(ModelCheckpoint, AnEpochWithoutValidationIsNotRanked) {
  static int lines;
  lines = 0;
  Fit run;
  run.trainer_options.max_epochs = 4;
  run.trainer_options.check_val_every_n_epoch = 2;
  set_log_sink([](LogLevel, std::string_view) { ++lines; });
  run.fit({.filename = "{epoch}",
           .monitor = "val_loss",
           .save_last = true,
           .save_top_k = -1,
           .save_on_train_epoch_end = true});
  set_log_sink(nullptr);
  EXPECT_EQ(lines, 0);
  EXPECT_EQ(run.files(), (Names{"epoch=1.ckpt", "epoch=3.ckpt", "last.ckpt"}));
}

TEST(ModelCheckpoint, NothingIsSavedWhereThereIsNoTraining) {
  Fit run;
  run.trainer_options.fast_dev_run = 2;
  run.fit({.dirpath = run.folder / "kept", .save_last = true, .every_n_train_steps = 1});
  EXPECT_FALSE(fs::exists(run.folder / "kept"));
  const auto checkpoint = std::make_shared<ModelCheckpoint>(ModelCheckpointOptions{
      .dirpath = run.folder / "kept", .save_last = true, .save_on_train_epoch_end = false});
  LME model(nn::Linear(3, 1));
  make_seed(model);
  model.callbacks = {checkpoint};
  TrainerOptions options = quiet(run.folder.path(), 1);
  options.limit_train_batches = 0;
  Trainer trainer(options);
  const auto loader = normal_loader(4, 3, 1, {.batch_size = 2});
  set_log_sink([](LogLevel, std::string_view) {});
  trainer.fit(model, loader, loader);
  set_log_sink(nullptr);
  trainer.validate(model, loader, {.verbose = false});
  trainer.test(model, loader, {.verbose = false});
  EXPECT_FALSE(fs::exists(run.folder / "kept"));
}

TEST(ModelCheckpoint, MonitorsWhatIsLogged) {
  Fit run;
  run.fit({.filename = "{epoch}-{by_epoch:.1f}", .monitor = "by_epoch", .save_top_k = -1});
  EXPECT_EQ(run.files().size(), 2u);
  // A value of steps: the newest, whether or not it has been written to the logs.
  run.fit({.filename = "{step}-{by_step:.0f}",
           .monitor = "by_step",
           .save_top_k = 2,
           .every_n_train_steps = 3});
  EXPECT_EQ(run.files(), (Names{"step=9-by_step=2.ckpt", "step=12-by_step=-1.ckpt"}));
  run.fit({.filename = "{by_step:.0f}", .monitor = "by_step", .save_top_k = -1});
  EXPECT_EQ(run.files(), (Names{"by_step=5.ckpt", "by_step=-1.ckpt"}));
}

TEST(ModelCheckpoint, LastMayBeASymbolicLink) {
  ScriptedRun run;
  run.scores = {2, 1};
  run.fit({.filename = "a/{epoch}", .monitor = "score", .save_last = "link"});
  const fs::path last = run.checkpoint->last_model_path();
  ASSERT_TRUE(fs::is_symlink(last));
  EXPECT_EQ(fs::read_symlink(last), "a/epoch=1.ckpt");
  EXPECT_EQ(load_checkpoint_file(last).state.at("epoch"), 1);
  // Always the newest state (L9): a file of its own where that is not among the best.
  run.scores = {1, 2};
  run.fit({.filename = "{epoch}", .monitor = "score", .save_last = "link"});
  EXPECT_EQ(run.files(), (Names{"epoch=0.ckpt", "last.ckpt"}));
  EXPECT_FALSE(fs::is_symlink(run.checkpoint->last_model_path()));
  EXPECT_EQ(load_checkpoint_file(run.checkpoint->last_model_path()).state.at("epoch"), 1);
  EXPECT_EQ(load_checkpoint_file(run.checkpoint->best_model_path()).state.at("epoch"), 0);
}

// When a file goes, last.ckpt does not lead to it any more.
TEST(ModelCheckpoint, AFileIsRemovedOnceLastIsNew) {  // L8, L9
  ScriptedRun run;
  run.scores = {3, 2, 1};
  const std::string folder = run.folder / "lightning_logs/version_0/checkpoints/";
  run.when_saving = [&](int64_t epoch) {
    if (epoch > 0) {
      EXPECT_EQ(load_checkpoint_file(folder + "last.ckpt").state.at("epoch"), epoch - 1);
    }
  };
  run.fit({.filename = "{epoch}", .monitor = "score", .save_last = "link"});
  EXPECT_EQ(run.files(), (Names{"epoch=2.ckpt", "last.ckpt"}));
}

TEST(ModelCheckpoint, NamesMayBeTakenOver) {
  ScriptedRun run;
  const std::string folder = run.folder / "lightning_logs/version_0/checkpoints/";
  fs::create_directories(folder);
  for (const char* name : {"last.ckpt", "best.ckpt"}) write_whole(folder + name, "foreign");
  run.scores = {2, 1};
  set_log_sink([](LogLevel, std::string_view) {});
  run.fit({.filename = "best",
           .monitor = "score",
           .save_last = true,
           .save_top_k = 2,
           .enable_version_counter = false},
          "", {.version = 0});
  set_log_sink(nullptr);
  EXPECT_EQ(run.files(), (Names{"best.ckpt", "last.ckpt"}));
  EXPECT_EQ(run.checkpoint->best_k_models().size(), 1u);
  EXPECT_EQ(load_checkpoint_file(folder + "best.ckpt").state.at("epoch"), 1);
}

TEST(ModelCheckpoint, KnowsItsScores) {
  ScriptedRun run;
  run.scores = {3, 1, 2};
  run.fit({.filename = "{epoch}", .monitor = "score", .save_top_k = 4});
  EXPECT_EQ(run.checkpoint->kth_best_model_path(), "");  // there are fewer
  EXPECT_EQ(run.checkpoint->kth_value(), INFINITY);
  run.fit({.filename = "{epoch}", .monitor = "score", .save_top_k = 2});
  EXPECT_EQ(fs::path(run.checkpoint->kth_best_model_path()).filename(), "epoch=2.ckpt");
  EXPECT_EQ(run.checkpoint->kth_value(), 2);
  EXPECT_EQ(run.checkpoint->current_score(), 2);
  EXPECT_EQ(run.checkpoint->best_model_score(), 1);
  run.fit({.filename = "{epoch}"});
  EXPECT_EQ(run.checkpoint->current_score(), std::nullopt);
  EXPECT_TRUE(run.checkpoint->best_k_models().empty());
  run.scores = {NAN, NAN};
  run.fit({.filename = "{epoch}", .monitor = "score", .mode = "max"});  // L13
  EXPECT_EQ(run.files(), Names{"epoch=0.ckpt"});
  EXPECT_EQ(run.checkpoint->best_model_path(), "");
  EXPECT_EQ(run.checkpoint->best_model_score(), std::nullopt);
  EXPECT_EQ(run.checkpoint->kth_value(), -INFINITY);
}

// Those after which the file was written.
Names written_after(const std::string& folder, const std::string& name) {
  Names later;
  for (const std::string& file : files_in(folder))
    if (fs::last_write_time(folder + "/" + file) > fs::last_write_time(folder + "/" + name))
      later.insert(file);
  return later;
}

// From every file of a run the rest of it is done as if it had never stopped: the same end, the same
// rows, the same files.
TEST(ModelCheckpoint, ARunGoesOnExactlyFromEachOfItsFiles) {
  struct Case {
    ModelCheckpointOptions options;
    int64_t accumulated = 1;
    std::size_t files = 5;
  };
  const Case cases[] = {{{.save_last = true, .save_top_k = -1, .every_n_train_steps = 3}},
                        {{.save_last = true, .save_top_k = -1, .save_on_train_epoch_end = false}},
                        {{.save_last = true, .save_top_k = -1, .every_n_train_steps = 1}, 2, 7}};
  for (const Case& each : cases) {
    Fit run;
    run.trainer_options.val_check_interval = 0.5;
    run.trainer_options.accumulate_grad_batches = each.accumulated;
    const std::vector<double> expected = run.fit(each.options);
    const std::string csv = run.csv, folder = run.checkpoint->dirpath();
    EXPECT_EQ(run.files().size(), each.files);
    for (const std::string& name : files_in(folder)) {
      SCOPED_TRACE(name);
      set_log_sink([](LogLevel, std::string_view) {});
      EXPECT_EQ(run.fit(each.options, true, folder + "/" + name), expected);
      set_log_sink(nullptr);
      EXPECT_EQ(run.csv, csv);
      EXPECT_EQ(run.files(), written_after(folder, name));
    }
  }
}

// What is saved at a batch's and at a validation's end is what the model's own hook has left.
TEST(ModelCheckpoint, SavesAfterTheModelsHook) {
  struct Counting : LME {
    using LME::LME;
    void on_train_batch_end(const AlgorithmOutput*, const data::Batch&, int64_t) override {
      hparams["batches"] = ++batches;
    }
    void on_validation_end() override { hparams["validations"] = ++validations; }
    int64_t batches = 0, validations = 0;
  };
  const Scratch folder;
  Counting model(nn::Linear(5, 10));
  make_seed(model);
  model.callbacks = {ModelCheckpoint({.filename = "batch", .every_n_train_steps = 1}),
                     ModelCheckpoint({.filename = "validation", .save_on_train_epoch_end = false})};
  TrainerOptions options = quiet(folder.path(), 2);
  options.num_sanity_val_steps = 0;
  Trainer trainer(std::move(options));
  const auto loader = normal_loader(30, 5, 10);
  trainer.fit(model, loader, loader);
  const auto saved = [&](const char* name, const char* key) {
    return load_checkpoint_file(trainer.log_dir() + "/checkpoints/" + name)
        .state.at("hyper_parameters")
        .at(key);
  };
  EXPECT_EQ(saved("batch.ckpt", "batches"), 6);
  EXPECT_EQ(saved("validation.ckpt", "validations"), 2);
}

}  // namespace
}  // namespace levin
