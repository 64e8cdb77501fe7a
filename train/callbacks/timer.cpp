#include "timer.h"

#include <chrono>
#include <cmath>

#include "../../kernels/check.h"
#include "../console/log.h"
#include "../files/text.h"
#include "../trainer.h"

namespace levin::inline v0 {
namespace {

constexpr std::array<const char*, 3> kStages = {"train", "validate", "test"};

std::size_t index_of(const std::string& stage) {
  for (std::size_t i = 0; i < kStages.size(); ++i)
    if (stage == kStages[i]) return i;
  fail({"Timer: the stage '", stage, "': 'train', 'validate' or 'test' is needed"});
}

double now() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Timer::Timer(std::optional<Duration> duration, TimerOptions options)
    : duration_(duration), options_(std::move(options)) {
  check(options_.interval == "step" || options_.interval == "epoch",
        {"Unsupported parameter value `Timer(interval=", options_.interval,
         ")`. Possible choices are: step, epoch"});
}

Value Timer::state_dict() const {
  Value state;
  for (const char* stage : kStages) state["time_elapsed"][stage] = time_elapsed(stage);
  state["stopped"] = stopped_;
  return state;
}

void Timer::load_state_dict(const Value& state) {
  for (std::size_t i = 0; i < kStages.size(); ++i)
    watches_[i] = {{}, {}, state.at("time_elapsed").at(kStages[i]).as_real()};
  stopped_ = state.at("stopped").as_bool();
}

void Timer::setup(Trainer& trainer, LME&) {
  if (trainer.function() != TrainerFn::fit) return;
  watches_ = {};
  stopped_ = told_ = false;
}

// Also where the run failed.
void Timer::teardown(Trainer&, LME&) {
  for (const char* stage : kStages) end(stage);
}

// A run that this timer has stopped goes on where there is more time now.
void Timer::on_fit_start(Trainer& trainer, LME&) {
  if (stopped_) trainer.should_stop = stopped_ = false;
  look(trainer);
}

void Timer::on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                               int64_t) {
  if (options_.interval == "step") look(trainer);
}

void Timer::on_train_epoch_end(Trainer& trainer, LME&) {
  if (options_.interval == "epoch") look(trainer);
}

void Timer::look(Trainer& trainer) {
  if (!duration_ || time_elapsed() < duration_->seconds()) return;
  if (!trainer.should_stop.exchange(true)) stopped_ = true;
  if (options_.verbose && !told_)
    log_info({"Time limit reached. Elapsed time is ", duration_text(std::floor(time_elapsed())),
              ". Signaling Trainer to stop."});
  told_ = true;
}

void Timer::start(const std::string& stage) {
  Watch& watch = watches_[index_of(stage)];
  watch = {now(), {}, stage == "train" ? watch.before : 0};
}

void Timer::end(const std::string& stage) {
  Watch& watch = watches_[index_of(stage)];
  if (watch.start && !watch.end) watch.end = now();
}

double Timer::time_elapsed(const std::string& stage) const {
  const Watch& watch = watches_[index_of(stage)];
  return watch.start ? watch.before + watch.end.value_or(now()) - *watch.start : watch.before;
}

std::optional<double> Timer::time_remaining(const std::string& stage) const {
  if (!duration_) return {};
  return duration_->seconds() - time_elapsed(stage);
}

std::optional<double> Timer::start_time(const std::string& stage) const {
  return watches_[index_of(stage)].start;
}

std::optional<double> Timer::end_time(const std::string& stage) const {
  return watches_[index_of(stage)].end;
}

}  // namespace levin::inline v0
