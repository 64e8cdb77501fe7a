// Losses, normalisation, random numbers.
#include "reference_errors.h"

namespace levin {
namespace {

Tensor indices(const std::vector<int64_t>& numbers) { return from_vector(numbers); }

}  // namespace

WrongCalls wrong_losses() {
  const auto entropy = [](const Tensor& target, const Tensor& weight = {}) {
    cross_entropy(zeros({2, 5}), target, {.weight = weight});
  };
  return {
      {"F.mse_loss(torch.zeros(3), torch.zeros(4))",
       {[] { mse_loss(zeros({3}), zeros({4})); }, "mse_loss: [3] and [4]"}},
      {"F.cross_entropy(torch.zeros(2, 5), torch.tensor([5, 0]))",
       {[=] {
          entropy(indices({5, 0}));
        },
        "cross_entropy: class indices"}},
      {"F.cross_entropy(torch.zeros(2, 5), torch.tensor([0, -1]))",
       {[=] {
          entropy(indices({0, -1}));
        },
        "cross_entropy: class indices"}},
      {"F.cross_entropy(torch.zeros(2, 5), torch.tensor([0, 1, 2]))",
       {[=] {
          entropy(indices({0, 1, 2}));
        },
        "cross_entropy: input [2, 5]"}},
      {"F.cross_entropy(torch.zeros(2, 5), torch.tensor([0, 1], dtype=torch.int32))",
       {[=] { entropy(zeros({2}, kInt32)); }, "cross_entropy: a int32 target"}},
      {"F.cross_entropy(torch.zeros(2, 5), torch.tensor([0, 1]), weight=torch.ones(4))",
       {[=] {
          entropy(indices({0, 1}), ones({4}));
        },
        "cross_entropy: one weight"}},
      {"F.nll_loss(torch.zeros(2, 5), torch.tensor([0.0, 1.0]))",
       {[] {
          nll_loss(zeros({2, 5}), zeros({2}));
        },
        "nll_loss: a float32 target"}},
      {"F.binary_cross_entropy(torch.zeros(3), torch.zeros(2))",
       {[] { binary_cross_entropy(zeros({3}), zeros({2})); },
        "binary_cross_entropy: [3] and [2]: shapes must be equal"}},
      {"F.binary_cross_entropy_with_logits(torch.zeros(3), torch.zeros(2))",
       {[] { binary_cross_entropy_with_logits(zeros({3}), zeros({2})); },
        "binary_cross_entropy_with_logits: [3] and [2]: shapes must be equal"}},
      {"F.layer_norm(torch.zeros(2, 3), (4,))",
       {[] {
          layer_norm(zeros({2, 3}), {4});
        },
        "layer_norm: input [2, 3]"}},
      {"torch.normal(0.0, -1.0, (2,))", {[] { empty({2}).normal_(0, -1); }, "normal_: std -1"}},
      {"F.dropout(torch.zeros(3), 1.5)", {[] { dropout(zeros({3}), 1.5); }, "dropout: p is 1.5"}},
  };
}

}  // namespace levin
