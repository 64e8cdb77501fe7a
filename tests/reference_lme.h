// Runs of the real LME that are written down in reference/lme/<case>: the case as levin's objects.
#pragma once

#include <levin/levin.h>

#include <memory>
#include <string>
#include <vector>

namespace levin {

/// A csv file's cells by row, the header first. An empty cell at a line's end counts.
using Cells = std::vector<std::vector<std::string>>;
Cells csv_of(const std::string& text);

/// What case.json says, and the files beside it.
class LmeCase {
 public:
  explicit LmeCase(const std::string& name);

  std::string path(const std::string& file) const { return folder_ + file; }
  bool has(const std::string& file) const;
  std::string text(const std::string& file) const;
  Cells csv(const std::string& file) const { return csv_of(text(file)); }
  Value json(const std::string& file) const;
  nn::NamedTensors tensors(const std::string& file) const;
  /// The file of a run without LME's defects where there is one, else LME's own: `lr` is
  /// expected_fixed_lr.csv or lr.csv.
  std::string best_file(const std::string& name) const;

  const Value& plan() const { return plan_; }
  /// Rows of "train", "val" or "test"; none where the case has none.
  data::Loaders loader(const std::string& part) const;
  /// The model before training, with all that the case gives it.
  std::unique_ptr<LME> model() const;
  TrainerOptions trainer(const std::string& save_dir) const;

 private:
  std::string folder_;
  Value plan_;
  nn::NamedTensors data_;
};

/// What a fit did in each training step.
struct StepLog : Callback {
  struct Step {
    int64_t epoch, batch;
    double loss;
    std::vector<double> lrs;
  };
  explicit StepLog(std::vector<Step>* steps) : steps(steps) {}
  void on_before_backward(Trainer& trainer, LME& model, const Tensor& loss) override;
  std::vector<Step>* steps;
};

// Comparisons, with the tolerances of the runs' description: 1e-5 relative for losses, 1e-5 for
// weights, 5e-6 for metrics, 1e-12 for learning rates. Everything that is no number: exactly.
void expect_steps(const LmeCase& run, const std::vector<StepLog::Step>& steps);
void expect_weights(const LmeCase& run, const LME& model, const std::string& file);
/// metrics.csv against a run without LME's defects.
void expect_metrics(const std::string& text, const Cells& expected);
/// fit_metadata.json: keys, their order, texts and counts as LME wrote them; numbers as that run has
/// them.
void expect_metadata(const LmeCase& run, Value metadata);
/// The names in a run's folder. A run that was resumed keeps the best epochs of before and its own
/// best from `first_epoch` on.
void expect_files(const LmeCase& run, const std::string& log_dir, std::size_t first_epoch = 0);
/// Keys in their order, kinds of values, lengths of lists, texts and integers; reals to 5e-6.
void expect_like(const Value& value, const Value& expected, const std::string& place);

}  // namespace levin
