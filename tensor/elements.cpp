#include "elements.h"

#include <algorithm>

#include "../kernels/backend.h"
#include "../kernels/check.h"
#include "factories.h"

namespace levin::inline v0 {
namespace {

constexpr std::size_t kPiece = 1 << 20;

std::size_t bytes_of(const Tensor& tensor) { return tensor.numel() * item_size(tensor.dtype()); }

}  // namespace

void put_elements(const Tensor& tensor, const std::string& what, const Put& put) {
  Ref<Block> block = tensor.impl().block;
  Backend& device = backend(tensor.device());
  const std::size_t bytes = bytes_of(tensor);
  std::size_t offset = tensor.layout().offset * item_size(tensor.dtype());
  const auto check_done = [&](const char* error) {
    if (error)
      fail(Fault::world, {what, ": reading a tensor of shape ", tensor.shape(), " ", error});
  };
  if (!tensor.is_contiguous()) {
    const Layout plain = Layout::of(tensor.shape(), tensor.dtype());
    Ref<Block> copy = Block::make(bytes, tensor.device());
    check_done(device.copy({block.get(), &tensor.layout()}, {copy.get(), &plain}));
    block = std::move(copy);
    offset = 0;
  }
  std::string piece(std::min(bytes, kPiece), '\0');
  for (std::size_t done = 0; done < bytes; done += piece.size()) {
    piece.resize(std::min(bytes - done, kPiece));
    check_done(device.read(*block, offset + done, piece.data(), piece.size()));
    put(piece);
  }
}

bool byte_count(const Shape& shape, DType dtype, uint64_t* bytes) {
  auto product = static_cast<int64_t>(item_size(dtype));
  bool empty = false, overflow = false;
  for (const int64_t size : shape) {
    empty |= size == 0;
    if (size) overflow |= __builtin_mul_overflow(product, size, &product);
  }
  *bytes = empty ? 0 : product;
  return !overflow;
}

Tensor read_elements(const Source& from, uint64_t at, const Shape& shape, DType dtype,
                     const std::string& what) {
  const Tensor tensor = empty(shape, dtype);
  Block& block = *tensor.impl().block;
  // Says to a recorder that the host writes.
  backend(kCPU).write(nullptr, block, 0, 0);
  auto* memory = static_cast<char*>(block.data);
  const std::size_t bytes = bytes_of(tensor);
  from.read(at, memory, bytes);
  // Other values are undefined behaviour once somebody reads them as a bool.
  if (dtype == kBool && std::any_of(memory, memory + bytes, [](char c) { return c & ~1; }))
    fail(Fault::world, {what, ": a bool is 0 or 1"});
  return tensor;
}

}  // namespace levin::inline v0
