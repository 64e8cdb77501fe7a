// The name of a class, for errors, tables and files.
#pragma once

#include <string>
#include <typeinfo>

namespace levin::inline v0 {

/// "Linear" for levin::nn::Linear: without namespaces.
std::string class_name(const std::type_info& type);

}  // namespace levin::inline v0
