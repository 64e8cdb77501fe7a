#include "embedding.h"

#include "init.h"

namespace levin::inline v0::nn {

Embedding::Embedding(int64_t num_embeddings, int64_t embedding_dim,
                     std::optional<int64_t> padding_idx)
    : padding_idx_(padding_idx) {
  check(num_embeddings >= 0 && embedding_dim >= 0,
        {"Embedding: ", num_embeddings, " x ", embedding_dim, ": sizes must not be negative"});
  if (padding_idx)
    check(*padding_idx >= -num_embeddings && *padding_idx < num_embeddings,
          {"Embedding: padding_idx ", *padding_idx, " is not one of ", num_embeddings, " rows"});
  weight = empty({num_embeddings, embedding_dim}).requires_grad_();
  reset_parameters();
}

void Embedding::reset_parameters() {
  init::normal_(weight);
  if (padding_idx_) init::zeros_(weight.detach()[*padding_idx_]);
}

std::string Embedding::extra_text() const {
  std::string text = std::to_string(weight.size(0)) + " x " + std::to_string(weight.size(1));
  if (padding_idx_) text += ", padding " + std::to_string(*padding_idx_);
  return text;
}

}  // namespace levin::inline v0::nn
