// What both kinds of checkpoints hold, compared with those of LME (as far as a file of ours has the
// same thing: the loops' many counters are a few numbers here).
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/files/text.h>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

// "tensor torch.float32 [10, 5]", and its value where it is one number
std::string described(const Tensor& tensor) {
  std::string shape;
  for (const int64_t size : tensor.shape())
    shape += (shape.empty() ? "" : ", ") + std::to_string(size);
  return "tensor torch." + std::string(name_of(tensor.dtype())) + " [" + shape + "]";
}

std::string file_of(const std::string& folder, const std::string& start) {
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().starts_with(start)) return entry.path();
  return "";
}

void expect_common(const Checkpoint& got, const Value& lme) {
  for (const char* key : {"epoch", "global_step", "hyper_parameters"})
    EXPECT_EQ(got.state.at(key), lme.at(key)) << key;
  const auto weights = got.with_prefix("state_dict.");
  const Value::Map& expected = lme.at("state_dict").as_map();
  ASSERT_EQ(weights.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(weights[i].first, expected[i].first);
    EXPECT_EQ(described(weights[i].second), expected[i].second.as_text());
  }
  for (const char* key : {"callbacks", "optimizer_states", "lr_schedulers"})
    EXPECT_EQ(got.state.find(key) != nullptr, lme.find(key) != nullptr) << key;
}

// LME's key is how ours begins; every entry of the state is there, of the same kind.
void expect_checkpoint_states(const Value& got, const Value& lme) {
  int compared = 0;
  for (const auto& [key, expected] : lme.as_map()) {
    if (!key.starts_with("ModelCheckpoint")) continue;
    const std::string start = key.substr(0, key.size() - 1);  // without the brace
    for (const auto& [own, state] : got.as_map()) {
      if (!own.starts_with(start)) continue;
      ++compared;
      for (const auto& [name, value] : expected.as_map()) {
        ASSERT_NE(state.find(name), nullptr) << name;
        EXPECT_EQ(state.at(name).is_null(), value.is_null()) << key << " " << name;
        EXPECT_EQ(state.at(name).is_map(), value.is_map()) << key << " " << name;
      }
      EXPECT_EQ(state.at("monitor"), expected.at("monitor"));
      EXPECT_EQ(state.at("best_k_models").size(), expected.at("best_k_models").size());
      EXPECT_EQ(state.at("last_model_path") == Value(""),
                expected.at("last_model_path") == Value(""));
    }
  }
  EXPECT_EQ(compared, 2);
}

TEST(Checkpoint, HoldsWhatThoseOfLMEHold) {
  const Value lme = from_json(
      read_whole(std::string(LEVIN_TEST_DIR) + "/reference/lme/facts/checkpoints.json"), "facts");
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  model.optimizer = optim::Adam(model.parameters(), {.lr = 0.01});
  model.scheduler = {.scheduler = optim::StepLR(model.optimizer, {.step_size = 1})};
  model.hparams["foo"] = 1;
  Trainer trainer(quiet(folder.path(), 2));
  const auto loader = normal_loader(20, 5, 10);
  trainer.fit(model, loader, loader);
  const std::string dir = trainer.log_dir() + "/checkpoints";
  const Checkpoint best = load_checkpoint_file(file_of(dir, "epoch=1-val_loss="));
  const Checkpoint last = load_checkpoint_file(dir + "/last.ckpt");
  expect_common(best, lme.as_map()[0].second);
  const Value& expected = lme.at("last.ckpt");
  expect_common(last, expected);
  expect_checkpoint_states(last.state.at("callbacks"), expected.at("callbacks"));
  EXPECT_NE(last.state.at("callbacks").find("MetadataCallback"), nullptr);

  const Value& optimizer = expected.at("optimizer_states").as_list()[0];
  for (const auto& [parameter, parts] : optimizer.at("state").as_map())
    for (const char* part : {"exp_avg", "exp_avg_sq"}) {
      const auto found = last.with_prefix("optimizer_states.0.state." + parameter + "." + part);
      ASSERT_EQ(found.size(),
                part == std::string("exp_avg") ? 2u : 1u);  // exp_avg_sq begins so too
      EXPECT_EQ(described(found[0].second), parts.at(part).as_text());
    }
  const Value& group = optimizer.at("param_groups").as_list()[0];
  const Value& own = last.state.at("optimizer_states").as_list()[0];
  for (const char* name : {"eps", "weight_decay", "initial_lr"})
    EXPECT_EQ(real_of(own.at(std::string("param_groups.0.") + name)), group.at(name).as_real())
        << name;
  const Value& scheduler = last.state.at("lr_schedulers").as_list()[0];
  EXPECT_EQ(scheduler.at("last_epoch").as_real(), 1);  // LME's has stepped once too often (Q6)
}

}  // namespace
}  // namespace levin
