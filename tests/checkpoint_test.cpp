// Checkpoint files: what goes in comes out, damage is found, old files stay readable.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/tensor/safetensors.h>
#include <levin/train/files/text.h>

#include <cmath>
#include <limits>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

using Map = Value::Map;
using List = Value::List;

std::string bytes_of(const Tensor& tensor) { return to_safetensors({{{"x", tensor}}, {}}); }

void expect_equal(const Checkpoint& a, const Checkpoint& b) {
  EXPECT_EQ(a.state, b.state);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    EXPECT_EQ(a.tensors[i].first, b.tensors[i].first);
    EXPECT_EQ(bytes_of(a.tensors[i].second), bytes_of(b.tensors[i].second));
  }
}

Checkpoint small() {
  Checkpoint checkpoint;
  checkpoint.state["schema_version"] = 1;
  checkpoint.state["epoch"] = 3;
  checkpoint.state["lr"] = 0.1;
  checkpoint.state["loops"] = Map{{"a", List{1, nullptr, "text"}}};
  checkpoint.tensors = {{"state_dict.w", tensor({1.5, -2.0})}, {"state_dict.b", tensor({7.0})}};
  return checkpoint;
}

std::string load_error(const std::string& bytes) {
  return error_of<std::runtime_error>([&] { checkpoint_from_bytes(bytes, "x.ckpt"); });
}

TEST(Checkpoint, RoundTrip) {
  Checkpoint checkpoint = small();
  checkpoint.state["from_the_future"] = Map{{"z", true}, {"a", List{Map{{"deep", -0.0}}}}};
  for (const DType dtype :
       {kFloat32, kFloat64, kBFloat16, kFloat16, kInt64, kInt32, kInt8, kUInt8, kBool})
    checkpoint.tensors.emplace_back(std::string("unknown.") + name_of(dtype),
                                    ones({2, 3}, kFloat32).to(dtype));
  checkpoint.tensors.emplace_back("special", tensor({INFINITY, -INFINITY, NAN, -0.0, 1e-45}));
  checkpoint.tensors.emplace_back("empty", zeros({0, 3}));
  checkpoint.tensors.emplace_back("scalar", tensor(2.5));
  checkpoint.tensors.emplace_back("view", arange(6).reshape({2, 3}).transpose(0, 1));
  const Checkpoint read = checkpoint_from_bytes(checkpoint_bytes(checkpoint), "test");
  expect_equal(read, checkpoint);
  EXPECT_EQ(read.with_prefix("state_dict.").size(), 2u);
  EXPECT_EQ(read.with_prefix("state_dict.")[0].first, "w");
}

TEST(Checkpoint, NumbersOfTheStateComeBackExactly) {
  Checkpoint checkpoint;
  checkpoint.state["schema_version"] = 1;
  List numbers = {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0, 0.1f, INT64_MIN, INT64_MAX};
  checkpoint.state["numbers"] = numbers;
  checkpoint.state["not_finite"] = List{INFINITY, -INFINITY, NAN};
  const Checkpoint read = checkpoint_from_bytes(checkpoint_bytes(checkpoint), "test");
  EXPECT_EQ(read.state.at("numbers"), Value(numbers));
  EXPECT_TRUE(std::signbit(read.state.at("numbers").as_list()[4].as_real()));
  const List& texts = read.state.at("not_finite").as_list();
  EXPECT_EQ(texts, (List{"inf", "-inf", "nan"}));
  EXPECT_EQ(real_of(texts[1]), -INFINITY);
}

TEST(Checkpoint, TheVersionIsAlwaysThere) {
  const Checkpoint read = checkpoint_from_bytes(checkpoint_bytes({}), "test");
  EXPECT_EQ(read.state, Value(Map{{"schema_version", kCheckpointSchema}}));
}

TEST(Checkpoint, FilesAppearUnderTheirName) {
  const Scratch folder;
  save_checkpoint_file(folder / "a.ckpt", small());
  expect_equal(load_checkpoint_file(folder / "a.ckpt"), small());
  const std::string error =
      error_of<std::runtime_error>([&] { load_checkpoint_file(folder / "none.ckpt"); });
  EXPECT_EQ(error, "reading " + (folder / "none.ckpt") + ": No such file or directory");
}

