#include "reference_errors.h"

namespace levin {

WrongCalls wrong_shapes() {
  return {
      {"torch.zeros(2, 3).reshape(4, 2)",
       {[] {
          zeros({2, 3}).reshape({4, 2});
        },
        "reshape: 6 elements do not fit [4, 2]"}},
      {"torch.zeros(2, 3).reshape(-1, -1)",
       {[] {
          zeros({2, 3}).reshape({-1, -1});
        },
        "reshape: [-1, -1]: only one size can be -1"}},
      {"torch.zeros(2, 3).reshape(-1, 4)",
       {[] {
          zeros({2, 3}).reshape({-1, 4});
        },
        "reshape: 6 elements do not fit [-1, 4]"}},
      {"torch.zeros(0, 3).reshape(-1, 0)",
       {[] {
          zeros({0, 3}).reshape({-1, 0});
        },
        "reshape: 0 elements do not fit [-1, 0]"}},
      {"torch.zeros(2, 3).t().view(6)",
       {[] {
          zeros({2, 3}).t().view({6});
        },
        "use reshape()"}},
      {"torch.zeros(2, 3).expand(4, 3)",
       {[] {
          zeros({2, 3}).expand({4, 3});
        },
        "expand: [2, 3] to [4, 3]"}},
      {"torch.zeros(3).expand(-1, 3)",
       {[] {
          zeros({3}).expand({-1, 3});
        },
        "expand: [3] to [-1, 3]"}},
      {"torch.zeros(2, 3).permute(0)",
       {[] {
          zeros({2, 3}).permute({0});
        },
        "permute: [0] names 1"}},
      {"torch.zeros(2, 3).permute(0, 0)",
       {[] {
          zeros({2, 3}).permute({0, 0});
        },
        "permute: dimension 0 appears twice"}},
      {"torch.zeros(2, 3).transpose(0, 2)",
       {[] {
          zeros({2, 3}).transpose(0, 2);
        },
        "transpose: dimension 2 is out of range"}},
      {"torch.zeros(2, 3).flatten(1, 0)",
       {[] {
          zeros({2, 3}).flatten(1, 0);
        },
        "flatten: dimension 1 comes after dimension 0"}},
      {"torch.zeros(2, 3).squeeze(2)",
       {[] {
          zeros({2, 3}).squeeze(2);
        },
        "squeeze: dimension 2 is out of range"}},
      {"torch.zeros(2).unsqueeze(3)",
       {[] { zeros({2}).unsqueeze(3); }, "unsqueeze: dimension 3 is out of range"}},
      {"torch.zeros(6).unflatten(0, (4, 2))",
       {[] {
          zeros({6}).unflatten(0, {4, 2});
        },
        "unflatten: 6 elements do not fit [4, 2]"}},
      {"torch.split(torch.zeros(5), [2, 2])",
       {[] {
          zeros({5}).split_with_sizes({2, 2});
        },
        "split_with_sizes: the sizes add up to 4"}},
      {"torch.chunk(torch.zeros(5), 0)", {[] { zeros({5}).chunk(0); }, "chunk: into 0 parts"}},
      {"torch.zeros(2, 3).roll((1, 2), 0)",
       {[] {
          zeros({2, 3}).roll({1, 2}, 0);
        },
        "roll: shifts [1, 2] along dimensions [0]"}},
      {"F.pad(torch.zeros(3), (1,))", {[] { pad(zeros({3}), 1); }, "pad: widths [1]"}},
      {"torch.diag(torch.zeros(2, 2, 2))",
       {[] {
          zeros({2, 2, 2}).diag();
        },
        "diag: a tensor of shape [2, 2, 2]"}},
      {"torch.tril(torch.zeros(3))", {[] { zeros({3}).tril(); }, "tril: a tensor of shape [3]"}},
      {"torch.cat([])", {[] { cat({}); }, "cat: an empty list"}},
      {"torch.cat([torch.zeros(2, 3), torch.zeros(2, 4)], 0)",
       {[] {
          cat({zeros({2, 3}), zeros({2, 4})}, 0);
        },
        "cat: [2, 3] and [2, 4]"}},
      {"torch.cat([torch.zeros(2, 3), torch.zeros(2)], 0)",
       {[] {
          cat({zeros({2, 3}), zeros({2})}, 0);
        },
        "cat: [2, 3] and [2]"}},
      {"torch.stack([torch.zeros(2), torch.zeros(3)])",
       {[] {
          stack({zeros({2}), zeros({3})});
        },
        "stack: [2] and [3]"}},
      {"torch.stack([])", {[] { stack({}); }, "stack: an empty list"}},
      {"torch.zeros(5).narrow(0, 3, 3)",
       {[] { zeros({5}).narrow(0, 3, 3); }, "narrow: start 3 and length 3"}},
      {"torch.zeros(5).narrow(0, 0, -1)",
       {[] { zeros({5}).narrow(0, 0, -1); }, "narrow: start 0 and length -1"}},
      {"torch.zeros(2, 3).select(0, 2)",
       {[] {
          zeros({2, 3}).select(0, 2);
        },
        "select: index 2 is out of range"}},
      {"torch.arange(0, 5, 0)", {[] { arange(0, 5, 0); }, "arange"}},
      {"torch.arange(5, 0)", {[] { arange(5, 0); }, "arange"}},
      {"torch.zeros(-1)", {[] { zeros({-1}); }, "sizes must not be negative"}},
  };
}

}  // namespace levin
