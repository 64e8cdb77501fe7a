#include "rows_by_hand.h"

#include <levin/kernels/cpu/isa.h>

#include <cmath>
#include <cstring>
#include <vector>

#define INSIDE [[gnu::always_inline]] inline

namespace {
namespace baseline {
constexpr int64_t kWidth = 4;
#include "rows_loops.h"
}  // namespace baseline

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
namespace avx2 {
constexpr int64_t kWidth = 8;
#include "rows_loops.h"
}  // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4")
namespace avx512 {
constexpr int64_t kWidth = 16;
#include "rows_loops.h"
}  // namespace avx512
#pragma GCC pop_options

// By levin's own instruction set, so that LEVIN_ISA=avx2 compares like with like.
template <class Function>
Function* chosen(Function* with_avx512, Function* with_avx2, Function* without) {
  const char* name = levin::isa().name;
  return std::strcmp(name, "avx512") == 0 ? with_avx512
         : std::strcmp(name, "avx2") == 0 ? with_avx2
                                          : without;
}

#define CHOSEN(function) chosen(avx512::function, avx2::function, baseline::function)

}  // namespace

namespace by_hand {

SumColumns* const sum_columns = CHOSEN(sum_columns);
SumRows* const sum_rows = CHOSEN(sum_rows);
CrossEntropy* const cross_entropy = CHOSEN(cross_entropy);
LayerNorm* const layer_norm = CHOSEN(layer_norm);
LayerNormBackward* const layer_norm_backward = CHOSEN(layer_norm_backward);
Mse* const mse = CHOSEN(mse);
MseBackward* const mse_backward = CHOSEN(mse_backward);

}  // namespace by_hand
