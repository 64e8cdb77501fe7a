// Dropout: a part of the numbers is left out while training.
#pragma once

#include "module.h"

namespace levin::inline v0::nn {

/// Training: each element is 0 with probability p, else x / (1 - p), drawn from stream "dropout" of
/// the default generator. Evaluating: x itself. Throws std::invalid_argument where p is not in
/// [0, 1].
class Dropout : public Module {
 public:
  explicit Dropout(double p = 0.5);

  Tensor forward(const Tensor& x) override { return dropout(x, p, is_training()); }
  std::string extra_text() const override;

  double p;
};

}  // namespace levin::inline v0::nn
