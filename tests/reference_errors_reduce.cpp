#include "reference_errors.h"

namespace levin {

WrongCalls wrong_reductions() {
  return {
      {"torch.zeros(2, 3).sum(2)",
       {[] {
          zeros({2, 3}).sum({2});
        },
        "sum: dimension 2 is out of range"}},
      {"torch.zeros(2, 3).sum(-3)",
       {[] {
          zeros({2, 3}).sum({-3});
        },
        "sum: dimension -3 is out of range"}},
      {"torch.zeros(2, 3).sum((0, 0))",
       {[] {
          zeros({2, 3}).sum({0, 0});
        },
        "sum: dimension 0 appears twice"}},
      {"torch.zeros(3, dtype=torch.int64).mean()",
       {[] { zeros({3}, kInt64).mean(); }, "mean: a int64 tensor"}},
      {"torch.zeros(3, dtype=torch.int64).var()",
       {[] { zeros({3}, kInt64).var(); }, "var: a int64 tensor"}},
      {"torch.zeros(0).amax()", {[] { zeros({0}).amax(); }, "amax: a tensor of shape [0]"}},
      {"torch.zeros(0).max()", {[] { zeros({0}).max(); }, "max: a tensor of shape [0]"}},
      {"torch.zeros(2, 0).max(1)",
       {[] {
          zeros({2, 0}).max(1);
        },
        "max: a tensor of shape [2, 0]"}},
      {"torch.zeros(0).argmax()", {[] { zeros({0}).argmax(); }, "argmax: a tensor of shape [0]"}},
      {"torch.softmax(torch.zeros(2, 3), 2)",
       {[] {
          softmax(zeros({2, 3}), 2);
        },
        "softmax: dimension 2 is out of range"}},
      {"torch.softmax(torch.zeros(3, dtype=torch.int64), 0)",
       {[] { softmax(zeros({3}, kInt64), 0); }, "softmax: a int64 tensor"}},
      {"torch.logsumexp(torch.zeros(2, 3), 5)",
       {[] {
          zeros({2, 3}).logsumexp(5);
        },
        "logsumexp: dimension 5 is out of range"}},
      {"torch.topk(torch.zeros(3), 4)", {[] { zeros({3}).topk(4); }, "topk: the 4 largest"}},
      {"torch.sort(torch.zeros(3), dim=1)",
       {[] { zeros({3}).sort(1); }, "sort: dimension 1 is out of range"}},
      {"torch.cumsum(torch.zeros(3), 2)",
       {[] { zeros({3}).cumsum(2); }, "cumsum: dimension 2 is out of range"}},
  };
}

}  // namespace levin