TEST(Checkpoint, ADamagedByteIsFound) {
  const std::string whole = checkpoint_bytes(small());
  int refused = 0, harmless = 0;
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const int mask : {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ mask);
      try {
        expect_equal(checkpoint_from_bytes(bytes, "test"), small());
        ++harmless;
      } catch (const std::runtime_error&) {
        ++refused;
      }
    }
  // Harmless are spaces of the header that become other white space.
  EXPECT_GT(refused, 50 * harmless);
}

TEST(Checkpoint, ACutOrLongerFileIsRefused) {
  const std::string whole = checkpoint_bytes(small());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_TRUE(load_error(whole.substr(0, size)).starts_with("x.ckpt: ")) << size;
  EXPECT_NE(load_error(whole + "x"), "");
}

// A file with this state and no (or a wrong) checksum.
std::string with_state(const std::string& state, const std::string& checksum = "") {
  SafetensorsFile file;
  file.metadata = {{"levin", state}};
  if (!checksum.empty()) file.metadata.emplace_back("checksum", checksum);
  return to_safetensors(file);
}

TEST(Checkpoint, WhatIsNoneIsNamed) {
  EXPECT_EQ(load_error(bytes_of(ones({2}))),
            "x.ckpt: a safetensors file, but not a checkpoint of levin");
  EXPECT_EQ(load_error(with_state(R"({"schema_version": 2, "new": 1})")),
            "x.ckpt: the checkpoint has schema version 2, this levin reads up to 1");
  EXPECT_EQ(load_error(with_state(R"({"schema_version": 1})")),
            "x.ckpt: the checkpoint is damaged: its checksum is wrong");
  EXPECT_EQ(load_error(with_state(R"({"schema_version": 1})", "1234")),
            "x.ckpt: the checkpoint is damaged: its checksum is wrong");
  EXPECT_EQ(load_error(with_state("{}")),
            "x.ckpt: the checkpoint is damaged: it has no schema version");
  EXPECT_EQ(load_error(with_state("[1]")),
            "x.ckpt: the checkpoint is damaged: it has no schema version");
  EXPECT_EQ(load_error(with_state("{")),
            "x.ckpt: the checkpoint is damaged: its state: no valid JSON at byte 2");
  EXPECT_TRUE(load_error("PK\x03\x04 some zip file of PyTorch").starts_with("x.ckpt: "));
}

// The fit that the frozen files are of: in the middle of its second epoch it saves `path`.
std::vector<double> frozen_fit(const Scratch& folder, const std::string& path,
                               const std::string& ckpt_path = "") {
  manual_seed(5);
  LME model(nn::Sequential{nn::Linear(2, 3), nn::Tanh(), nn::Linear(3, 1)});
  model.criterion_fn = [](auto& y, auto& gt) { return (y - gt).pow(2).mean(); };
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.05, .momentum = 0.9});
  model.metrics = {{"l1", {[](auto& y, auto& gt) { return (y - gt).abs().mean(); }, "min"}}};
  model.model_algorithm = plain_algorithm;
  model.hparams["lr"] = 0.05;
  model.hparams["limit"] = INFINITY;
  struct Saver : Callback {
    explicit Saver(std::string path) : path(std::move(path)) {}
    void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                            int64_t batch) override {
      if (trainer.current_epoch() == 1 && batch == 1) trainer.save_checkpoint(path);
    }
    std::string path;
  };
  model.callbacks = {Saver(path), PlotMetrics()};
  // In an order that no compiler chooses: each draws its seed.
  const auto val = normal_loader(4, 2, 1, {.batch_size = 4}, 2);
  const auto train = normal_loader(10, 2, 1, {.batch_size = 4, .shuffle = true});
  Trainer(quiet(folder.path(), 3)).fit(model, train, val, {.ckpt_path = ckpt_path});
  return parameters_of(model);
}

