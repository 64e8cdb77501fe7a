// What a run's metrics come to: for callbacks, logs and metadata.
#include "../autograd/ops.h"
#include "callbacks/metadata.h"
#include "compiled_batches.h"
#include "console/log.h"
#include "trainer.h"

namespace levin::inline v0 {
namespace {

std::optional<double> value_of(CoreMetric& metric) {
  return metric.epoch_result_reduced(metric.epoch_result());
}

}  // namespace

// Each metric of training and of validation; null where no batch of the epoch gave it a value.
template <class Use>
void Trainer::each_metric(Use use) {
  const bool trained = train_metrics_.has_batches();
  const bool validated = at_.has_validation && val_metrics_.has_batches();
  auto validation = val_metrics_.begin();
  for (const auto& [name, metric] : train_metrics_) {
    use(name, trained ? &*metric : nullptr);
    if (has_validation()) use("val_" + name, validated ? &*(validation++)->metric : nullptr);
  }
}

// After a validation: its values, and those of the epoch so far.
void Trainer::publish_epoch() {
  callback_metrics_.clear();
  each_metric([&](const std::string& name, CoreMetric* metric) {
    if (!metric) return;
    if (const auto value = value_of(*metric)) callback_metrics_.set(name, *value);
  });
  publish_logged();
}

// A value that is logged in steps stays the last one.
void Trainer::publish_logged() {
  for (const auto& [name, value] : logged_.epoch(false)) callback_metrics_.set(name, value);
  for (const auto& [name, value] : logged_.steps()) callback_metrics_.set(name, value);
}

// A metric that is no number (a vector, a matrix) has no column: it stands in the metadata only. Its
// validation, which comes after it, has none either, even where it did not run.
void Trainer::log_epoch() {
  callback_metrics_.clear();
  Value::Map row;
  std::string numberless;
  each_metric([&](const std::string& name, CoreMetric* metric) {
    const Tensor full = metric ? metric->epoch_result() : Tensor();
    std::optional<double> reduced;
    if (metric) reduced = metric->epoch_result_reduced(full);
    if (full.defined() && !reduced) numberless = name;
    if (name != numberless && name != "val_" + numberless)
      row.emplace_back(name, reduced ? Value(*reduced) : Value());
    if (reduced) callback_metrics_.set(name, *reduced);
    if (full.defined()) model_->metadata_callback()->log_epoch_metric(name, at_.epoch, full);
  });
  warn_of_bad_loss();
  warn_of_one_class();
  train_metrics_.reset();
  val_metrics_.reset();
  for (const auto& [name, value] : logged_.epoch(true)) row.emplace_back(name, value);
  publish_logged();
  logged_.reset();
  if (callback_metrics_.empty()) return;  // every batch was skipped
  write_row(std::move(row));
}

void Trainer::write_row(Value::Map row) {
  row.emplace_back("epoch", at_.epoch);
  row.emplace_back("step", at_.batches_done - 1);
  for (const AnyLogger& logger : loggers_) logger->log_metrics(row);
}

// What is logged in steps is read only when it is written.
void Trainer::log_step() {
  const int64_t every = options_.log_every_n_steps;
  if (every == 0 || at_.batches_done % every != 0) return;
  Value::Map row;
  for (const auto& [name, value] : logged_.take_step()) {
    row.emplace_back(name, value);
    callback_metrics_.set(name, value);
  }
  if (!row.empty()) write_row(std::move(row));
}

// The results of one loader in an evaluation.
MetricValues Trainer::publish(const EpochMetrics& metrics, const std::string& prefix,
                              const std::string& suffix) {
  MetricValues values;
  if (!metrics.has_batches()) return values;
  for (const auto& [name, metric] : metrics) {
    const Tensor full = metric->epoch_result();
    const auto reduced = metric->epoch_result_reduced(full);
    const std::string shown = prefix + name;
    if (reduced) values.set(shown, *reduced);
    if (reduced) callback_metrics_.set(shown + suffix, *reduced);
    if (full.defined())
      model_->metadata_callback()->log_epoch_metric(shown + suffix, at_.epoch, full);
  }
  return values;
}

void Trainer::warn_of_bad_loss() {
  const int64_t batch = train_metrics_.loss().first_bad_batch();
  if (batch < 0 || warned_of_loss_) return;
  warned_of_loss_ = true;
  log_warning({"the training loss is not finite from epoch ", at_.epoch, ", batch ", batch,
               " on. Training goes on."});
}

// batch_weighted_bce of a batch that has one class only is 0 whatever the model says.
void Trainer::warn_of_one_class() {
  if (warned_of_one_class_ || !one_class_batches_.defined()) return;
  const auto count = one_class_batches_.item<int64_t>();
  if (count == 0) return;
  warned_of_one_class_ = true;
  log_warning({"batch_weighted_bce: ", count, " batches until epoch ", at_.epoch,
               " were of one class only: their loss and gradient are 0."});
}

void Trainer::log(const std::string& name, double value, const LogOptions& options) {
  log(name, full({}, value, kFloat64), options);
}

void Trainer::log(const std::string& name, const Tensor& value, const LogOptions& options) {
  if (!model_) fail(Fault::order, {"log: '", name, "': no run is going on"});
  if (predicting()) fail(Fault::order, {"log: '", name, "': not while predicting"});
  for (const std::string& metric : metric_names_)
    check(metric != name, {"log: '", name, "' is the name of a metric"});
  for (CompiledBatches* compiled : {compiled_training_.get(), compiled_evaluation_.get()})
    if (compiled && compiled->working()) compiled->stay_eager("Trainer::log is called inside");
  logged_.log(name, value, options, in_batch_, batch_size_);
}

std::optional<double> Trainer::callback_metric(std::string_view name) const {
  if (const auto newest = logged_.step(name)) return newest;
  return callback_metrics_.find(name);
}

MetricValues Trainer::progress_bar_metrics() const { return logged_.progress_bar(); }

}  // namespace levin::inline v0
