// The run folder of the seed: its files, keys, order and number formats.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <barrier>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <thread>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  return names;
}

struct RandomDataset : data::Dataset {
  int64_t size() const override { return 100; }
  data::Batch get(int64_t, Generator&) const override { return {randn({5}), randn({10})}; }
};

// The seed's run, done once.
struct SeedRun {
  Scratch scratch;
  std::string folder;
  std::shared_ptr<LME> model;

  SeedRun() {
    manual_seed(0);
    model = std::make_shared<LME>(nn::Linear(5, 10));
    make_seed(*model);
    model->callbacks = {PlotMetrics()};
    const data::DataLoader train(RandomDataset(), {.batch_size = 10});
    const data::DataLoader val(RandomDataset(), {.batch_size = 10});
    Trainer trainer(quiet(scratch.path(), 10));
    trainer.fit(*model, train, val);
    folder = trainer.log_dir();
  }
};

const SeedRun& seed_run() {
  static const SeedRun run;
  return run;
}

Json metadata() { return Json::parse(read_whole(seed_run().folder + "/fit_metadata.json")); }

std::vector<std::string> keys_of(const Json& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map.items()) keys.push_back(key);
  return keys;
}

TEST(RunFolder, HoldsTheSeedsFiles) {
  EXPECT_EQ(names_in(seed_run().folder),
            (std::set<std::string>{"accuracy_like.png", "checkpoints", "fit_metadata.json",
                                   "hparams.yaml", "l1.png", "loss.png", "metrics.csv"}));
  EXPECT_EQ(fs::path(seed_run().folder).filename(), "version_0");
  const std::set<std::string> checkpoints = names_in(seed_run().folder + "/checkpoints");
  EXPECT_EQ(checkpoints.size(), 2);
  EXPECT_EQ(*checkpoints.rbegin(), "last.ckpt");
  EXPECT_TRUE(std::regex_match(*checkpoints.begin(),
                               std::regex("epoch=[0-9]-val_loss=[0-9]\\.[0-9]{3}\\.ckpt")));
  EXPECT_EQ(read_whole(seed_run().folder + "/hparams.yaml"), "{}\n");
}

TEST(RunFolder, PicturesArePngs) {
  for (const char* name : {"/loss.png", "/l1.png", "/accuracy_like.png"})
    EXPECT_EQ(read_whole(seed_run().folder + name).substr(0, 8), "\x89PNG\r\n\x1a\n") << name;
}

TEST(RunFolder, MetricsCsvHasOneRowAnEpoch) {
  const std::string csv = read_whole(seed_run().folder + "/metrics.csv");
  const std::string number = "[0-9]+\\.[0-9]+";
  std::size_t at = csv.find("\r\n");
  EXPECT_EQ(csv.substr(0, at),
            "accuracy_like,epoch,l1,loss,step,val_accuracy_like,val_l1,val_loss");
  for (int epoch = 0; epoch < 10; ++epoch) {
    const std::size_t end = csv.find("\r\n", at + 2);
    const std::string row = csv.substr(at + 2, end - at - 2);
    const std::string form = number + "," + std::to_string(epoch) + "," + number + "," + number +
                             "," + std::to_string(epoch * 10 + 9) + "," + number + "," + number +
                             "," + number;
    EXPECT_TRUE(std::regex_match(row, std::regex(form))) << row;
    at = end;
  }
  EXPECT_EQ(at + 2, csv.size());
}

TEST(RunFolder, MetadataHasTheKeysOfLME) {
  const Json lme = Json::parse(read_whole(LEVIN_TEST_DIR "/reference/lme/seed/fit_metadata.json"));
  const Json own = metadata();
  EXPECT_EQ(keys_of(own), keys_of(lme));
  for (const char* part :
       {"optimizer", "model_checkpoint", "model_parameters", "best_model", "epoch_metrics"})
    EXPECT_EQ(keys_of(own[part]), keys_of(lme[part])) << part;
  for (const char* part : {"model_checkpoint", "model_parameters", "fit_hparams",
                           "train_dataset_size", "validation_dataset_size", "optimizer"})
    EXPECT_EQ(own[part], lme[part]) << part;
  for (const auto& [key, value] : lme.items()) EXPECT_EQ(own[key].type(), value.type()) << key;
}

TEST(RunFolder, MetadataIsWrittenAsPythonDoes) {
  const std::string text = read_whole(seed_run().folder + "/fit_metadata.json");
  // Indentation and separators are nlohmann's; of a number it does not always find the shortest text.
  const std::regex number(R"(-?\d+\.\d+(e[-+]\d+)?)");
  EXPECT_EQ(std::regex_replace(text, number, "#"),
            std::regex_replace(metadata().dump(4), number, "#"));
  EXPECT_EQ(metadata()["fit_start_timestamp"].dump().substr(0, 14),
            text.substr(text.find("fit_start_timestamp") + 22, 14));
  EXPECT_NE(text.find("    \"epoch_metrics\": {\n        \"loss\": {\n            \"0\": [\n"
                      "                "),
            std::string::npos);
}

