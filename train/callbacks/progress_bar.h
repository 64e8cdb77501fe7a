// ProgressBar: how far a fit has come.
#pragma once

#include <chrono>

#include "../callback.h"

namespace levin::inline v0 {

/// On stderr: a bar as tqdm draws it on a terminal, at most ten times a second; elsewhere one line
/// after each epoch. The trainer adds one unless enable_progress_bar is false.
class ProgressBar : public Callback {
 public:
  ProgressBar();

  void on_train_epoch_start(Trainer& trainer, LME& model) override;
  void on_validation_start(Trainer& trainer, LME& model) override;
  void on_train_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                          const data::Batch& batch, int64_t batch_idx) override;
  void on_validation_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                               const data::Batch& batch, int64_t batch_idx,
                               int64_t dataloader_idx) override;
  void on_sanity_check_end(Trainer& trainer, LME& model) override;
  void on_epoch_logged(Trainer& trainer, LME& model) override;
  void on_exception(Trainer& trainer, LME& model, const std::exception& error) override;

 private:
  using Clock = std::chrono::steady_clock;

  /// Is it time to draw again?
  bool due();
  void draw(const std::string& line);
  void clear();

  bool terminal_;
  std::size_t width_ = 0;  // of what stands in the terminal's line
  Clock::time_point drawn_at_, epoch_start_, validation_start_;
};

/// Lightning's numbers beside the bar: three significant digits, or all where that is shorter,
/// filled with zeros to five characters; exponent forms as they are. "1.360", "12.30", "1.23e+5".
std::string progress_number(double number);

/// tqdm's line: "Epoch 9: 100%|██████████| 10/10 [00:00<00:00, 412.31it/s, loss=1.200]", whose bar
/// fills what is left of `columns` characters, up to 60. Where the line is too long, the last facts
/// of `postfix` (which ", " parts) are left out; then it is cut.
std::string progress_line(const std::string& title, int64_t done, int64_t total, double seconds,
                          const std::string& postfix, int columns);

}  // namespace levin::inline v0
