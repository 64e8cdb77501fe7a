#include "metric_record.h"

#include <algorithm>
#include <cmath>

#include "../files/text.h"
#include "../trainer.h"

namespace levin::inline v0 {
namespace {

std::vector<double> numbers(const Value& values, const std::string& name) {
  std::vector<double> result;
  if (const Value* list = values.find(name))
    for (const Value& value : list->as_list())
      result.push_back(value.is_null() ? NAN : real_of(value));
  return result;
}

}  // namespace

void MetricRecord::start(const Trainer& trainer) {
  if (!trainer.is_resuming()) values_ = {};
  appended_ = -1;
}

bool MetricRecord::append(const Trainer& trainer) {
  if (appended_ == trainer.current_epoch()) return false;
  appended_ = trainer.current_epoch();
  const auto before = static_cast<std::size_t>(epochs());
  for (const std::string& name : trainer.metric_names()) {
    const std::optional<double> value = trainer.callback_metric(name);
    Value& list = values_[name];
    while (list.size() < before) list.push_back({});  // a metric that the run before did not have
    list.push_back(value ? Value(*value) : Value());
  }
  return true;
}

int64_t MetricRecord::epochs() const {
  std::size_t most = 0;
  if (values_.is_map())
    for (const auto& [name, list] : values_.as_map()) most = std::max(most, list.size());
  return static_cast<int64_t>(most);
}

bool MetricRecord::has_numbers(const std::string& name) const {
  for (const std::string& key : {name, "val_" + name})
    if (const Value* list = values_.find(key))
      for (const Value& value : list->as_list())
        if (!value.is_null()) return true;
  return false;
}

MetricHistory MetricRecord::history(const std::string& name, bool higher_is_better) const {
  return {name, higher_is_better, numbers(values_, name), numbers(values_, "val_" + name)};
}

}  // namespace levin::inline v0
