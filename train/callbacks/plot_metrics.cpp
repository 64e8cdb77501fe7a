#include "plot_metrics.h"

#include "../../tensor/file.h"
#include "../console/log.h"
#include "../files/text.h"
#include "../lme.h"
#include "../plot/metric_plot.h"
#include "../trainer.h"

namespace levin::inline v0 {

void PlotMetrics::setup(Trainer& trainer, LME&) { record_.start(trainer); }

void PlotMetrics::on_fit_start(Trainer& trainer, LME&) {
  if (trainer.log_dir().empty())
    log_warning({"PlotMetrics draws nothing: the trainer has no logger."});
  // The run before may have ended before it drew what it knew.
  drawn_ = !trainer.is_resuming() || record_.epochs() == 0;
  drawn_at_ = seconds_now();
}

void PlotMetrics::on_save_checkpoint(Trainer& trainer, LME&, Value& checkpoint) {
  if (trainer.stage() != Stage::epoch_logged) return;
  record_.append(trainer);
  checkpoint["callbacks"][state_key()] = state_dict();
}

void PlotMetrics::on_epoch_logged(Trainer& trainer, LME& model) {
  record_.append(trainer);
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
    if (!record_.has_numbers(name)) return;  // a matrix, say
    write_whole(trainer.log_dir() + "/" + name + ".png",
                metric_plot_png(record_.history(name, higher_is_better)));
  };
  draw_one("loss", false);
  for (const auto& [name, metric] : model.metrics) draw_one(name, metric->higher_is_better());
  drawn_at_ = seconds_now();
}

}  // namespace levin::inline v0
