#include "data_loader.h"

#include <algorithm>
#include <numeric>

#include "../../autograd/ops.h"
#include "../../kernels/check.h"

namespace levin::inline v0::data {
namespace {

uint64_t drawn_seed() {
  Generator& generator = default_generator();
  return generator.keyed(generator.stream("loader").counter++, UINT64_MAX).seed();
}

}  // namespace

DataLoader::DataLoader(AnyDataset dataset, const LoaderOptions& options)
    : dataset_(std::move(dataset)), options_(options) {
  check(static_cast<bool>(dataset_), {"DataLoader: no dataset"});
  check(options.batch_size >= 1,
        {"DataLoader: batch_size ", options.batch_size, ": at least 1 is needed"});
  seed_ = options.seed ? *options.seed : drawn_seed();
}

int64_t DataLoader::size() const {
  const int64_t samples = dataset_->size(), batch = options_.batch_size;
  return samples / batch + (!options_.drop_last && samples % batch != 0);
}

LoaderIterator DataLoader::epoch(int64_t epoch, int64_t position) const {
  check(position >= 0, {"DataLoader: position ", position, ": at least 0 is needed"});
  LoaderIterator iterator;
  iterator.dataset_ = dataset_;
  iterator.options_ = options_;
  iterator.seed_ = seed_;
  iterator.epoch_ = epoch;
  iterator.position_ = position;
  iterator.batches_ = size();
  const int64_t samples = dataset_->size();
  if (options_.shuffle) {
    Generator shuffling = Generator(seed_).keyed(static_cast<uint64_t>(epoch), UINT64_MAX);
    iterator.order_ = randperm(samples, shuffling, "loader");
  } else {
    iterator.order_ = empty({samples}, kInt64);
    auto* order = iterator.order_.data<int64_t>();
    std::iota(order, order + samples, int64_t{0});
  }
  return iterator;
}

const Batch* LoaderIterator::next() {
  if (position_ >= batches_) return nullptr;
  const NoGrad no_grad;
  const Tensor index = index_of_batch();
  batch_ = Batch();  // its memory, still in the nearest cache, becomes the next one's
  batch_ = dataset_->get_batch(index);
  if (batch_.size() == 0) batch_ = collated(index);
  ++position_;
  return &batch_;
}

Tensor LoaderIterator::index_of_batch() const {
  Layout layout = order_.layout();
  layout.offset = position_ * options_.batch_size;
  layout.shape[0] = std::min(options_.batch_size, order_.numel() - layout.offset);
  return make_view(order_, layout);
}

// Samples one by one, each copied to its row.
Batch LoaderIterator::collated(const Tensor& index) const {
  const int64_t* samples = index.const_data<int64_t>();
  const Generator keys(seed_);
  Batch batch;
  for (int64_t row = 0; row < index.numel(); ++row) {
    Generator generator = keys.keyed(static_cast<uint64_t>(epoch_), samples[row]);
    const GeneratorGuard guard(generator);
    const Batch sample = dataset_->get(samples[row], generator);
    if (row == 0) batch = Batch(sample.size(), sample);
    check(sample.size() > 0, {"DataLoader: sample ", samples[row], " is empty"});
    check(sample.size() == batch.size() && sample.names() == batch.names(),
          {"DataLoader: sample ", samples[row], " has ", sample.size(),
           " tensors, the first of its batch ", batch.size(), "; numbers and names must be equal"});
    for (int k = 0; k < batch.size(); ++k) {
      const Tensor& part = sample[k];
      check(part.defined(), {"DataLoader: sample ", samples[row], ": tensor ", k, " is undefined"});
      if (row == 0) {
        Shape shape = {index.numel()};
        for (const int64_t size : part.shape()) shape.push_back(size);
        batch.item(k) = empty(shape, part.dtype(), part.device());
      }
      const Tensor place = batch[k].select(0, row);
      check(part.shape() == place.shape() && part.dtype() == place.dtype(),
            {"DataLoader: sample ", samples[row], " is a ", part.dtype(), " tensor of shape ",
             part.shape(), ", the first of its batch ", place.dtype(), " ", place.shape()});
      place.copy_(part);
    }
  }
  return batch;
}

}  // namespace levin::inline v0::data
