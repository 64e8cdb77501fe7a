// Dataset: where samples come from.
#pragma once

#include <vector>

#include "../../kernels/handle.h"
#include "../../tensor/generator.h"
#include "batch.h"

namespace levin::inline v0::data {

/// A fixed number of samples. A dataset of one's own overrides size() and get(). Loaders may ask
/// from other threads than the one that made it.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual int64_t size() const = 0;
  /// Sample i. Random numbers come from `generator`, which is keyed by the loader's seed, the epoch
  /// and i, and is this thread's default one during the call (so `randn({5})` is right too):
  /// neither the order of calls nor a resumed run changes them.
  virtual Batch get(int64_t i, Generator& generator) const = 0;
  /// Samples index[0], index[1], .. (int64 [n]) as one batch, where that is quicker than one by one;
  /// an empty batch (the default) where it is not.
  virtual Batch get_batch(const Tensor& index) const;
};

using AnyDataset = Handle<Dataset>;

/// Samples that lie in memory: row i of each tensor. A batch is one gather for each tensor.
class TensorDataset : public Dataset {
 public:
  /// Throws std::invalid_argument where first sizes differ.
  explicit TensorDataset(Batch tensors);
  TensorDataset(Tensor x, Tensor gt) : TensorDataset(Batch{std::move(x), std::move(gt)}) {}

  int64_t size() const override;
  Batch get(int64_t i, Generator& generator) const override;
  Batch get_batch(const Tensor& index) const override;

 private:
  Batch tensors_;
};

}  // namespace levin::inline v0::data
