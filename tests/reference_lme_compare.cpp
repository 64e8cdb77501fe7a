// How a run is compared with LME's.
#include <gtest/gtest.h>
#include <levin/train/files/text.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "reference_lme.h"

namespace levin {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

// Cell of a row by the column's name; empty where the column is missing.
std::string cell(const Cells& table, std::size_t row, const std::string& column) {
  for (std::size_t k = 0; k < table[0].size(); ++k)
    if (table[0][k] == column) return table[row][k];
  return "";
}

// Rates by epoch, one for each optimizer.
std::vector<std::vector<double>> rates(const LmeCase& run) {
  const Cells table = run.csv(run.best_file("lr"));
  std::vector<std::vector<double>> rates;
  for (std::size_t i = 1; i < table.size(); ++i) {
    std::vector<double>& row = rates.emplace_back();
    for (std::size_t k = 1; k < table[i].size(); ++k) row.push_back(std::stod(table[i][k]));
  }
  return rates;
}

// A monitored name, and its best epoch.
struct Best {
  std::string monitor;
  std::size_t epoch = 0;
  double score = 0;
};

std::vector<Best> best_epochs(const LmeCase& run, std::size_t first_epoch = 0) {
  const Cells table = run.csv("expected_fixed.csv");
  std::vector<Best> all;
  for (const Value& name : run.plan().at("checkpoint_monitors").as_list()) {
    const bool validated = !run.loader("val").empty();
    Best best{(validated ? "val_" : "") + name.as_text()};
    const Value* metric = run.plan().at("metrics").find(name.as_text());
    const bool max = metric && metric->at("mode") == Value("max");
    for (std::size_t i = first_epoch + 1; i < table.size(); ++i) {
      const double score = std::stod(cell(table, i, best.monitor));
      if (i > first_epoch + 1 && (max ? score <= best.score : score >= best.score)) continue;
      best.epoch = i - 1;
      best.score = score;
    }
    all.push_back(best);
  }
  return all;
}

std::string checkpoint_name(const Best& best) {
  return "epoch=" + std::to_string(best.epoch) + "-" + best.monitor + "=" +
         fixed_text(best.score, 3) + ".ckpt";
}

// A list of one number is that number.
const Value* single(const Value& value) {
  if (!value.is_list()) return &value;
  return value.size() == 1 && !value.as_list()[0].is_list() ? &value.as_list()[0] : nullptr;
}

// One metric's results. Numbers that stand in the csv are those of the run without defects; others
// (matrices, vectors) are LME's, but for the epochs that a sanity check leaked into (Q1).
void expect_epochs(const Value& epochs, const Value& of_lme, const std::string& name,
                   const Cells& table) {
  ASSERT_EQ(epochs.size(), table.size() - 1) << name;
  for (std::size_t i = 1; i < table.size(); ++i) {
    const auto& [epoch, value] = epochs.as_map()[i - 1];
    EXPECT_EQ(epoch, cell(table, i, "epoch"));
    const Value* expected = of_lme.find(epoch);
    if (const Value* one = single(value)) {
      EXPECT_NEAR(real_of(*one), std::stod(cell(table, i, name)), 5e-6) << name << " " << epoch;
      EXPECT_EQ(value.is_list(), !expected || expected->is_list()) << name;
    } else if (expected && !(name.starts_with("val_") && i == 1)) {
      expect_like(value, *expected, name + " " + epoch);
    }
  }
}

void expect_best(const LmeCase& run, const Value& best, const Value& of_lme) {
  const Best expected = best_epochs(run)[0];
  EXPECT_EQ(best.at("monitor"), Value(expected.monitor));
  EXPECT_EQ(best.at("epoch"), Value(expected.epoch));
  EXPECT_NEAR(best.at("score").as_real(), expected.score, 5e-6);
  EXPECT_EQ(fs::path(best.at("path").as_text()).filename(), checkpoint_name(expected));
  EXPECT_EQ(best.at("hyper_parameters"), of_lme.at("hyper_parameters"));
  const auto lrs = rates(run);
  const std::vector<double>& now = lrs[expected.epoch];
  const Value& lr = best.at("optimizer_lr");
  ASSERT_EQ(lr.is_list() ? lr.size() : 1, now.size());
  for (std::size_t k = 0; k < now.size(); ++k)
    EXPECT_NEAR((lr.is_list() ? lr.as_list()[k] : lr).as_real(), now[k], 1e-12);
  if (const Value* count = best.find("scheduler_num_lr_reduced")) {  // Q7
    EXPECT_EQ(count->as_integer(), std::lround(std::log(now[0] / lrs[0][0]) / std::log(0.5)));
  }
}

void expect_lr_history(const Value& optimizer, const std::vector<std::vector<double>>& rates) {
  const auto one = [&](const Value& entry, std::size_t number) {
    const Value::List& history = entry.at("lr_history").as_list();
    ASSERT_EQ(history.size(), rates.size());
    for (std::size_t i = 0; i < rates.size(); ++i)
      EXPECT_NEAR(history[i].as_real(), rates[i][number], 1e-12) << "epoch " << i;
    EXPECT_NEAR(entry.at("starting_lr").as_real(), rates[0][number], 1e-12);
  };
  if (optimizer.is_map()) return one(optimizer, 0);
  for (std::size_t i = 0; i < optimizer.size(); ++i) one(optimizer.as_list()[i], i);
}

// What depends on the clock, the program, or is compared elsewhere; its place stays.
void blank(Value* value) {
  if (value->is_list())
    for (Value& item : value->as_list()) blank(&item);
  if (!value->is_map()) return;
  for (auto& [key, item] : value->as_map()) {
    const bool varies = key == "run_command" || key == "lr_history" || key == "best_model" ||
                        key.ends_with("_timestamp") || key.ends_with("_timestamps") ||
                        key.ends_with("_date") || key.ends_with("_duration") ||
                        key == "epoch_metrics";
    if (varies && !item.is_null())
      item = "blank";
    else
      blank(&item);
  }
}

std::vector<std::string> keys_of(const Value& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map.as_map()) keys.push_back(key);
  return keys;
}

