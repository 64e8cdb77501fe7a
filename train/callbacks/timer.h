// Timer: how long a run takes; ends a fit whose time is up.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "../callback.h"
#include "../trainer_options.h"

namespace levin::inline v0 {

struct TimerOptions {
  std::string interval = "step";  ///< it looks at the clock after each batch, or each "epoch"
  bool verbose = true;            ///< says that the time is up
};

/// `Timer("00:12:00:00")`, `Timer(std::chrono::minutes(5))`. When the time is up the fit ends as with
/// Trainer::should_stop. The time of training goes on counting in a run that is resumed; one that
/// gives more time goes on where the first was stopped.
class Timer : public Callback {
 public:
  /// Without a duration it only measures. Throws std::invalid_argument for another interval.
  explicit Timer(std::optional<Duration> duration = {}, TimerOptions options = {});

  Value state_dict() const override;
  void load_state_dict(const Value& state) override;
  void setup(Trainer& trainer, LME& model) override;
  void teardown(Trainer& trainer, LME& model) override;
  void on_fit_start(Trainer& trainer, LME& model) override;
  void on_train_start(Trainer&, LME&) override { start("train"); }
  void on_train_end(Trainer&, LME&) override { end("train"); }
  void on_train_epoch_end(Trainer& trainer, LME& model) override;
  void on_train_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                          const data::Batch& batch, int64_t batch_idx) override;
  void on_validation_start(Trainer&, LME&) override { start("validate"); }
  void on_validation_end(Trainer&, LME&) override { end("validate"); }
  void on_test_start(Trainer&, LME&) override { start("test"); }
  void on_test_end(Trainer&, LME&) override { end("test"); }

  /// Seconds of a stage: "train" (with those of the runs that this one goes on from), "validate" and
  /// "test" (the last one). Throws std::invalid_argument for another.
  double time_elapsed(const std::string& stage = "train") const;
  /// None without a duration.
  std::optional<double> time_remaining(const std::string& stage = "train") const;
  /// In seconds of std::chrono::steady_clock; none where the stage has not begun or is not over.
  std::optional<double> start_time(const std::string& stage = "train") const;
  std::optional<double> end_time(const std::string& stage = "train") const;

 private:
  struct Watch {
    std::optional<double> start, end;
    double before = 0;  // of the runs that this one goes on from
  };
  void start(const std::string& stage);
  void end(const std::string& stage);
  void look(Trainer& trainer);

  std::optional<Duration> duration_;
  TimerOptions options_;
  std::array<Watch, 3> watches_;
  bool stopped_ = false, told_ = false;
};

}  // namespace levin::inline v0
