#include "reference_errors.h"

namespace levin {

WrongCalls wrong_indices() {
  const auto indices = [](const std::vector<int64_t>& numbers) { return from_vector(numbers); };
  return {
      {"torch.zeros(2, 3)[2]",
       {[] {
          zeros({2, 3})[2];
        },
        "select: index 2 is out of range"}},
      {"torch.zeros(2, 3)[0, 0, 0]",
       {[] {
          zeros({2, 3})[{0, 0, 0}];
        },
        "brackets: indices of 3 dimensions into a tensor of shape [2, 3]: too many"}},
      {"torch.zeros(3)[::-1]",
       {[] { zeros({3})[Slice(None, None, -1)]; }, "brackets: a slice with step -1"}},
      {"torch.zeros(3)[::0]",
       {[] { zeros({3})[Slice(None, None, 0)]; }, "brackets: a slice with step 0"}},
      {"torch.zeros(3)[torch.tensor([3])]",
       {[=] { zeros({3})[indices({3})]; },
        "brackets: index 3 is out of range for dimension 0 of size 3"}},
      {"torch.zeros(3)[torch.tensor([1.0])]",
       {[] { zeros({3})[tensor({1.0})]; }, "brackets: a float32 index"}},
      {"torch.zeros(3)[torch.tensor([True, False])]",
       {[] { zeros({3})[zeros({2}, kBool)]; }, "brackets: a mask of shape [2]"}},
      {"torch.zeros(3, 3)[torch.tensor([0, 1]), torch.tensor([0, 1, 2])]",
       {[=] {
          zeros({3, 3})[{indices({0, 1}), indices({0, 1, 2})}];
        },
        "brackets: index tensors of shapes [2] and [3] do not broadcast"}},
      {"torch.zeros(3).__setitem__(slice(0, 2), torch.zeros(3))",
       {[] { zeros({3}).index_put_(Slice(0, 2), zeros({3})); },
        "index_put_: values of shape [3] do not fit a place of shape [2]"}},
      {"torch.index_select(torch.zeros(3), 0, torch.tensor([3]))",
       {[=] { zeros({3}).index_select(0, indices({3})); },
        "index_select: index 3 is out of range for dimension 0 of size 3"}},
      {"torch.index_select(torch.zeros(3), 0, torch.tensor([[0]]))",
       {[] {
          zeros({3}).index_select(0, zeros({1, 1}, kInt64));
        },
        "an int64 vector is needed"}},
      {"torch.gather(torch.zeros(2, 3), 1, torch.tensor([[3]]))",
       {[=] {
          gather(zeros({2, 3}), 1, indices({3}).view({1, 1}));
        },
        "gather: index 3 is out of range for dimension 1 of size 3"}},
      {"torch.gather(torch.zeros(2, 3), 1, torch.tensor([0]))",
       {[=] {
          gather(zeros({2, 3}), 1, indices({0}));
        },
        "gather: index [1] into [2, 3]"}},
      {"torch.gather(torch.zeros(2, 3), 0, torch.tensor([[0.0]]))",
       {[] {
          gather(zeros({2, 3}), 0, zeros({1, 1}));
        },
        "gather: a float32 index"}},
      {"torch.zeros(2).scatter_add(0, torch.tensor([2]), torch.ones(1))",
       {[=] { zeros({2}).scatter_add(0, indices({2}), ones({1})); },
        "scatter_add: index 2 is out of range for dimension 0 of size 2"}},
      {"torch.zeros(3).masked_fill(torch.zeros(3), 1)",
       {[] { zeros({3}).masked_fill(zeros({3}), 1); }, "masked_fill: a float32 mask"}},
      {"torch.zeros(3).masked_fill(torch.zeros(2, dtype=torch.bool), 1)",
       {[] { zeros({3}).masked_fill(zeros({2}, kBool), 1); }, "masked_fill: a mask of shape [2]"}},
      {"torch.zeros(3).masked_select(torch.zeros(3))",
       {[] { zeros({3}).masked_select(zeros({3})); }, "masked_select: a float32 mask"}},
      {"F.one_hot(torch.tensor([3]), 3)",
       {[=] { one_hot(indices({3}), 3); }, "one_hot: index 3 is out of range"}},
      {"F.one_hot(torch.tensor([-1]))", {[=] { one_hot(indices({-1})); }, "one_hot: 0 classes"}},
      {"F.embedding(torch.tensor([5]), torch.zeros(5, 2))",
       {[=] {
          embedding(indices({5}), zeros({5, 2}));
        },
        "embedding: index 5 is out of range for dimension 0 of size 5"}},
      {"F.embedding(torch.tensor([0.0]), torch.zeros(5, 2))",
       {[] {
          embedding(zeros({1}), zeros({5, 2}));
        },
        "embedding: a float32 index"}},
  };
}

}  // namespace levin
