#include "dataset.h"

#include "../../autograd/ops.h"
#include "../../kernels/check.h"

namespace levin::inline v0::data {

Batch Dataset::get_batch(const Tensor&) const { return {}; }

TensorDataset::TensorDataset(Batch tensors) : tensors_(std::move(tensors)) {
  check(tensors_.size() > 0, {"TensorDataset: at least one tensor is needed"});
  for (const Tensor& tensor : tensors_) {
    check(tensor.dim() > 0 && tensor.shape()[0] == tensors_[0].shape()[0],
          {"TensorDataset: ", tensors_[0].shape(), " and ", tensor.shape(),
           ": first sizes must be equal, since they count the samples"});
  }
  for (Tensor& tensor : tensors_) tensor = tensor.detach().contiguous();
}

int64_t TensorDataset::size() const { return tensors_[0].shape()[0]; }

Batch TensorDataset::get(int64_t i, Generator&) const {
  Batch sample(tensors_.size(), tensors_);
  for (int k = 0; k < sample.size(); ++k) sample.item(k) = tensors_[k].select(0, i);
  return sample;
}

Batch TensorDataset::get_batch(const Tensor& index) const {
  Batch batch(tensors_.size(), tensors_);
  for (int k = 0; k < batch.size(); ++k)
    batch.item(k) = tensors_[k].index_select(0, index.to(tensors_[k].device()));
  return batch;
}

}  // namespace levin::inline v0::data
