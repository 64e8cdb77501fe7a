#include "span.h"

#include "../kernels/backend.h"
#include "../kernels/check.h"
#include "factories.h"

namespace levin::inline v0 {

Tensor from_bytes(const void* elements, std::size_t count, DType dtype, const Shape& shape) {
  check(shape.numel() == static_cast<int64_t>(count),
        {"from_span: ", count, " elements for a tensor of shape ", shape});
  const Tensor tensor = empty(shape, dtype);
  const std::size_t bytes = count * item_size(dtype);
  if (const char* error = backend(kCPU).write(elements, *tensor.impl().block, 0, bytes))
    fail(Fault::world, {"from_span: a tensor of shape ", shape, " ", error});
  return tensor;
}

void* strided_data(const char* operation, const Tensor& tensor, DType dtype, Access access) {
  const Layout& layout = tensor.layout();
  check(layout.dtype == dtype,
        {operation, ": elements are ", layout.dtype, ", asked for are ", dtype});
  check(tensor.device() == kCPU,
        {operation, ": the tensor is on ", tensor.device(), ", not on the CPU"});
  Block& block = *tensor.impl().block;
  if (access == Access::write) {
    check(!layout.overlaps_itself(),
          {operation, ": several elements of a tensor of shape ", layout.shape,
           " lie in one place: use contiguous(), or read only"});
    ++block.version;
    block.last_write = operation;
  }
  // Says to a recorder that the host looks, which a replay could not repeat.
  backend(kCPU).read(block, 0, nullptr, 0);
  return static_cast<char*>(block.data) + layout.offset * static_cast<int64_t>(item_size(dtype));
}

}  // namespace levin::inline v0
