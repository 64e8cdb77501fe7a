#include "tensor.h"

#include <new>
#include <ostream>

#include "../kernels/backend.h"
#include "../kernels/check.h"
#include "factories.h"
#include "layout_math.h"

namespace levin::inline v0 {

// What a free tensor takes of a thread's cache beside its memory.
static constexpr std::size_t kOwnBytes = sizeof(TensorImpl);

static void release_free_tensors() {
  ThreadState& thread = thread_state();
  for (TensorImpl*& list : thread.free_tensors)
    while (TensorImpl* free = list) {
      list = free->next_free;
      free->~TensorImpl();
      give_small(free, sizeof(TensorImpl));
    }
}

// A tensor that alone holds its memory keeps it: most are made and gone again with an operation, and
// the next of that size is then one entry of one list.
void TensorImpl::release() {
  if (base || node || resting) base = {}, node = {}, resting = {};
  ThreadState& thread = thread_state();
  const int its_class = block->thread_class;
  if (its_class >= 0 && block.unique() && block->capacity + kOwnBytes <= thread.cache_room) {
    thread.release_free_tensors = release_free_tensors;
    next_free = thread.free_tensors[its_class];
    thread.free_tensors[its_class] = this;
    thread.cache_room -= block->capacity + kOwnBytes;
    return;
  }
  this->~TensorImpl();
  give_small(this, sizeof(TensorImpl));
}

// Apart, so that make_empty() needs few registers.
[[gnu::noinline]] static Tensor make_new(const Shape& shape, int64_t numel, DType dtype,
                                         Device device, std::size_t bytes) {
  Ref<Block> block = Block::make(bytes, device);
  void* memory = take_small(sizeof(TensorImpl));
  return Tensor(
      Ref<TensorImpl>::adopt(new (memory) TensorImpl(std::move(block), shape, numel, dtype)));
}

Tensor make_empty(const Shape& shape, int64_t numel, DType dtype, Device device) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(numel, static_cast<int64_t>(item_size(dtype)), &bytes)) [[unlikely]]
    fail({"a tensor of shape ", shape, ": too many bytes"});
  if (static_cast<std::size_t>(bytes) <= kLargestInThread && device.type == Device::cpu) {
    ThreadState& thread = thread_state();
    TensorImpl*& list = thread.free_tensors[size_class(bytes)];
    if (TensorImpl* free = list) {
      list = free->next_free;
      thread.cache_room += free->block->capacity + kOwnBytes;
      free->block->renew(bytes, thread);
      free->renew(shape, numel, dtype);
      return Tensor(Ref<TensorImpl>::adopt(free));
    }
  }
  return make_new(shape, numel, dtype, device, bytes);
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
