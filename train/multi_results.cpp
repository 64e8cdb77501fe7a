// What the runs of a MultiTrainer come to: their results, the summary, the links to the best one.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "../kernels/check.h"
#include "../tensor/file.h"
#include "console/log.h"
#include "files/text.h"
#include "multi_trainer.h"

namespace levin::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr const char* kResults = "results.json";
constexpr const char* kOfLoader = "/dataloader_idx_";

bool is_better(double value, double than, bool higher_is_better) {
  if (std::isnan(value)) return false;
  return std::isnan(than) || (higher_is_better ? value > than : value < than);
}

bool higher_is_better(const LME& model, const std::string& name) {
  for (const auto& [metric, declared] : model.metrics)
    if (metric == name) return declared->higher_is_better();
  return name == "loss" && model.criterion_fn && model.criterion_fn.metric()->higher_is_better();
}

// The sample's; NaN counts for nothing.
std::pair<double, double> mean_and_deviation(const std::vector<double>& values) {
  double sum = 0, squares = 0, count = 0;
  for (const double value : values)
    if (!std::isnan(value)) sum += value, ++count;
  const double mean = sum / count;
  for (const double value : values)
    if (!std::isnan(value)) squares += (value - mean) * (value - mean);
  return {mean, count > 1 ? std::sqrt(squares / (count - 1)) : NAN};
}

std::string target_of(const std::string& run, const std::string& name) {
  return (fs::path("MultiTrainer") / run / name).string();
}

// Made by link_best(), of this or another run.
bool is_own_link(const fs::path& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error)) return false;
  const fs::path target = fs::read_symlink(path, error);
  const std::string run = target.parent_path().filename().string();
  return !run.empty() && run.find_first_not_of("0123456789") == std::string::npos &&
         target == target_of(run, path.filename().string());
}

}  // namespace

std::string MultiTrainer::log_dir() const {
  start_loggers(loggers());
  return logger().log_dir();
}

void MultiTrainer::save_result(int64_t run, const std::vector<MetricValues>& tested,
                               const std::string& best_model_path) const {
  Value result;
  result["run"] = run;
  result["seed"] = std::to_string(default_generator().seed());
  const fs::path folder = folder_of(run);
  result["best_model_path"] = Value();
  if (!best_model_path.empty())
    result["best_model_path"] = fs::path(best_model_path).lexically_proximate(folder).string();
  Value& metrics = result["metrics"] = Value::Map();
  for (std::size_t i = 0; i < tested.size(); ++i)
    for (const auto& [name, value] : tested[i])
      metrics[tested.size() > 1 ? name + kOfLoader + std::to_string(i) : name] = value;
  write_whole(result_path(run), to_json(result, 4, NonFinite::null));
}

std::vector<MultiTrainer::Result> MultiTrainer::results() const {
  std::vector<Result> found;
  for (int64_t run = 0; run < num_trains_; ++run) {
    const std::string path = result_path(run);
    if (!fs::exists(path)) continue;
    const Value saved = from_json(read_whole(path), path);
    Result& result = found.emplace_back();
    result.run = run;
    for (const auto& [name, value] : saved.at("metrics").as_map())
      result.metrics.set(name, value.is_null() ? NAN : value.as_real());
    const Value& best = saved.at("best_model_path");
    if (!best.is_null())
      result.best_model_path = (fs::path(folder_of(run)) / best.as_text()).string();
  }
  return found;
}

std::vector<MetricValues> MultiTrainer::fit_metrics() const {
  std::vector<MetricValues> all;
  for (Result& result : results()) {
    all.push_back(std::move(result.metrics));
    check(all.back().names() == all[0].names(),
          {"MultiTrainer: Not all keys are identical: ", python_list(all[0].names()), ", run ",
           result.run, " has ", python_list(all.back().names())});
  }
  return all;
}

std::vector<std::string> MultiTrainer::metrics() const {
  const auto all = fit_metrics();
  return all.empty() ? std::vector<std::string>() : all[0].names();
}

int64_t MultiTrainer::best_id() const {
  if (!done_)
    fail(Fault::order, {"MultiTrainer: Cannot get best_id before the experiment is done"});
  if (best_id_ < 0)
    fail(Fault::order, {"MultiTrainer: no run has a finite '", options_.relevant_metric, "'"});
  return best_id_;
}

std::string MultiTrainer::best_model_path() const {
  best_id();
  return best_model_path_;
}

std::vector<MetricValues> MultiTrainer::test(LME& model, data::Loaders loaders,
                                             const EvaluationOptions& options) {
  if (!done_) fail(Fault::order, {"MultiTrainer: Cannot test before the experiment is done"});
  EvaluationOptions chosen = options;
  if (chosen.ckpt_path == "best") chosen.ckpt_path = best_model_path();
  return trainer_->test(model, std::move(loaders), chosen);
}

void MultiTrainer::choose_best(const LME& model) {
  const std::string& name = options_.relevant_metric;
  const bool higher = higher_is_better(model, name);
  double best = NAN;
  for (const Result& result : results()) {
    auto value = result.metrics.find(name);
    if (!value) value = result.metrics.find(name + kOfLoader + "0");
    if (!value || !is_better(*value, best, higher)) continue;
    best = *value;
    best_id_ = result.run;
    best_model_path_ = result.best_model_path;
  }
  if (best_id_ < 0)
    log_warning({"MultiTrainer: no run has a finite '", name, "': none is the best"});
  else
    log_info(
        {"MultiTrainer: the best of ", num_trains_, " runs is ", best_id_, ": ", name, " ", best});
}

// As a CSVLogger writes: a column for each metric that a run has, CRLF.
void MultiTrainer::write_summary() const {
  const std::vector<Result> all = results();
  std::vector<std::string> rows = {"run"};
  for (const Result& result : all) rows.push_back(std::to_string(result.run));
  rows.insert(rows.end(), {"mean", "std"});
  std::vector<std::string> names;
  for (const Result& result : all)
    for (const auto& [name, value] : result.metrics)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  for (const std::string& name : names) {
    std::vector<double> column;
    for (const Result& result : all) column.push_back(result.metrics.find(name).value_or(NAN));
    const auto [mean, deviation] = mean_and_deviation(column);
    column.insert(column.end(), {mean, deviation});
    rows[0] += "," + name;
    for (std::size_t i = 0; i < column.size(); ++i) rows[i + 1] += "," + python_repr(column[i]);
  }
  std::string text;
  for (const std::string& row : rows) text += row + "\r\n";
  write_whole(runs_folder() + "/fit_metrics.csv", text);
}

void MultiTrainer::link_best() const {
  std::error_code error;
  const fs::path folder = log_dir();
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder))
    if (is_own_link(entry.path())) old.push_back(entry.path());
  for (const fs::path& link : old) fs::remove(link, error);
  if (best_id_ < 0) return;
  for (const auto& entry : fs::directory_iterator(folder_of(best_id_))) {
    const std::string name = entry.path().filename().string();
    if (name == kResults) continue;
    fs::create_symlink(target_of(std::to_string(best_id_), name), folder / name, error);
    if (error)
      log_warning({"MultiTrainer: no link '", (folder / name).string(),
                   "' to the best run: ", error.message()});
  }
}

}  // namespace levin::inline v0
