#include "plot_metrics.h"

#include <cmath>

#include "../../tensor/file.h"
#include "../files/text.h"
#include "../lme.h"
#include "../log.h"
#include "../plot/metric_plot.h"
#include "../trainer.h"

namespace levin::inline v0 {
namespace {

std::vector<double> numbers(const Value& history, const std::string& name) {
  std::vector<double> result;
  if (const Value* list = history.find(name))
    for (const Value& value : list->as_list())
      result.push_back(value.is_null() ? NAN : real_of(value));
  return result;
}

}  // namespace

void PlotMetrics::setup(Trainer& trainer, LME&) {
  if (!trainer.is_resuming()) history_ = {};
}

void PlotMetrics::on_fit_start(Trainer& trainer, LME&) {
  if (trainer.log_dir().empty())
    log_warning({"PlotMetrics draws nothing: the trainer has no logger."});
  drawn_ = true;
  appended_ = -1;
  drawn_at_ = seconds_now();
}

void PlotMetrics::append(const Trainer& trainer) {
  if (appended_ == trainer.current_epoch()) return;
  appended_ = trainer.current_epoch();
  for (const std::string& name : trainer.metric_names()) {
    const std::optional<double> value = trainer.callback_metric(name);
    history_[name].push_back(value ? Value(*value) : Value());
  }
}

void PlotMetrics::on_save_checkpoint(Trainer& trainer, LME&, Value& checkpoint) {
  if (trainer.stage() != Stage::epoch_end) return;
  append(trainer);
  checkpoint["callbacks"][state_key()] = state_dict();
}

void PlotMetrics::on_epoch_logged(Trainer& trainer, LME& model) {
  append(trainer);
  drawn_ = false;
  if (seconds_now() - drawn_at_ >= interval_) draw(trainer, model);
}

void PlotMetrics::on_fit_end(Trainer& trainer, LME& model) {
  if (!drawn_) draw(trainer, model);
}

void PlotMetrics::on_exception(Trainer& trainer, LME& model, const std::exception&) {
  if (!drawn_) draw(trainer, model);
}

void PlotMetrics::draw(const Trainer& trainer, const LME& model) {
  drawn_ = true;
  if (trainer.log_dir().empty()) return;
  const auto draw_one = [&](const std::string& name, bool higher_is_better) {
    const MetricHistory metric{name, higher_is_better, numbers(history_, name),
                               numbers(history_, "val_" + name)};
    write_whole(trainer.log_dir() + "/" + name + ".png", metric_plot_png(metric));
  };
  draw_one("loss", false);
  for (const auto& [name, metric] : model.metrics) draw_one(name, metric->higher_is_better());
  drawn_at_ = seconds_now();
}

}  // namespace levin::inline v0