// 0 null, 1 bool, ..: an integer is no real.
int kind_of(const Value& value) {
  return value.is_bool() + 2 * value.is_integer() + 3 * value.is_real() + 4 * value.is_text() +
         5 * value.is_list() + 6 * value.is_map();
}

}  // namespace

void expect_like(const Value& value, const Value& expected, const std::string& place) {
  ASSERT_EQ(kind_of(value), kind_of(expected)) << place;
  if (expected.is_map()) {
    ASSERT_EQ(keys_of(value), keys_of(expected)) << place;
    for (const auto& [key, item] : expected.as_map())
      expect_like(value.at(key), item, place + "." + key);
  } else if (expected.is_list()) {
    ASSERT_EQ(value.size(), expected.size()) << place;
    for (std::size_t i = 0; i < expected.size(); ++i)
      expect_like(value.as_list()[i], expected.as_list()[i], place + "." + std::to_string(i));
  } else if (expected.is_real()) {
    EXPECT_NEAR(value.as_real(), expected.as_real(), 5e-6) << place;
  } else {
    EXPECT_EQ(value, expected) << place;
  }
}

void expect_steps(const LmeCase& run, const std::vector<StepLog::Step>& steps) {
  const Cells expected = run.csv(run.best_file("steps"));
  const auto lrs = rates(run);
  ASSERT_EQ(steps.size(), expected.size() - 1);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const StepLog::Step& step = steps[i];
    EXPECT_EQ(std::to_string(step.epoch), expected[i + 1][0]) << "step " << i;
    EXPECT_EQ(std::to_string(step.batch), expected[i + 1][1]) << "step " << i;
    const double loss = std::stod(expected[i + 1][2]);
    EXPECT_NEAR(step.loss, loss, 1e-5 * std::abs(loss)) << "step " << i;
    const std::vector<double>& lr = lrs.at(step.epoch);
    ASSERT_EQ(step.lrs.size(), lr.size());
    for (std::size_t k = 0; k < lr.size(); ++k)
      EXPECT_NEAR(step.lrs[k], lr[k], 1e-12) << "step " << i;
  }
}

