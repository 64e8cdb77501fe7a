#include "type_name.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace levin::inline v0 {

std::string class_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  std::string name = text ? text.get() : type.name();
  // Without the arguments of a template, whose names have colons too.
  for (int depth = 0; name.ends_with('>') || depth > 0; name.pop_back())
    depth += name.ends_with('>') ? 1 : name.ends_with('<') ? -1 : 0;
  const std::size_t colon = name.rfind(':');
  return colon == std::string::npos ? name : name.substr(colon + 1);
}

}  // namespace levin::inline v0
