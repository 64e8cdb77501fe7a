#include "type_name.h"

#include <cxxabi.h>

#include <cstdlib>

namespace levin::inline v0 {

std::string class_name(const std::type_info& type) {
  int status = 0;
  char* text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = text ? text : type.name();
  std::free(text);
  // Without the arguments of a template, whose names have colons too.
  for (int depth = 0; name.ends_with('>') || depth > 0; name.pop_back())
    depth += name.ends_with('>') ? 1 : name.ends_with('<') ? -1 : 0;
  const std::size_t colon = name.rfind(':');
  return colon == std::string::npos ? name : name.substr(colon + 1);
}

}  // namespace levin::inline v0