void expect_weights(const LmeCase& run, const LME& model, const std::string& file) {
  const nn::NamedTensors expected = run.tensors(file), state = model.state_dict();
  ASSERT_EQ(state.size(), expected.size());
  for (const auto& [name, tensor] : state) {
    bool found = false;
    for (const auto& [other, values] : expected) {
      if (name != other) continue;
      found = true;
      EXPECT_LT((tensor - values).abs().max().item(), 1e-5) << name;
    }
    EXPECT_TRUE(found) << name;
  }
}

void expect_metrics(const std::string& text, const Cells& expected) {
  const Cells rows = csv_of(text);
  ASSERT_EQ(rows.size(), expected.size()) << text;
  EXPECT_EQ(rows[0], expected[0]);
  std::string again;  // lines end with CRLF, the last one too
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), expected[0].size());
    for (std::size_t k = 0; k < rows[i].size(); ++k) {
      const std::string &cell = rows[i][k], &column = rows[0][k];
      again += (k ? "," : "") + cell;
      if (i == 0) continue;
      if (column == "epoch" || column == "step" || expected[i][k].empty()) {
        EXPECT_EQ(cell, expected[i][k]) << "row " << i << ", " << column;
      } else {
        EXPECT_NEAR(std::stod(cell), std::stod(expected[i][k]), 5e-6)
            << "row " << i << ", " << column;
        EXPECT_EQ(cell, python_repr(std::stod(cell)));
      }
    }
    again += "\r\n";
  }
  EXPECT_EQ(text, again);
}

void expect_metadata(const LmeCase& run, Value metadata) {
  Value expected = run.json("fit_metadata.json");
  const bool sparse = !run.has("expected_fixed.csv");  // its validation differs (3.3)
  expect_lr_history(metadata.at("optimizer"), rates(run));
  EXPECT_EQ(metadata.at("epoch_timestamps").size(), rates(run).size());
  if (!sparse) {
    expect_best(run, metadata.at("best_model"), expected.at("best_model"));
    EXPECT_EQ(keys_of(metadata.at("best_model")), keys_of(expected.at("best_model")));
    EXPECT_EQ(metadata.erase("best_models"),  // Q44
              run.plan().at("checkpoint_monitors").size() > 1);
    const Value &epochs = metadata.at("epoch_metrics"), &of_lme = expected.at("epoch_metrics");
    EXPECT_EQ(keys_of(epochs), keys_of(of_lme));
    for (const auto& [name, values] : epochs.as_map())
      expect_epochs(values, of_lme.at(name), name, run.csv("expected_fixed.csv"));
  }
  blank(&metadata);
  blank(&expected);
  expect_like(metadata, expected, "fit_metadata");
}

void expect_files(const LmeCase& run, const std::string& log_dir, std::size_t first_epoch) {
  Names expected = {"hparams.yaml"}, found;  // Q21
  const bool sparse = !run.has("expected_fixed.csv");
  for (const auto& row : run.csv("files.txt"))
    if (sparse || !row[0].starts_with("checkpoints/epoch")) expected.insert(row[0]);
  if (!sparse)
    for (const std::size_t epoch : {std::size_t{0}, first_epoch})
      for (const Best& best : best_epochs(run, epoch))
        expected.insert("checkpoints/" + checkpoint_name(best));
  for (const auto& entry : fs::recursive_directory_iterator(log_dir))
    if (!entry.is_directory()) found.insert(fs::relative(entry.path(), log_dir).string());
  EXPECT_EQ(found, expected);
}

}  // namespace levin
