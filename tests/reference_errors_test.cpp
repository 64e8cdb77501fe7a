// Calls that PyTorch refuses: levin refuses them too, in its own words.
#include "reference_errors.h"

#include <gtest/gtest.h>
#include <levin/tensor/file.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace levin {
namespace {

Tensor indices(const std::vector<int64_t>& numbers) { return from_vector(numbers); }

WrongCalls arithmetic() {
  return {
      {"torch.zeros(2, 3) + torch.zeros(2, 4)",
       {[] {
          zeros({2, 3}) + zeros({2, 4});
        },
        "add: [2, 3] and [2, 4]"}},
      {"torch.zeros(3).add_(torch.zeros(2, 3))",
       {[] {
          zeros({3}).add_(zeros({2, 3}));
        },
        "add_: the result of shape [2, 3]"}},
      {"torch.zeros(2, dtype=torch.int64).add_(torch.ones(2) * .5)",
       {[] { zeros({2}, kInt64).add_(ones({2}) * .5); }, "add_: a float32 result"}},
      {"torch.ones(2, dtype=torch.bool) - torch.ones(2, dtype=torch.bool)",
       {[] { ones({2}, kBool) - ones({2}, kBool); }, "sub: a bool tensor"}},
      {"-torch.ones(2, dtype=torch.bool)", {[] { -ones({2}, kBool); }, "neg: a bool tensor"}},
      {"torch.pow(torch.tensor([2, 3]), -1)",
       {[] {
          pow(indices({2, 3}), -1);
        },
        "pow: an integer tensor to the power -1"}},
      {"torch.bitwise_and(torch.ones(2), torch.ones(2))",
       {[] { ones({2}).bitwise_and(ones({2})); }, "bitwise_and: a float32 tensor"}},
      {"torch.bitwise_not(torch.ones(2))",
       {[] { ones({2}).bitwise_not(); }, "bitwise_not: a float32 tensor"}},
      {"torch.tensor([1]) // torch.tensor([0])",
       {[] { indices({1}).floor_divide(indices({0})); }, "floor_divide: integers of shape [1]"}},
      {"torch.tensor([1]) % 0", {[] { indices({1}).remainder(0); }, "remainder: integers"}},
      {"torch.where(torch.zeros(3), torch.zeros(3), torch.zeros(3))",
       {[] { where(zeros({3}), zeros({3}), zeros({3})); }, "where: a float32 condition"}},
      {"torch.zeros(1).expand(3).add_(1)",
       {[] { zeros({1}).expand({3}).add_(1); }, "add_: several elements"}},
      {"(lambda x: x[1:].add_(x[:-1]))(torch.zeros(4))",
       {[] {
          const Tensor x = zeros({4});
          x.slice(0, 1, 4).add_(x.slice(0, 0, 3));
        },
        "add_: source and target overlap"}},
  };
}

Tensor one() { return full({}, 1.0).requires_grad_(); }
Tensor two() { return ones({2}).requires_grad_(); }

WrongCalls gradients() {
  return {
      {"torch.zeros(3, requires_grad=True).backward()",
       {[] { zeros({3}).requires_grad_().backward(); }, "backward: a tensor of shape [3]"}},
      {"torch.zeros(()).backward()",
       {[] { zeros({}).backward(); }, "backward: the tensor of shape [] depends on nothing"}},
      {"(lambda y: (y.backward(), y.backward()))(torch.ones((), requires_grad=True).exp())",
       {[] {
          const Tensor y = one().exp();
          y.backward();
          y.backward();
        },
        "backward: exp was run backwards before"}},
      {"(lambda y: (y.add_(1), y.sum().backward()))(torch.ones(2, requires_grad=True).exp())",
       {[] {
          const Tensor y = two().exp();
          y.add_(1);
          y.sum().backward();
        },
        "changed in place by add_"}},
      {"torch.ones(2, requires_grad=True).sum().backward(torch.ones(2))",
       {[] { two().sum().backward(ones({2})); }, "backward: a gradient of shape [2]"}},
      {"torch.zeros(2, dtype=torch.int64).requires_grad_()",
       {[] { zeros({2}, kInt64).requires_grad_(); }, "requires_grad_: a int64 tensor"}},
      {"torch.zeros(2, requires_grad=True).add_(1)",
       {[] { two().add_(1); }, "add_: a leaf of shape [2]"}},
      {"torch.zeros(2, requires_grad=True)[0].fill_(1)",
       {[] { two()[0].fill_(1); }, "fill_: a view of shape []"}},
      {"torch.autograd.grad(torch.ones((), requires_grad=True).exp(), torch.ones((), "
       "requires_grad=True))",
       {[] { grad({one().exp()}, {one()}); }, "grad: the outputs do not depend on input 0"}},
      {"torch.zeros(2).item()", {[] { zeros({2}).item(); }, "item: a tensor of shape [2]"}},
  };
}

TEST(ReferenceErrors, RefusedAsPyTorchDoes) {
  WrongCalls wrong;
  for (const auto& part : {wrong_linalg(), arithmetic(), wrong_reductions(), wrong_shapes(),
                           wrong_indices(), wrong_losses(), gradients()})
    wrong.insert(part.begin(), part.end());
  const auto table = nlohmann::json::parse(read_whole(LEVIN_TEST_DIR "/reference/ops/errors.json"));
  std::map<std::string, int> left_out;
  int refused = 0;
  for (const auto& one : table["errors"]) {
    const auto found = wrong.find(one["call"]);
    if (found == wrong.end()) {
      ++left_out[one["op"]];
      continue;
    }
    std::string message;
    try {
      found->second.call();
    } catch (const std::exception& error) {
      message = error.what();
    }
    EXPECT_NE(message.find(found->second.words), std::string::npos)
        << one["call"] << " gives: " << message;
    ++refused;
  }
  EXPECT_EQ(refused, static_cast<int>(wrong.size())) << "a call here is not in errors.json";
  std::cout << refused << " calls refused as PyTorch does; left out:";
  for (const auto& [op, count] : left_out) std::cout << " " << op << ":" << count;
  std::cout << "\n";
}

}  // namespace
}  // namespace levin
