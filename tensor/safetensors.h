// Safetensors files: named tensors and texts in the format that Python's safetensors package reads
// and writes. Nothing in such a file is executed, so files from strangers can be read.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor.h"

namespace levin::inline v0 {

/// What a file holds, in its order.
struct SafetensorsFile {
  std::vector<std::pair<std::string, Tensor>> tensors;
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// The bytes of the file: a header length (8 bytes, little endian), a JSON header that spaces pad
/// to a multiple of 8, then the elements, row-major. Throws std::invalid_argument for a name that
/// comes twice, one that is not UTF-8, and for a tensor called "__metadata__".
std::string to_safetensors(const SafetensorsFile& file);
/// Reads what to_safetensors (or anybody) wrote, to the CPU. Bytes that break a rule of the format
/// throw std::runtime_error: `name_for_errors`, then what is wrong.
SafetensorsFile from_safetensors(std::string_view bytes, const std::string& name_for_errors);

/// The same with a file, which appears whole or not at all. Elements go straight between it and the
/// tensors: neither the file nor a tensor stands in memory twice.
void save_safetensors(const std::string& path, const SafetensorsFile& file);
SafetensorsFile load_safetensors(const std::string& path);

}  // namespace levin::inline v0
