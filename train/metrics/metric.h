// Metrics: numbers that a model is judged by, collected over the batches of an epoch.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../kernels/handle.h"
#include "../../tensor/tensor.h"
#include "../inline_list.h"

namespace levin::inline v0 {

/// A metric of one batch: nothing, a tensor (a number becomes one, float64), or a list of these.
class MetricResult {
 public:
  MetricResult() = default;
  MetricResult(std::nullopt_t) {}
  MetricResult(Tensor tensor) : tensor_(std::move(tensor)) {}
  MetricResult(double number);
  MetricResult(std::vector<MetricResult> list)
      : list_(std::make_shared<const std::vector<MetricResult>>(std::move(list))) {}

  bool is_nothing() const { return !list_ && !tensor_.defined(); }
  bool is_list() const { return list_ != nullptr; }
  /// Undefined where it is no tensor.
  const Tensor& tensor() const { return tensor_; }
  const std::vector<MetricResult>& list() const { return *list_; }
  /// Forgets how its tensors were made.
  void detach();

 private:
  Tensor tensor_;
  std::shared_ptr<const std::vector<MetricResult>> list_;
};

/// A metric's name, kept inside the object: a step that names its metrics asks for no memory.
class MetricName {
 public:
  static constexpr std::size_t kLongest = 63;

  MetricName() = default;
  /// Throws std::invalid_argument where it is longer than 63 bytes.
  MetricName(std::string_view name);
  operator std::string_view() const { return {text_, size_}; }

 private:
  char text_[kLongest];  // the first size_ of them
  unsigned char size_ = 0;
};

/// Metrics of one batch by name, in the order of insertion: `metrics["loss"] = loss`.
class MetricResults {
 public:
  struct Entry {
    MetricName name;
    MetricResult result;
  };

  /// Made where the name is new.
  MetricResult& operator[](std::string_view name);
  /// Null where there is none.
  const MetricResult* find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  int size() const { return entries_.size(); }
  Entry* begin() { return entries_.begin(); }
  Entry* end() { return entries_.end(); }
  const Entry* begin() const { return entries_.begin(); }
  const Entry* end() const { return entries_.end(); }

 private:
  InlineList<Entry, 8> entries_;
};

/// What every metric has. A metric of one's own (class-wise accuracy, a confusion matrix) overrides
/// the pure members; its sums are tensors, read in epoch_result() only.
class CoreMetric {
 public:
  explicit CoreMetric(bool higher_is_better, bool requires_grad = false, Device device = kCPU)
      : device_(device), higher_is_better_(higher_is_better), requires_grad_(requires_grad) {}
  virtual ~CoreMetric() = default;

  bool higher_is_better() const { return higher_is_better_; }
  /// forward() is recorded for backward: so it is with a loss.
  bool requires_grad() const { return requires_grad_; }
  /// "max" or "min"
  const char* mode() const { return higher_is_better_ ? "max" : "min"; }
  /// The model's device, as the trainer or the constructor told it: what load_state loads to. Sums
  /// are made, and follow, where the results of batches lie.
  Device device() const { return device_; }
  void to(Device device) { device_ = device; }

  /// The result of one batch.
  virtual MetricResult forward(const Tensor& y, const Tensor& gt) = 0;
  /// Takes the result of one batch, which counts `weight` times (its samples).
  virtual void batch_update(const MetricResult& result, double weight = 1) = 0;
  /// The epoch's result in full; undefined where no batch had one.
  virtual Tensor epoch_result() = 0;
  /// The one number that is logged and monitored: `full` where it has one element, else none. A
  /// metric of several numbers may override how they become one.
  virtual std::optional<double> epoch_result_reduced(const Tensor& full);
  /// Forgets all batches.
  virtual void reset() = 0;
  /// A metric of the same kind and with the same arguments, without batches: validation has its own.
  virtual std::shared_ptr<CoreMetric> clone() const = 0;
  /// Number of batches since reset(); -1 where the metric does not keep count. Reads on the host.
  virtual int64_t batch_count() const { return -1; }
  /// Number of the first batch since reset() whose value was not finite; -1 where all were, or
  /// where the metric does not keep count.
  virtual int64_t first_bad_batch() const { return -1; }
  /// The sums, for a checkpoint in the middle of an epoch. They are set in place by load_state.
  virtual std::vector<std::pair<std::string, Tensor>> state() const { return {}; }
  virtual void load_state(const std::vector<std::pair<std::string, Tensor>>& state);
  /// "[CallableCoreMetric]. Mode: min. Grad: False. Count: 0 (None)", in brackets the sums.
  std::string text() const;

 private:
  Device device_;
  bool higher_is_better_, requires_grad_;
};

/// A metric whose batch results are added up, element by element, in float64: one call of the
/// backend for a batch, nothing is read on the host. What an epoch makes of the sums is its heir's.
class SummedMetric : public CoreMetric {
 public:
  using CoreMetric::CoreMetric;

