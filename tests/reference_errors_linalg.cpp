#include <levin/autograd/linalg.h>

#include "reference_errors.h"

namespace levin {
namespace {

Wrong matrices(const Shape& a, const Shape& b, const char* words) {
  return {[=] { matmul(zeros(a), zeros(b)); }, words};
}

WrongCalls products() {
  return {
      {"torch.zeros(2, 3) @ torch.zeros(4, 5)",
       matrices({2, 3}, {4, 5}, "matmul: [2, 3] and [4, 5]: inner sizes")},
      {"torch.zeros(2, 3) @ torch.zeros(2)",
       matrices({2, 3}, {2}, "matmul: [2, 3] and [2]: inner sizes")},
      {"torch.zeros(()) @ torch.zeros(3)",
       matrices({}, {3}, "matmul: [] and [3]: at least 1 dimension")},
      {"torch.zeros(2, 2, 3) @ torch.zeros(3, 3, 4)",
       matrices({2, 2, 3}, {3, 3, 4}, "leading sizes do not broadcast")},
      {"torch.zeros(2, 3) @ torch.zeros(3, 2, dtype=torch.float64)",
       {[] {
          matmul(zeros({2, 3}), zeros({3, 2}, kFloat64));
        },
        "matmul: float32 and float64"}},
      {"torch.bmm(torch.zeros(2, 3, 4), torch.zeros(3, 4, 2))",
       {[] {
          zeros({2, 3, 4}).bmm(zeros({3, 4, 2}));
        },
        "bmm: [2, 3, 4] and [3, 4, 2]"}},
      {"torch.dot(torch.zeros(3), torch.zeros(4))",
       {[] { zeros({3}).dot(zeros({4})); }, "dot: [3] and [4]"}},
      {"torch.mv(torch.zeros(2, 3), torch.zeros(2))",
       {[] {
          zeros({2, 3}).mv(zeros({2}));
        },
        "mv: [2, 3] and [2]"}},
      {"torch.outer(torch.zeros(2, 2), torch.zeros(2))",
       {[] {
          zeros({2, 2}).outer(zeros({2}));
        },
        "outer: [2, 2] and [2]"}},
      {"torch.addmm(torch.zeros(2), torch.zeros(2, 3), torch.zeros(3, 4))",
       {[] {
          zeros({2}).addmm(zeros({2, 3}), zeros({3, 4}));
        },
        "addmm: [2] does not broadcast to [2, 4]"}},
      {"F.linear(torch.zeros(4, 64), torch.zeros(10, 63))",
       {[] {
          linear(zeros({4, 64}), zeros({10, 63}));
        },
        "linear: input [4, 64]"}},
      {"F.linear(torch.zeros(4, 3), torch.zeros(10, 3), torch.zeros(9))",
       {[] {
          linear(zeros({4, 3}), zeros({10, 3}), zeros({9}));
        },
        "linear: bias [9]"}},
  };
}

Wrong equation(const char* text, const std::vector<Tensor>& operands, const char* words) {
  return {[=] { einsum(text, operands); }, words};
}

WrongCalls sums_and_decompositions() {
  const Tensor x = zeros({2, 3});
  return {
      {"torch.einsum(\"ij,jk->ik\", torch.zeros(2, 3), torch.zeros(4, 5))",
       equation("ij,jk->ik", {x, zeros({4, 5})}, "has size 4 for j, an earlier one 3")},
      {"torch.einsum(\"ij->ik\", torch.zeros(2, 3))",
       equation("ij->ik", {x}, "no operand has the result's letter k")},
      {"torch.einsum(\"ij,jk\", torch.zeros(2, 3))",
       equation("ij,jk", {x}, "1 operands for 2 terms")},
      {"torch.einsum(\"ijk\", torch.zeros(2, 3))",
       equation("ijk", {x}, "has 2 dimensions, and 3 letters")},
      {"torch.linalg.cholesky(-torch.eye(2))",
       {[] { linalg::cholesky(-eye(2)); }, "cholesky of a float32 tensor of shape [2, 2]"}},
      {"torch.linalg.inv(torch.zeros(2, 2))",
       {[] {
          linalg::inv(zeros({2, 2}));
        },
        "the matrix is singular"}},
      {"torch.linalg.inv(torch.zeros(2, 3))",
       {[=] { linalg::inv(x); }, "inv: a tensor of shape [2, 3]"}},
      {"torch.linalg.solve(torch.zeros(2, 2), torch.zeros(2))",
       {[] {
          linalg::solve(zeros({2, 2}), zeros({2}));
        },
        "the matrix is singular"}},
      {"torch.linalg.det(torch.zeros(2, 3))",
       {[=] { linalg::det(x); }, "det: a tensor of shape [2, 3]"}},
  };
}

}  // namespace

WrongCalls wrong_linalg() {
  WrongCalls wrong = products();
  wrong.merge(sums_and_decompositions());
  return wrong;
}

}  // namespace levin
