// CompiledBatches: the work on one batch as a captured step, and what stands against that.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../autograd/captured_step.h"
#include "trainer.h"

namespace levin::inline v0 {

/// For the batches of one run and of one kind ("training" or "evaluation").
class CompiledBatches {
 public:
  CompiledBatches(const char* kind, LME& model, CompileReport* report)
      : kind_(kind), model_(model), report_(report) {}

  /// Does the work, or repeats what it did with earlier batches of the same layouts and `key`. Gives
  /// the output, valid until the next batch; null where the algorithm skipped this one.
  template <class Work>
  const AlgorithmOutput* run(const data::Batch& batch, uint64_t key, Work work) {
    look_for_changes(batch);
    const std::span inputs(batch.begin(), static_cast<std::size_t>(batch.size()));
    const auto recorded = [&] {
      working_ = true;
      auto kept = keep(work(), batch);
      working_ = false;
      return kept;
    };
    current_ = captured_.run(inputs, recorded, key);
    settle(batch);
    return current_->output ? &*current_->output : nullptr;
  }

  /// Of the next batch of each layout the work is done, and compared.
  void check_next() { captured_.check_next(); }
  /// From the next batch on all work is done as it is written.
  void stay_eager(std::string reason);
  /// Is the work being done (and not repeated)?
  bool working() const { return working_; }

 private:
  // A tensor of a result that lies in one of the batch's: the next batch has it elsewhere.
  struct Shared {
    Tensor* place;
    int input;
    bool is_whole;
    int64_t offset;
  };
  struct Kept {
    std::optional<AlgorithmOutput> output;
    LME::ResultPlace cached;  // the same, detached
    std::vector<Shared> shared;
  };

  void look_for_changes(const data::Batch& batch);
  std::shared_ptr<Kept> keep(std::optional<AlgorithmOutput> output, const data::Batch& batch) const;
  void settle(const data::Batch& batch);

  const char* kind_;
  LME& model_;
  CompileReport* report_;
  CapturedStep captured_;
  std::shared_ptr<Kept> current_;
  std::optional<std::array<int64_t, 4>> assignments_;
  std::string reason_;  // to stay eager from the next batch on
  std::string told_;
  bool working_ = false;
};

template <class Work>
const AlgorithmOutput* Trainer::work_on(const data::Batch& batch, CompiledBatches* compiled,
                                        uint64_t key, Work work) {
  if (compiled) return compiled->run(batch, key, work);
  output_.reset();
  output_ = work();
  return output_ ? &*output_ : nullptr;
}

}  // namespace levin::inline v0
