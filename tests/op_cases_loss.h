// Rows of a loss that has a reduction, from one formula for the losses of all elements.
#pragma once

#include "op_cases.h"

namespace levin {

struct LossRows {
  const char* name;
  std::vector<Sample> samples;
  std::function<Tensor(const Tensors&, LossReduction)> call;
  std::function<Array(const Arrays&)> losses;
  std::vector<WrongCall> wrong = {};
  unsigned types = kFloats;
};

/// A row for each of mean, sum and none.
std::vector<OpCase> rows_of(const LossRows& loss);

}  // namespace levin
