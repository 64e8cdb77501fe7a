#include "html_report.h"

#include <algorithm>

#include "../../tensor/file.h"
#include "../../tensor/generator.h"
#include "../console/log.h"
#include "../files/text.h"
#include "../report/run_report.h"
#include "../trainer.h"

namespace levin::inline v0 {

Value HtmlReport::state_dict() const {
  Value state;
  state["metrics"] = record_.values();
  state["seconds"] = seconds_;
  return state;
}

void HtmlReport::load_state_dict(const Value& state) {
  record_.load(state.at("metrics"));
  seconds_ = state.at("seconds");
}

void HtmlReport::setup(Trainer& trainer, LME&) {
  record_.start(trainer);
  if (!trainer.is_resuming()) seconds_ = {};
}

void HtmlReport::teardown(Trainer&, LME&) { started_ = false; }

void HtmlReport::on_fit_start(Trainer& trainer, LME&) {
  if (trainer.log_dir().empty())
    log_warning({"HtmlReport writes nothing: the trainer has no logger."});
  started_ = true;
  seed_ = default_generator().seed();
  epoch_began_ = seconds_now();
  next_write_ = epoch_began_ + interval_;
}

void HtmlReport::on_train_epoch_start(Trainer&, LME&) { epoch_began_ = seconds_now(); }

void HtmlReport::append(const Trainer& trainer) {
  if (record_.append(trainer)) seconds_.push_back(seconds_now() - epoch_began_);
}

void HtmlReport::on_save_checkpoint(Trainer& trainer, LME&, Value& checkpoint) {
  if (trainer.stage() != Stage::epoch_logged) return;
  append(trainer);
  checkpoint["callbacks"][state_key()] = state_dict();
}

void HtmlReport::on_epoch_logged(Trainer& trainer, LME& model) {
  append(trainer);
  const double begin = seconds_now();
  if (begin < next_write_) return;
  write(trainer, model, RunState::running);
  const double end = seconds_now();
  next_write_ = end + std::max(interval_, 19 * (end - begin));
}

void HtmlReport::on_fit_end(Trainer& trainer, LME& model) {
  write(trainer, model, RunState::finished);
}

void HtmlReport::on_exception(Trainer& trainer, LME& model, const std::exception& error) {
  if (started_) write(trainer, model, RunState::failed, error.what());
}

void HtmlReport::write(const Trainer& trainer, const LME& model, RunState state,
                       const std::string& error) {
  if (trainer.log_dir().empty()) return;
  Report report = run_report(trainer, model, {record_, seconds_, seed_});
  report.state = state;
  report.error = error;
  write_whole(trainer.log_dir() + "/report.html", report_page(report));
}

}  // namespace levin::inline v0
