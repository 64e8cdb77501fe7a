// Embedding: rows of a table.
#pragma once

#include <optional>

#include "module.h"

namespace levin::inline v0::nn {

/// int64 indices [..] -> [.., embedding_dim] with weight [num_embeddings, embedding_dim], which
/// starts normal (mean 0, deviation 1) from stream "init" of the default generator. Row
/// `padding_idx` (negative: from the end) starts as zeros and gets no gradient.
class Embedding : public Module {
 public:
  Embedding(int64_t num_embeddings, int64_t embedding_dim, std::optional<int64_t> padding_idx = {});

  Tensor forward(const Tensor& index) override { return embedding(index, weight, padding_idx_); }
  void members(Members& m) override { m("weight", weight); }
  void reset_parameters() override;
  std::string extra_text() const override;

  Tensor weight;

 private:
  std::optional<int64_t> padding_idx_;
};

}  // namespace levin::inline v0::nn
