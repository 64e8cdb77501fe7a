// Products and linear algebra of PyTorch as calls of levin. What levin has no name for is written
// with einsum.
#include <levin/autograd/linalg.h>

#include "reference_calls.h"

namespace levin {
namespace {

Tensor einsum_of(const Arguments& a) {
  std::vector<Tensor> operands;
  for (int i = 1; i < a.count(); ++i) operands.push_back(a.tensor(i));
  return einsum(a.positional[0].json.get<std::string>(), operands);
}

// dims: those of the first tensor, and those of the second that they are summed with.
Tensor tensordot_of(const Arguments& a) {
  const auto& dims = a.keyword("dims").json;
  std::string first = std::string("abcdefgh").substr(0, a.tensor(0).dim());
  std::string second = std::string("ABCDEFGH").substr(0, a.tensor(1).dim());
  for (std::size_t i = 0; i < dims[0].size(); ++i)
    second[dims[1][i].get<std::size_t>()] = first[dims[0][i].get<std::size_t>()];
  std::string output;
  for (const char letter : first + second)
    if ((first + second).find(letter) == (first + second).rfind(letter)) output += letter;
  return einsum(first + "," + second + "->" + output, {a.tensor(0), a.tensor(1)});
}

// beta x + alpha y
Tensor mixed(const Arguments& a, const Tensor& y) {
  return a.tensor(0).mul(a.number("beta", 1)).add(y, a.number("alpha", 1));
}

Tensor kron_of(const Arguments& a) {
  const Tensor &x = a.tensor(0), &y = a.tensor(1);
  return einsum("ij,kl->ikjl", {x, y}).reshape({x.size(0) * y.size(0), x.size(1) * y.size(1)});
}

Tensor symmetric(const Tensor& x) { return (x + x.transpose(-2, -1)) / 2; }

}  // namespace

std::map<std::string, ReferenceCall> linalg_calls() {
  return {
      {"matmul", binary(&Tensor::matmul)},
      {"mm", binary(&Tensor::matmul)},
      {"bmm", binary(&Tensor::bmm)},
      {"mv", binary(&Tensor::mv)},
      {"dot", binary(&Tensor::dot)},
      {"outer", binary(&Tensor::outer)},
      {"addmm", one([](const Arguments& a) {
         return a.tensor(0).addmm(a.tensor(1), a.tensor(2), a.number("beta", 1),
                                  a.number("alpha", 1));
       })},
      {"addmv", one([](const Arguments& a) { return mixed(a, a.tensor(1).mv(a.tensor(2))); })},
      {"baddbmm", one([](const Arguments& a) { return mixed(a, a.tensor(1).bmm(a.tensor(2))); })},
      {"nn.functional.linear", one([](const Arguments& a) {
         return linear(a.tensor(0), a.tensor(1), a.count() > 2 ? a.tensor(2) : Tensor());
       })},
      {"einsum", one(einsum_of)},
      {"tensordot", one(tensordot_of)},
      {"kron", one(kron_of)},
      {"nn.functional.bilinear", one([](const Arguments& a) {
         return einsum("ni,oij,nj->no", {a.tensor(0), a.tensor(2), a.tensor(1)}) + a.tensor(3);
       })},
      {"cholesky_of",
       one([](const Arguments& a) { return linalg::cholesky(symmetric(a.tensor(0))); })},
      {"linalg.det", unary(&Tensor::det)},
      {"linalg.inv", unary(&Tensor::inverse)},
      {"linalg.solve",
       one([](const Arguments& a) { return linalg::solve(a.tensor(0), a.tensor(1)); })},
  };
}

}  // namespace levin
