// Fills the table; included by one .cpp for each instruction set.
#pragma once

#include "convert_rows.h"
#include "gemm.h"
#include "norm_rows.h"
#include "softmax_rows.h"
#include "tiles.h"
#include "update.h"

namespace levin::inline v0 {
namespace {

template <class T>
RowLoops<T> rows_of() {
  RowLoops<T> loops{};
  loops.sum_block = sum_block<T>;
  loops.add_to_lanes = add_to_lanes<T>;
  loops.sum_of_lanes = sum_of_lanes<T>;
  loops.sum_rows = sum_rows<T>;
  loops.sum_columns = sum_columns<T>;
  loops.square_distance_block = square_distance_block<T>;
  loops.square_deviation_block = square_deviation_block<T>;
  loops.square_slope = square_slope<T>;
  loops.extreme_block = extreme_block<T>;
  loops.softmax = softmax_rows<T>;
  loops.softmax_backward = softmax_rows_backward<T>;
  loops.entropy = entropy_rows<T>;
  loops.scale = scale<T>;
  loops.layer_norm = layer_norm_rows<T>;
  loops.layer_norm_backward = layer_norm_rows_backward<T>;
  loops.gemm = gemm<T>;
  fill_updates(formula::Rules(), loops.update);
  return loops;
}

inline void fill_table(Isa* isa, const char* name) {
  isa->name = name;
  fill_tiles(isa);
  fill_conversions(isa);
  isa->f32 = rows_of<float>();
  isa->f64 = rows_of<double>();
}

}  // namespace
}  // namespace levin::inline v0