  /// Nothing is ignored; each item of a list counts as a batch. Throws std::invalid_argument for
  /// lists in lists and for a shape other than that of the batches before (since reset()).
  void batch_update(const MetricResult& result, double weight = 1) override;
  void reset() override;
  int64_t batch_count() const override;
  int64_t first_bad_batch() const override;
  std::vector<std::pair<std::string, Tensor>> state() const override;
  void load_state(const std::vector<std::pair<std::string, Tensor>>& state) override;

 protected:
  /// Takes one batch's result.
  virtual void add(const Tensor& value, double weight);
  bool has_batches() const { return batch_count() > 0; }
  /// float64, of the batches' shape; undefined before the first batch.
  const Tensor& sums() const { return sums_; }
  /// 0-d float64, only where sums() is defined.
  Tensor sum_of_weights() const;
  /// Starts without batches, and with sums of its own: for clone().
  void forget();

 private:
  Tensor sums_, counts_;  // see AccumulateCall
  bool empty_ = true;     // since reset(): the next batch may have another shape
};

/// What an epoch makes of its batches: "mean" (by their weights), "sum", or a function of their sum
/// and their count, whatever their size.
class EpochFn {
 public:
  /// Throws std::invalid_argument for other names.
  EpochFn(const char* name) : EpochFn(std::string(name)) {}
  EpochFn(const std::string& name);
  /// Throws std::invalid_argument for an empty std::function.
  template <class F>
  requires std::is_invocable_r_v<Tensor, F&, const Tensor&, const Tensor&> EpochFn(F function)
      : function_(std::move(function)) {
    check_function();
  }

  bool is_mean() const { return is_mean_; }
  Tensor operator()(const Tensor& sum, const Tensor& count) const { return function_(sum, count); }

 private:
  void check_function() const;

  std::function<Tensor(const Tensor& sum, const Tensor& count)> function_;
  bool is_mean_ = false;
};

using MetricFunction = std::function<MetricResult(const Tensor& y, const Tensor& gt)>;

/// A metric that a function computes. Results may be vectors and matrices too.
class CallableCoreMetric : public SummedMetric {
 public:
  /// Throws std::invalid_argument for an empty function.
  CallableCoreMetric(MetricFunction function, bool higher_is_better, bool requires_grad = false,
                     EpochFn epoch_fn = "mean", Device device = kCPU);

  MetricResult forward(const Tensor& y, const Tensor& gt) override { return function_(y, gt); }
  void batch_update(const MetricResult& result, double weight = 1) override;
  /// mean: float64 of the batches' shape, [1] for single numbers; sum: of the batches' shape; a
  /// function gets the float64 sum and the 0-d count.
  Tensor epoch_result() override;
  std::shared_ptr<CoreMetric> clone() const override;
  const EpochFn& epoch_fn() const { return epoch_fn_; }

 private:
  MetricFunction function_;
  EpochFn epoch_fn_;
};

/// A metric that model_algorithm computes itself: declared by `{nullptr, "min"}`.
class StubMetric : public CallableCoreMetric {
 public:
  explicit StubMetric(bool higher_is_better, Device device = kCPU);
  std::shared_ptr<CoreMetric> clone() const override;
};

/// A metric of any kind, shared: a CoreMetric, or `{function, "min"}` / `{function, "max"}`, or
/// `{nullptr, "min"}` for a StubMetric.
class AnyMetric {
 public:
  AnyMetric() = default;
  template <class Metric>
  requires std::is_base_of_v<CoreMetric, std::remove_cvref_t<Metric>> AnyMetric(Metric&& metric)
      : metric_(std::forward<Metric>(metric)) {}
  template <class Metric>
  requires std::is_base_of_v<CoreMetric, Metric> AnyMetric(std::shared_ptr<Metric> metric)
      : metric_(std::move(metric)) {}
  /// Throws std::invalid_argument where the direction is neither "min" nor "max".
  template <class F>
  requires std::invocable<F&, const Tensor&, const Tensor&> AnyMetric(F function,
                                                                      std::string_view direction)
      : metric_(CallableCoreMetric(std::move(function), is_max(direction))) {}
  AnyMetric(std::nullptr_t, std::string_view direction) : metric_(StubMetric(is_max(direction))) {}

  CoreMetric& operator*() const { return *metric_; }
  CoreMetric* operator->() const { return metric_.get(); }
  explicit operator bool() const { return static_cast<bool>(metric_); }

 private:
  static bool is_max(std::string_view direction);

  Handle<CoreMetric> metric_;
};

struct NamedMetric {
  std::string name;
  AnyMetric metric;
};

}  // namespace levin::inline v0
