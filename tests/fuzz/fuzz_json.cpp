#include <levin/train/files/text.h>

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace levin;
  Value read;
  try {
    read = from_json(text_of(data, size), "input");
  } catch (const std::invalid_argument&) {
    return 0;
  }
  must(from_json(to_json(read, -1, NonFinite::text), "written") == read);
  must(from_json(to_json(read, 2, NonFinite::text), "written") == read);
  return 0;
}
