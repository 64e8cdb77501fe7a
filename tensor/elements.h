// A tensor's elements on their way between its memory and files, piece by piece: what the readers
// and writers of tensor files share.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "file.h"
#include "tensor.h"

namespace levin::inline v0 {

/// Takes the next bytes of something written.
using Put = std::function<void(std::string_view)>;

/// Gives the elements to `put`, row-major. Errors begin with `what`.
void put_elements(const Tensor& tensor, const std::string& what, const Put& put);

/// Do sizes and the bytes of their elements fit into 2^63 - 1? Then `*bytes` are those.
bool byte_count(const Shape& shape, DType dtype, uint64_t* bytes);

/// A new CPU tensor, row-major, read from `from` at `at` straight into its memory. Throws
/// std::runtime_error beginning with `what` where a bool is neither 0 nor 1.
Tensor read_elements(const Source& from, uint64_t at, const Shape& shape, DType dtype,
                     const std::string& what);

}  // namespace levin::inline v0
