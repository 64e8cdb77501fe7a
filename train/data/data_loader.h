// DataLoader: batches of a dataset, epoch after epoch.
#pragma once

#include <memory>
#include <optional>

#include "dataset.h"

namespace levin::inline v0::data {

struct LoaderOptions {
  int64_t batch_size = 1;
  bool shuffle = false;
  bool drop_last = false;  ///< leave out a last batch that is smaller
  /// Of shuffling and of the samples' random numbers. Without one, the next number of the default
  /// generator's stream "loader": two loaders of one program differ, two runs of it do not.
  std::optional<uint64_t> seed = {};
};

/// The batches of one epoch, in order. Epoch, seed and position are all there is to it: an iterator
/// made again with the same ones goes on with the same bits.
class LoaderIterator {
 public:
  LoaderIterator() = default;

  /// The next batch, valid until the next call; null at the end. Throws std::invalid_argument for
  /// samples whose tensors cannot be stacked.
  const Batch* next();
  /// How many batches were handed out.
  int64_t position() const { return position_; }

 private:
  friend class DataLoader;
  Tensor index_of_batch() const;
  Batch collated(const Tensor& index) const;

  AnyDataset dataset_;
  LoaderOptions options_;
  uint64_t seed_ = 0;
  int64_t epoch_ = 0, position_ = 0, batches_ = 0;
  Tensor order_;  // int64 [samples]
  Batch batch_;
};

/// `DataLoader(dataset, {.batch_size = 10, .shuffle = true})`. Copies share the dataset.
class DataLoader {
 public:
  /// Throws std::invalid_argument for a batch size below 1.
  DataLoader(AnyDataset dataset, const LoaderOptions& options = {});

  /// Batches in an epoch.
  int64_t size() const;
  const Dataset& dataset() const { return *dataset_; }
  const LoaderOptions& options() const { return options_; }
  uint64_t seed() const { return seed_; }
  /// For resuming a run.
  void set_seed(uint64_t seed) { seed_ = seed; }
  /// In the dataset's order from now on.
  void stop_shuffling() { options_.shuffle = false; }

  /// The batches of an epoch from number `position` on. Shuffling and random samples are keyed by
  /// the epoch.
  LoaderIterator epoch(int64_t epoch, int64_t position = 0) const;

 private:
  AnyDataset dataset_;
  LoaderOptions options_;
  uint64_t seed_;
};

}  // namespace levin::inline v0::data
