// Optimizers and schedulers as the reference files name them (tests/reference/optim).
#pragma once

#include <levin/levin.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace levin {

using Json = nlohmann::json;
using Tensors = std::vector<Tensor>;

/// The groups of a case: numbers of parameters, and their lr.
struct CaseGroup {
  std::vector<int> params;
  double lr;
};

/// "Adam" with its options: betas, weight_decay, ..
optim::AnyOptimizer make_optimizer(const std::string& name, const Json& options,
                                   const Tensors& parameters, const std::vector<CaseGroup>& groups);

/// One of every kind, each option that adds state or arithmetic in use.
const std::vector<std::pair<std::string, Json>>& every_rule();

/// "StepLR" with its options.
optim::AnyScheduler make_scheduler(const std::string& name, const Json& options,
                                   const optim::AnyOptimizer& optimizer);

inline Json reference_json(const std::string& file) {
  return Json::parse(std::ifstream(LEVIN_TEST_DIR "/reference/optim/" + file));
}

inline std::vector<double> numbers_of(const Tensors& tensors) {
  std::vector<double> numbers;
  for (const Tensor& tensor : tensors)
    for (const double number : tensor.to_vector<double>()) numbers.push_back(number);
  return numbers;
}

inline std::vector<double> rates_of(const optim::Optimizer& optimizer) {
  std::vector<double> rates;
  for (int group = 0; group < optimizer.group_count(); ++group)
    rates.push_back(optimizer.lr(group));
  return rates;
}

}  // namespace levin
