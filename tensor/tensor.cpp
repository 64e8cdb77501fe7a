#include "tensor.h"

#include <new>
#include <ostream>

#include "../kernels/backend.h"
#include "../kernels/check.h"
#include "factories.h"
#include "layout_math.h"

namespace levin::inline v0 {
void TensorImpl::release() {
  this->~TensorImpl();
  give_small(this, sizeof(TensorImpl));
}

Tensor make_empty(const Shape& shape, int64_t numel, DType dtype, Device device) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(numel, static_cast<int64_t>(item_size(dtype)), &bytes)) [[unlikely]]
    fail({"a tensor of shape ", shape, ": too many bytes"});
  Ref<Block> block = Block::make(bytes, device);
  void* memory = take_small(sizeof(TensorImpl));
  return Tensor(
      Ref<TensorImpl>::adopt(new (memory) TensorImpl(std::move(block), shape, numel, dtype)));
}

Tensor make_tensor(Ref<Block> block, const Layout& layout) {
  void* memory = take_small(sizeof(TensorImpl));
  return Tensor(Ref<TensorImpl>::adopt(new (memory) TensorImpl(std::move(block), layout)));
}

Tensor make_view(const Tensor& base, const Layout& layout) {
  Tensor view = make_tensor(base.impl().block, layout);
  view.impl().history = base.impl().history;
  view.impl().is_view = true;
  return view;
}

void Tensor::fail_undefined() {
  fail({"an undefined tensor (one that was made by Tensor()) has no elements"});
}

int64_t Tensor::size(int64_t dim) const { return shape()[normal_dim("size", dim, this->dim())]; }

int64_t Tensor::stride(int64_t dim) const {
  return layout().strides[normal_dim("stride", dim, this->dim())];
}

Tensor Tensor::detach() const { return make_view(*this, layout()); }

double Tensor::item_as_double() const {
  check(numel() == 1, {"item: a tensor of shape ", shape(), " has ", numel(),
                       " elements: exactly one is needed"});
  return to_vector<double>()[0];
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  Layout plain = Layout::of(shape(), DTypeOf<T>::value);
  const std::size_t bytes = plain.numel() * sizeof(T);
  const Ref<Block> copy = Block::make(bytes, device());
  Backend& target = backend(device());
  if (const char* error = target.copy({impl().block.get(), &layout()}, {copy.get(), &plain}))
    fail(Fault::world, {"reading a tensor of shape ", shape(), " ", error});
  std::vector<T> elements(plain.numel());
  if (const char* error = target.read(*copy, 0, elements.data(), bytes))
    fail(Fault::world, {"reading a tensor of shape ", shape(), " ", error});
  return elements;
}
template std::vector<float> Tensor::to_vector<float>() const;
template std::vector<double> Tensor::to_vector<double>() const;
template std::vector<int64_t> Tensor::to_vector<int64_t>() const;
template std::vector<int32_t> Tensor::to_vector<int32_t>() const;
template std::vector<uint8_t> Tensor::to_vector<uint8_t>() const;

void* Tensor::checked_data(DType wanted) const {
  check(dtype() == wanted, {"data<", wanted, ">: the tensor's element type is ", dtype()});
  check(device() == kCPU, {"data: the tensor is on ", device(), ", not on the CPU"});
  check(is_contiguous(),
        {"data: a tensor of shape ", shape(), " with gaps or another order: use contiguous()"});
  // Says to a recorder that the host looks, which a replay could not repeat.
  backend(device()).read(*impl().block, 0, nullptr, 0);
  return static_cast<char*>(impl().block->data) +
         layout().offset * static_cast<int64_t>(item_size(wanted));
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << tensor.text(); }

}  // namespace levin::inline v0
