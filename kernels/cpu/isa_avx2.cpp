// Compiled with -mavx2 -mfma.
#define LEVIN_AVX2
#include "isa_table.h"

namespace levin::inline v0 {

void fill_avx2(Isa* isa) { fill_table(isa, "avx2"); }

}  // namespace levin::inline v0
