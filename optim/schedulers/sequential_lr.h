// SequentialLR, ChainedScheduler: schedules one after another, or all at once.
#pragma once

#include "../lr_scheduler.h"

namespace levin::inline v0::optim {

/// The first scheduler until epoch milestones[0], then the second from its own epoch 0 and from the
/// initial rates, and so on.
class SequentialLR : public LRScheduler {
 public:
  /// Throws std::invalid_argument unless there is one milestone less than schedulers, all of the
  /// given optimizer, and none that needs a metric.
  SequentialLR(AnyOptimizer optimizer, std::vector<AnyScheduler> schedulers,
               std::vector<int64_t> milestones);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;
  void step(std::optional<double> metric = {}) override;
  void restart() override;

 protected:
  void attach(const AnyOptimizer& optimizer) override;

 private:
  void begin(std::size_t number);

  std::vector<AnyScheduler> schedulers_;
  std::vector<int64_t> milestones_;
};

/// Steps all its schedulers, which are of one optimizer: their factors multiply.
class ChainedScheduler : public LRScheduler {
 public:
  explicit ChainedScheduler(std::vector<AnyScheduler> schedulers);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;
  void step(std::optional<double> metric = {}) override;
  bool needs_metric() const override;
  void restart() override;

 protected:
  void attach(const AnyOptimizer& optimizer) override;

 private:
  std::vector<AnyScheduler> schedulers_;
};

}  // namespace levin::inline v0::optim
