// Compiled with -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma.
#define LEVIN_AVX512
#include "isa_table.h"

namespace levin::inline v0 {

void fill_avx512(Isa* isa) { fill_table(isa, "avx512"); }

}  // namespace levin::inline v0
