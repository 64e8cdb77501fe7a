// A quarter of the formulas.
#include "elementwise.h"

namespace levin::inline v0::cuda {
void fill_elementwise_3(ElementwiseTable& table) { fill_part_of_table<3>(table); }
}  // namespace levin::inline v0::cuda
