// A quarter of the formulas.
#include "elementwise.h"

namespace levin::inline v0::cuda {
void fill_elementwise_2(ElementwiseTable& table) { fill_part_of_table<2>(table); }
}  // namespace levin::inline v0::cuda
