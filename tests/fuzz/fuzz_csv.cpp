#include <levin/train/data/csv.h>
#include <levin/train/files/text.h>

#include "fuzz.h"

namespace {

std::string csv_of(const levin::Tensor& tensor) {
  std::string text;
  const std::vector<double> numbers = tensor.to_vector<double>();
  for (std::size_t i = 0; i < numbers.size(); ++i)
    text += levin::python_repr(numbers[i]) + ((i + 1) % tensor.size(1) == 0 ? "\n" : ",");
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace levin;
  Tensor read;
  try {
    read = data::from_csv(text_of(data, size), "input");
  } catch (const std::runtime_error&) {
    return 0;
  }
  const Tensor again = data::from_csv(csv_of(read), "written");
  must(again.shape() == read.shape());
  must(csv_of(again) == csv_of(read));
  return 0;
}
