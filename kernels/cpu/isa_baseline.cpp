#include "isa_table.h"

namespace levin::inline v0 {

void fill_baseline(Isa* isa) { fill_table(isa, "baseline"); }

}  // namespace levin::inline v0
