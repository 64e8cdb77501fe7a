// levin: trains neural networks. This header includes everything; include single headers, such as
// <levin/nn/linear.h>, to compile faster.
#pragma once

#define LEVIN_VERSION "0.1.0"
