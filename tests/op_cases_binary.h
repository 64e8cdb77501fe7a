// How rows of elementwise operations on two operands are written down.
#pragma once

#include <functional>

#include "op_cases.h"

namespace levin {

using F1 = std::function<double(double)>;
using F2 = std::function<double(double, double)>;

/// Two tensors, drawn from [low, high] and [low2, high2].
OpCase row(const char* name, F2 f, Call call, double low = -2, double high = 2, double low2 = -2,
           double high2 = 2);
/// One tensor; the number stands in the call.
OpCase with_number(const char* name, F1 f, Call call, double low = -2, double high = 2);

}  // namespace levin
