#include <levin/tensor/npy.h>

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace levin;
  Tensor read;
  try {
    read = from_npy(text_of(data, size), "input");
  } catch (const std::runtime_error&) {
    return 0;
  }
  const std::string written = to_npy(read);
  const Tensor again = from_npy(written, "written");
  must(again.shape() == read.shape() && again.dtype() == read.dtype());
  must(to_npy(again) == written);
  return 0;
}
