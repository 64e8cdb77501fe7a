#include <levin/tensor/safetensors.h>

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace levin;
  SafetensorsFile read;
  try {
    read = from_safetensors(text_of(data, size), "input");
  } catch (const std::runtime_error&) {
    return 0;
  }
  const std::string written = to_safetensors(read);
  const SafetensorsFile again = from_safetensors(written, "written");
  must(again.metadata == read.metadata && again.tensors.size() == read.tensors.size());
  for (std::size_t i = 0; i < read.tensors.size(); ++i) {
    const auto& [name, tensor] = read.tensors[i];
    must(again.tensors[i].first == name);
    must(again.tensors[i].second.shape() == tensor.shape());
    must(again.tensors[i].second.dtype() == tensor.dtype());
  }
  must(to_safetensors(again) == written);
  return 0;
}