TEST(RunFolder, MetadataAgreesWithTheLogs) {
  const Json own = metadata();
  EXPECT_EQ(own["epoch_timestamps"].size(), 10);
  EXPECT_EQ(own["optimizer"]["lr_history"].size(), 10);
  EXPECT_TRUE(std::regex_match(own["fit_start_date"].get<std::string>(),
                               std::regex("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\\.[0-9]{6}")));
  EXPECT_TRUE(std::regex_match(own["fit_duration"].get<std::string>(),
                               std::regex("0:00:[0-9]{2}(\\.[0-9]{6})?")));
  // The last epoch is there (Q9), and the best one is the smallest validation loss of all.
  double best = INFINITY;
  int best_epoch = -1;
  for (int epoch = 0; epoch < 10; ++epoch) {
    const double loss = own["epoch_metrics"]["val_loss"][std::to_string(epoch)][0];
    if (loss < best) best = loss, best_epoch = epoch;
  }
  EXPECT_EQ(own["best_model"]["epoch"], best_epoch);
  EXPECT_EQ(own["best_model"]["score"], best);
  EXPECT_TRUE(fs::exists(own["best_model"]["path"].get<std::string>()));
  char name[64];
  std::snprintf(name, sizeof name, "epoch=%d-val_loss=%.3f.ckpt", best_epoch, best);
  EXPECT_EQ(fs::path(own["best_model"]["path"].get<std::string>()).filename(), name);
  // metrics.csv says the same, digit for digit.
  const std::string csv = read_whole(seed_run().folder + "/metrics.csv");
  const std::string last = own["epoch_metrics"]["val_loss"]["9"][0].dump();
  EXPECT_TRUE(csv.ends_with(last + "\r\n")) << last;
}

TEST(RunFolder, LastCheckpointHoldsTheModel) {
  const Checkpoint last = load_checkpoint_file(seed_run().folder + "/checkpoints/last.ckpt");
  EXPECT_EQ(last.state.at("epoch").as_integer(), 9);
  EXPECT_EQ(last.state.at("global_step").as_integer(), 100);
  for (const auto& [name, tensor] : seed_run().model->state_dict()) {
    const auto kept = last.with_prefix("state_dict." + name);
    ASSERT_EQ(kept.size(), 1);
    EXPECT_EQ(kept[0].second.to_vector<float>(), tensor.to_vector<float>());
  }
}

TEST(RunFolder, ASecondRunTakesTheNextVersion) {
  const Scratch folder;
  for (int i = 0; i < 2; ++i) {
    LME model(nn::Linear(5, 10));
    make_seed(model);
    Trainer trainer(quiet(folder.path(), 1));
    trainer.fit(model, normal_loader(20, 5, 10));
    EXPECT_EQ(fs::path(trainer.log_dir()).filename(), "version_" + std::to_string(i));
  }
}

AnyLogger logger_of_kind(int kind, const std::string& folder) {
  if (kind == 0) return CSVLogger(folder);
  if (kind == 1) return JsonLinesLogger(folder);
  return TensorBoardLogger(folder);
}

TEST(RunFolder, ThreadsThatStartTogetherGetVersionsOfTheirOwn) {  // L1
  const Scratch folder;
  std::barrier gate(16);
  std::vector<std::string> folders(16);
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i)
    threads.emplace_back([&, i] {
      const AnyLogger logger = logger_of_kind(i % 3, folder.path());
      gate.arrive_and_wait();
      logger->start();
      folders[i] = logger->log_dir();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set(folders.begin(), folders.end()).size(), 16);
}

TEST(RunFolder, ProcessesThatStartTogetherGetVersionsOfTheirOwn) {  // L1
  const Scratch folder;
  int gate[2];  // opens when the parent closes it
  ASSERT_EQ(pipe(gate), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < 16; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      close(gate[1]);
      const AnyLogger logger = logger_of_kind(i % 3, folder.path());
      char ignored = 0;
      while (read(gate[0], &ignored, 1) > 0) {
      }
      logger->start();
      write_whole(logger->log_dir() + "/owner_" + std::to_string(i), "");
      _exit(0);
    }
    children.push_back(child);
  }
  close(gate[0]);
  close(gate[1]);
  for (const pid_t child : children) {
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  for (int i = 0; i < 16; ++i)
    EXPECT_EQ(names_in(folder / ("lightning_logs/version_" + std::to_string(i))).size(), 1) << i;
}

}  // namespace
}  // namespace levin
