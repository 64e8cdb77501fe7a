// Calls that the CPU's backend makes, on copies of the operands in the host's memory.
#include <new>

#include "calls.h"

namespace levin::inline v0::cuda {
namespace {

// The host's copy of a contiguous operand, which may be left out.
class Copy {
 public:
  const char* make(const Arg& original) {
    if (!original.block) return nullptr;
    original_ = original;
    const std::size_t item = item_size(original.layout->dtype);
    offset_ = original.layout->offset * item;
    bytes_ = original.layout->numel() * item;
    memory_.reset(new (std::nothrow) char[bytes_]);
    if (!memory_) return "needs more memory than there is";
    block_.data = memory_.get();
    block_.bytes = block_.capacity = bytes_;
    layout_ = *original.layout;
    layout_.offset = 0;
    return nullptr;
  }
  const char* read(Gpu& gpu) {
    return bytes_ ? gpu.read(*original_.block, offset_, memory_.get(), bytes_) : nullptr;
  }
  const char* write(Gpu& gpu) {
    return bytes_ ? gpu.write(memory_.get(), *original_.block, offset_, bytes_) : nullptr;
  }
  Arg arg() { return original_.block ? Arg{&block_, &layout_} : Arg{}; }

 private:
  Arg original_;
  std::size_t offset_ = 0, bytes_ = 0;
  std::unique_ptr<char[]> memory_;
  Block block_;
  Layout layout_;
};

}  // namespace

const char* sort(Gpu& gpu, Backend& cpu, const SortCall& call) {
  Copy x, index;
  LEVIN_TRY(x.make(call.x));
  LEVIN_TRY(index.make(call.index));
  LEVIN_TRY(x.read(gpu));
  LEVIN_TRY(cpu.sort({call.descending, x.arg(), index.arg()}));
  return index.write(gpu);
}

const char* linalg(Gpu& gpu, Backend& cpu, const LinalgCall& call) {
  Copy a, b, out;
  LEVIN_TRY(a.make(call.a));
  LEVIN_TRY(b.make(call.b));
  LEVIN_TRY(out.make(call.out));
  LEVIN_TRY(a.read(gpu));
  LEVIN_TRY(b.read(gpu));
  LEVIN_TRY(cpu.linalg({call.kind, a.arg(), b.arg(), out.arg()}));
  return out.write(gpu);
}

}  // namespace levin::inline v0::cuda
