#include "early_stopping.h"

#include <algorithm>

#include "../../kernels/check.h"
#include "../console/log.h"
#include "../files/text.h"
#include "../trainer.h"

namespace levin::inline v0 {

EarlyStopping::EarlyStopping(EarlyStoppingOptions options) : options_(std::move(options)) {
  check(options_.mode == "min" || options_.mode == "max",
        {"`mode` can be min, max, got ", options_.mode});
  check(!options_.monitor.empty(), {"EarlyStopping: monitor is empty: a metric's name is needed"});
  check(options_.min_delta >= 0,
        {"EarlyStopping: min_delta ", options_.min_delta, ": at least 0 is needed"});
  check(options_.patience >= 0,
        {"EarlyStopping: patience ", options_.patience, ": at least 0 is needed"});
  best_score_ = worst();
}

std::string EarlyStopping::state_key() const {
  return "EarlyStopping{'monitor': '" + options_.monitor + "', 'mode': '" + options_.mode + "'}";
}

Value EarlyStopping::state_dict() const {
  Value state;
  state["wait_count"] = wait_count_;
  state["stopped_epoch"] = stopped_epoch_;
  state["best_score"] = best_score_;
  state["patience"] = options_.patience;
  state["stopped"] = stopped_;
  return state;
}

void EarlyStopping::load_state_dict(const Value& state) {
  wait_count_ = state.at("wait_count").as_integer();
  stopped_epoch_ = state.at("stopped_epoch").as_integer();
  best_score_ = real_of(state.at("best_score"));
  options_.patience = state.at("patience").as_integer();
  stopped_ = state.at("stopped").as_bool();
}

void EarlyStopping::setup(Trainer& trainer, LME&) {
  if (trainer.function() != TrainerFn::fit) return;
  const TrainerOptions& options = trainer.options();
  const BatchLimit& interval = options.val_check_interval;
  const bool once_an_epoch = interval.is_part() && interval.value() == 1 &&
                             options.check_val_every_n_epoch == std::optional<int64_t>(1);
  checks_epochs_ =
      options_.check_on_train_epoch_end.value_or(once_an_epoch || !trainer.has_validation());
  is_own_stop_ = stopped_ = warned_ = false;
  wait_count_ = stopped_epoch_ = 0;
  best_score_ = worst();
}

void EarlyStopping::on_fit_start(Trainer& trainer, LME&) {
  is_own_stop_ = stopped_;
  if (stopped_) trainer.should_stop = true;  // the run before, which goes on here
}

void EarlyStopping::on_train_epoch_end(Trainer& trainer, LME&) {
  if (checks_epochs_) run_check(trainer);
}

void EarlyStopping::on_validation_end(Trainer& trainer, LME&) {
  if (!checks_epochs_) run_check(trainer);
}

void EarlyStopping::run_check(Trainer& trainer) {
  if (trainer.function() != TrainerFn::fit || trainer.sanity_checking()) return;
  if (trainer.options().fast_dev_run > 0) return;
  const std::optional<double> current = trainer.callback_metric(options_.monitor);
  if (!current) return note_missing(trainer);
  std::string reason;
  stopped_ = decide(*current, &reason);
  if (stopped_) {
    if (!trainer.should_stop.exchange(true)) is_own_stop_ = true;
    stopped_epoch_ = trainer.current_epoch();
  } else if (is_own_stop_) {  // it was put off, and things have become better
    trainer.should_stop = is_own_stop_ = false;
  }
  if (options_.verbose && !reason.empty()) log_info({reason});
}

// A metric of the model may be without a value once: an epoch without validation, or one whose
// batches were all skipped. A name that nobody knows is a mistake.
void EarlyStopping::note_missing(const Trainer& trainer) {
  std::string found;
  for (const auto& [name, value] : trainer.callback_metrics())
    found += (found.empty() ? "" : "`, `") + name;
  const std::string problem =
      "Early stopping conditioned on metric `" + options_.monitor +
      "` which is not available. Pass in or modify your `EarlyStopping` callback to use any of the "
      "following: `" +
      found + "`";
  const auto& names = trainer.metric_names();
  const bool known = std::find(names.begin(), names.end(), options_.monitor) != names.end();
  if (options_.strict && !known) fail(Fault::order, {problem});
  if (!warned_ && (known || options_.verbose)) log_warning({problem});
  warned_ = true;
}

bool EarlyStopping::decide(double current, std::string* reason) {
  const std::string shown = options_.monitor + " = " + python_repr(current);
  const auto reached = [&](const char* which, bool is_better, double threshold) {
    *reason = std::string(which) + " threshold reached: " + shown +
              (is_better == is_max() ? " > " : " < ") + python_repr(threshold) +
              ". Signaling Trainer to stop.";
    return true;
  };
  if (options_.check_finite && !std::isfinite(current)) {
    *reason = "Monitored metric " + shown + " is not finite. Previous best value was " +
              fixed_text(best_score_, 3) + ". Signaling Trainer to stop.";
    return true;
  }
  if (const auto& good = options_.stopping_threshold; good && better(current, *good))
    return reached("Stopping", true, *good);
  if (const auto& bad = options_.divergence_threshold; bad && better(*bad, current))
    return reached("Divergence", false, *bad);
  if (better(current - min_delta(), best_score_)) {
    *reason = improvement(current);
    best_score_ = current;
    wait_count_ = 0;
    return false;
  }
  if (++wait_count_ < options_.patience) return false;
  *reason = "Monitored metric " + options_.monitor + " did not improve in the last " +
            std::to_string(wait_count_) + " records. Best score: " + fixed_text(best_score_, 3) +
            ". Signaling Trainer to stop.";
  return true;
}

std::string EarlyStopping::improvement(double current) const {
  const std::string score = "New best score: " + fixed_text(current, 3);
  if (!std::isfinite(best_score_)) return "Metric " + options_.monitor + " improved. " + score;
  return "Metric " + options_.monitor + " improved by " +
         fixed_text(std::abs(best_score_ - current), 3) +
         " >= min_delta = " + python_repr(options_.min_delta) + ". " + score;
}

}  // namespace levin::inline v0
