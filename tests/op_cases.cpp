#include "op_cases.h"

namespace levin {

std::string operation_of(const OpCase& row) { return row.name.substr(0, row.name.find(' ')); }

const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> rows = [] {
    std::vector<OpCase> all;
    for (const auto& part :
         {unary_cases(),   activation_cases(), binary_cases(), choice_cases(),
          logic_cases(),   in_place_cases(),   reduce_cases(), composed_reduction_cases(),
          scan_cases(),    view_cases(),       part_cases(),   shape_cases(),
          product_cases(), einsum_cases(),     linalg_cases(), index_cases(),
          indices_cases(), mask_cases(),       loss_cases(),   loss_class_cases(),
          norm_cases(),    random_cases()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return rows;
}

}  // namespace levin
