// ProgressBar: how far a run has come.
#pragma once

#include <chrono>

#include "../callback.h"

namespace levin::inline v0 {

struct ProgressBarOptions {
  /// Batches between two drawings, the last batch is drawn too; 0: nothing is shown. The environment
  /// variable TQDM_MINITERS counts where it is larger.
  int64_t refresh_rate = 1;
};

/// On stderr: a bar as tqdm draws it on a terminal, at most ten times a second; elsewhere, or where
/// TERM is "dumb", one line after each epoch and each loader of an evaluation. COLUMNS stands over the terminal's width. The trainer
/// adds one unless enable_progress_bar is false.
class ProgressBar : public Callback {
 public:
  explicit ProgressBar(ProgressBarOptions options = {});

  void on_train_epoch_start(Trainer& trainer, LME& model) override;
  void on_train_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                          const data::Batch& batch, int64_t batch_idx) override;
  void on_validation_batch_start(Trainer& trainer, LME& model, const data::Batch& batch,
                                 int64_t batch_idx, int64_t dataloader_idx) override;
  void on_validation_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                               const data::Batch& batch, int64_t batch_idx,
                               int64_t dataloader_idx) override;
  void on_validation_end(Trainer& trainer, LME& model) override;
  void on_test_batch_start(Trainer& trainer, LME& model, const data::Batch& batch,
                           int64_t batch_idx, int64_t dataloader_idx) override;
  void on_test_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                         const data::Batch& batch, int64_t batch_idx,
                         int64_t dataloader_idx) override;
  void on_test_end(Trainer& trainer, LME& model) override;
  void on_predict_batch_start(Trainer& trainer, LME& model, const data::Batch& batch,
                              int64_t batch_idx, int64_t dataloader_idx) override;
  void on_predict_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                            const data::Batch& batch, int64_t batch_idx,
                            int64_t dataloader_idx) override;
  void on_predict_end(Trainer& trainer, LME& model) override;
  void on_epoch_logged(Trainer& trainer, LME& model) override;
  void on_exception(Trainer& trainer, LME& model, const std::exception& error) override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Count {
    std::string title;
    int64_t done = 0, total = 0;
    Clock::time_point start;  // unset: nothing has begun
  };

  void set_epoch(const Trainer& trainer, int64_t done);
  void begin_batch(const Trainer& trainer, const char* title, int64_t batch_idx,
                   int64_t dataloader_idx);
  void end_batch(int64_t batch_idx);
  void end_loader(const Trainer& trainer);
  /// Is it time to draw again?
  bool due(const Count& count);
  void draw(const Count& count, const std::string& postfix);
  void leave(const Count& count, const std::string& postfix);
  void clear();

  int64_t refresh_rate_;
  bool redraws_;
  Count epoch_, evaluation_;
  Clock::time_point drawn_at_;
};

/// Lightning's numbers beside the bar: three significant digits, or all where that is shorter,
/// filled with zeros to five characters; exponent forms as they are. "1.360", "12.30", "1.23e+5".
std::string progress_number(double number);

/// tqdm's line: "Epoch 9: 100%|██████████| 10/10 [00:00<00:00, 412.31it/s, loss=1.200]", whose bar
/// fills what is left of `columns` characters, up to 60. Where the line is too long, the last facts
/// of `postfix` (which ", " parts) are left out; then it is cut. A negative total is not known:
/// "Epoch 0: |          | 5/? [00:02<00:00,  2.00it/s]".
std::string progress_line(const std::string& title, int64_t done, int64_t total, double seconds,
                          const std::string& postfix, int columns);

}  // namespace levin::inline v0
