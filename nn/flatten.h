// Identity and Flatten: modules that change no number.
#pragma once

#include "module.h"

namespace levin::inline v0::nn {

/// x itself
struct Identity : Module {
  Tensor forward(const Tensor& x) override { return x; }
};

/// Dimensions start_dim to end_dim as one: [N, ..] -> [N, product].
struct Flatten : Module {
  explicit Flatten(int64_t its_start_dim = 1, int64_t its_end_dim = -1)
      : start_dim(its_start_dim), end_dim(its_end_dim) {}
  Tensor forward(const Tensor& x) override { return x.flatten(start_dim, end_dim); }
  std::string extra_text() const override {
    return std::to_string(start_dim) + " to " + std::to_string(end_dim);
  }

  int64_t start_dim, end_dim;
};

}  // namespace levin::inline v0::nn