const std::string kFrozen = std::string(LEVIN_TEST_DIR) + "/data/checkpoint_v1.ckpt";

// Was run once, when this version of the schema was new. The file must never change again.
TEST(FrozenCheckpoint, DISABLED_Write) {
  const Scratch folder;
  frozen_fit(folder, kFrozen);
}

TEST(FrozenCheckpoint, IsReadable) {
  const Checkpoint frozen = load_checkpoint_file(kFrozen);
  const Value& state = frozen.state;
  EXPECT_EQ(state.at("schema_version"), 1);
  EXPECT_EQ(state.at("levin_version"), "0.1.0");
  EXPECT_EQ(state.at("numerics"), 1);
  EXPECT_EQ(state.at("precision"), "32-true");
  EXPECT_EQ(state.at("epoch"), 1);
  EXPECT_EQ(state.at("global_step"), 5);
  EXPECT_EQ(state.at("hyper_parameters"), Value(Map{{"lr", 0.05}, {"limit", "inf"}}));
  EXPECT_EQ(state.at("loops").at("fit_loop"),
            Value(Map{{"stage", "training"}, {"batch", 2}, {"val_batch", 0}, {"batches_done", 5}}));
  EXPECT_EQ(state.at("random_state"),
            Value(Map{{"seed", "5"}, {"counters", Map{{"init", "4"}, {"loader", "2"}}}}));
  EXPECT_EQ(state.at("loaders").at("train_seed"), "2627730830944595995");
  EXPECT_EQ(state.at("loggers"), Value(List{Map{{"csv_offset", 116}}}));
  EXPECT_EQ(state.at("callbacks").size(), 4u);
  EXPECT_EQ(state.at("optimizer_states").as_list()[0].at("param_groups.0.momentum"), 0.9);
  EXPECT_EQ(state.at("lr_schedulers"), Value(List()));
}

TEST(FrozenCheckpoint, HoldsItsTensors) {
  const Checkpoint frozen = load_checkpoint_file(kFrozen);
  std::string names;
  for (const auto& [name, tensor] : frozen.tensors)
    names += name + " " + name_of(tensor.dtype()) + "\n";
  EXPECT_EQ(names, R"(state_dict.0.weight float32
state_dict.0.bias float32
state_dict.2.weight float32
state_dict.2.bias float32
optimizer_states.0.state.0.momentum_buffer float32
optimizer_states.0.state.1.momentum_buffer float32
optimizer_states.0.state.2.momentum_buffer float32
optimizer_states.0.state.3.momentum_buffer float32
metrics.loss.sums float64
metrics.loss.counts float64
metrics.l1.sums float64
metrics.l1.counts float64
)");
  EXPECT_EQ(frozen.with_prefix("state_dict.0.weight")[0].second.to_vector<float>(),
            (std::vector<float>{-0.6216455f, -0.06405697f, -0.055958994f, 0.15547512f, 0.01576192f,
                                0.25187704f}));
  EXPECT_EQ(frozen.with_prefix("metrics.l1.counts")[0].second.to_vector<double>(),
            (std::vector<double>{8, 2, -1}));
}

TEST(FrozenCheckpoint, ARunGoesOnFromIt) {
  const Scratch whole, resumed;
  const std::vector<double> expected = frozen_fit(whole, whole / "today.ckpt");
  const std::vector<double> got = frozen_fit(resumed, resumed / "later.ckpt", kFrozen);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-6);
  // Today's files hold at least what it holds.
  const Checkpoint frozen = load_checkpoint_file(kFrozen);
  const Checkpoint today = load_checkpoint_file(whole / "today.ckpt");
  for (const auto& [key, value] : frozen.state.as_map())
    EXPECT_NE(today.state.find(key), nullptr) << key;
  ASSERT_EQ(today.tensors.size(), frozen.tensors.size());
  for (std::size_t i = 0; i < frozen.tensors.size(); ++i)
    EXPECT_EQ(today.tensors[i].first, frozen.tensors[i].first);
}

}  // namespace
}  // namespace levin
