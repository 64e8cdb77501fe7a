// Fills the table; included by one .cpp for each instruction set.
#pragma once

#include "gemm.h"
#include "rows.h"
#include "tiles.h"
#include "update.h"

namespace levin::inline v0 {
namespace {

template <class T>
RowLoops<T> rows_of() {
  RowLoops<T> loops = {sum_block<T>,
                       add_to_lanes<T>,
                       fold_lanes<T>,
                       square_distance_block<T>,
                       sum_columns<T>,
                       softmax_row<T>,
                       softmax_row_backward<T>,
                       gemm<T>,
                       {}};
  fill_updates(formula::Rules(), loops.update);
  return loops;
}

inline void fill_table(Isa* isa, const char* name) {
  isa->name = name;
  fill_tiles(isa);
  isa->f32 = rows_of<float>();
  isa->f64 = rows_of<double>();
}

}  // namespace
}  // namespace levin::inline v0
