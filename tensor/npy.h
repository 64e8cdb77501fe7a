// Npy files: one tensor in the format of NumPy's save and load. Nothing in such a file is executed,
// so files from strangers can be read.
#pragma once

#include <string>
#include <string_view>

#include "tensor.h"

namespace levin::inline v0 {

/// The bytes of the file, format 1.0: row-major, as numpy.save writes them. NumPy has no bfloat16:
/// std::invalid_argument.
std::string to_npy(const Tensor& tensor);
/// Reads formats 1.0, 2.0 and 3.0 to the CPU, of any byte order. Column-major arrays (fortran_order)
/// keep their order in memory: the tensor is a transposed one. Throws std::runtime_error:
/// `name_for_errors`, then what is wrong, or which type levin does not have.
Tensor from_npy(std::string_view bytes, const std::string& name_for_errors);

/// The same with a file, which appears whole or not at all.
void save_npy(const std::string& path, const Tensor& tensor);
Tensor load_npy(const std::string& path);

}  // namespace levin::inline v0
