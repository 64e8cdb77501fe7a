// Rows of linear algebra, against elimination in plain loops.
#include <levin/autograd/linalg.h>

#include <cmath>

#include "op_cases.h"

namespace levin {
namespace {

using Wide = long double;
using Matrix = std::vector<std::vector<Wide>>;

Shape with_sizes(Shape leading, std::initializer_list<int64_t> sizes) {
  for (const int64_t size : sizes) leading.push_back(size);
  return leading;
}
Shape leading_of(const Array& a) { return Shape(a.shape.begin(), a.shape.size() - 2); }

// The matrix at `index` of a batch.
Matrix matrix_of(const Array& a, const Index& index) {
  Matrix matrix(a.size(-2), std::vector<Wide>(a.size(-1)));
  Index at = index;
  at.resize(index.size() + 2);
  for (int64_t i = 0; i < a.size(-2); ++i)
    for (int64_t j = 0; j < a.size(-1); ++j) {
      at[index.size()] = i, at[index.size() + 1] = j;
      matrix[i][j] = a.broadcast_at(at);
    }
  return matrix;
}

// Solves a x = b in place of b; gives the determinant of a.
Wide eliminate(Matrix a, Matrix* b) {
  const std::size_t n = a.size();
  Wide det = 1;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < n; ++i)
      if (std::abs(a[i][k]) > std::abs(a[pivot][k])) pivot = i;
    if (a[pivot][k] == 0) return 0;
    if (pivot != k) det = -det, std::swap(a[pivot], a[k]), std::swap((*b)[pivot], (*b)[k]);
    det *= a[k][k];
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const Wide factor = a[i][k] / a[k][k];
      for (std::size_t j = 0; j < n; ++j) a[i][j] -= factor * a[k][j];
      for (std::size_t j = 0; j < (*b)[i].size(); ++j) (*b)[i][j] -= factor * (*b)[k][j];
    }
  }
  for (std::size_t i = 0; i < n; ++i)
    for (Wide& number : (*b)[i]) number /= a[i][i];
  return det;
}

// a [.., n, n], b [.., n, k], broadcast.
Array solution_of(const Array& a, const Array& b) {
  Shape leading;
  if (!broadcast_shapes(leading_of(a), leading_of(b), &leading))
    throw std::logic_error("no common shape");
  Array x{with_sizes(leading, {b.size(-2), b.size(-1)}), {}};
  for_each_index(leading, [&](const Index& index) {
    Matrix right = matrix_of(b, index);
    eliminate(matrix_of(a, index), &right);
    for (const auto& row : right)
      for (const Wide number : row) x.numbers.push_back(static_cast<double>(number));
  });
  return x;
}

Array solution_for_vectors(const Array& a, const Array& b) {
  Array x = solution_of(a, {with_sizes(b.shape, {1}), b.numbers});
  x.shape = Shape(x.shape.begin(), x.shape.size() - 1);
  return x;
}

Array inverse_of(const Array& a) {
  const int64_t n = a.size(-1);
  return solution_of(a, make_array({n, n}, [](const Index& i) { return i[0] == i[1]; }));
}

Array det_of(const Array& a) {
  return make_array(leading_of(a), [&](const Index& index) {
    Matrix none(a.size(-1));
    return static_cast<double>(eliminate(matrix_of(a, index), &none));
  });
}

Array cholesky_of(const Array& a) {
  Array result{a.shape, {}};
  for_each_index(leading_of(a), [&](const Index& index) {
    const Matrix matrix = matrix_of(a, index);
    Matrix lower(matrix.size(), std::vector<Wide>(matrix.size(), 0));
    for (std::size_t i = 0; i < matrix.size(); ++i)
      for (std::size_t j = 0; j <= i; ++j) {
        Wide rest = matrix[i][j];
        for (std::size_t k = 0; k < j; ++k) rest -= lower[i][k] * lower[j][k];
        lower[i][j] = i == j ? std::sqrt(rest) : rest / lower[j][j];
      }
    for (const auto& row : lower)
      for (const Wide number : row) result.numbers.push_back(static_cast<double>(number));
  });
  return result;
}

// Made invertible: x + shift on the diagonal.
Tensor shifted(const Tensor& x, double shift) {
  return x + (shift * eye(x.size(-1))).to(x.dtype()).to(x.device());
}
Array shifted(const Array& x, double shift) {
  return make_array(x.shape, [&](const Index& i) {
    return x.at(i) + (i[i.size() - 1] == i[i.size() - 2] ? shift : 0);
  });
}

// Made symmetric: x + x^T, with one gradient that reaches x.
Tensor symmetric(const Tensor& x) {
  const Tensor y = x.clone();
  return y + y.transpose(-2, -1);
}
Array symmetric(const Array& x) {
  return make_array(x.shape, [&](Index i) {
    const double number = x.at(i);
    std::swap(i[i.size() - 1], i[i.size() - 2]);
    return number + x.at(i);
  });
}

WrongCall not_square(const char* words, const Call& call) {
  return {words, [=] { call.run({zeros({2, 3})}); }};
}

std::vector<OpCase> inverses() {
  const Call inv = [](const Tensors& x) { return linalg::inv(x[0]); };
  const Call member = [](const Tensors& x) { return x[0].inverse(); };
  return {
      {.name = "inv",
       .samples = {{{{2, 3, 3}}}, {{{2, 1, 2, 2}}}, {{{1, 1}}}, {{{0, 2, 2}}}, {{{2, 0, 0}}}},
       .call = inv,
       .reference = [](const Arrays& x) { return inverse_of(x[0]); },
       .wrong = {not_square("inv: a tensor of shape [2, 3]: square matrices", inv),
                 {"inv of a float32 tensor of shape [2, 2] is not possible: the matrix is singular",
                  [] {
                    linalg::inv(zeros({2, 2}));
                  }},
                 {"is not possible: matrix [1, 0] is singular",
                  [] {
                    const Tensor x = eye(3).expand({2, 2, 3, 3}).clone();
                    x[1].fill_(1);
                    linalg::inv(x);
                  }}},
       .types = kReals,
       .slack = 64},
      {.name = "inv shifted",
       .samples = {{{{3, 3}, -1, 1}}, {{{5, 5}, -1, 1}}, {{{2, 4, 4}, -1, 1}}},
       .call = [](const Tensors& x) { return linalg::inv(shifted(x[0], 4)); },
       .reference = [](const Arrays& x) { return inverse_of(shifted(x[0], 4)); },
       .large = {{{23, 31, 31}, -.2, .2}},
       .types = kReals,
       .slack = 4},
      {.name = "inverse",
       .samples = {{{{3, 2, 2}}}, {{{1, 1}}}},
       .call = member,
       .reference = [](const Arrays& x) { return inverse_of(x[0]); },
       .wrong = {not_square("inv: a tensor of shape [2, 3]: square matrices", member),
                 {"inv: a tensor of shape [4]: square matrices", [] { zeros({4}).inverse(); }}},
       .spellings = {inv},
       .types = kReals,
       .slack = 64},
  };
}

std::vector<OpCase> determinants() {
  const Call det = [](const Tensors& x) { return linalg::det(x[0]); };
  return {
      {.name = "det",
       .samples = {{{{3, 3}}},
                   {{{2, 2}}},
                   {{{2, 3, 3}}},
                   {{{2, 1, 4, 4}}},
                   {{{1, 1}}},
                   {{{0, 2, 2}}},
                   {{{2, 0, 0}}},
                   {{{0, 0}}}},
       .call = det,
       .reference = [](const Arrays& x) { return det_of(x[0]); },
       .wrong = {not_square("det: a tensor of shape [2, 3]: square matrices", det),
                 {"det: a tensor of shape []: square matrices", [] { linalg::det(zeros({})); }}},
       .spellings = {[](const Tensors& x) { return x[0].det(); }},
       .types = kReals,
       .slack = 16},
      {.name = "det shifted",
       .samples = {{{{5, 5}, -.5, .5}}},
       .call = [](const Tensors& x) { return linalg::det(shifted(x[0], 1)); },
       .reference = [](const Arrays& x) { return det_of(shifted(x[0], 1)); },
       .large = {{{23, 31, 31}, -.1, .1}},
       .types = kReals,
       .slack = 16},
  };
}

std::vector<OpCase> solutions() {
  const Call solve = [](const Tensors& x) { return linalg::solve(x[0], x[1]); };
  const auto wrong = [=](const char* words, const Shape& a, const Shape& b) -> WrongCall {
    return {words, [=] { solve.run({zeros(a), zeros(b)}); }};
  };
  return {
      {.name = "solve",
       .samples = {{{{2, 3, 3}}, {{2, 3, 2}}},
                   {{{2, 3, 3}}, {{3, 2}}},
                   {{{2, 1, 2, 2}}, {{3, 2, 2}}},
                   {{{1, 1}}, {{2, 1, 3}}},
                   {{{2, 2, 2}}, {{2, 2, 0}}},
                   {{{0, 2, 2}}, {{0, 2, 1}}},
                   {{{2, 0, 0}}, {{2, 0, 3}}}},
       .call = solve,
       .reference = [](const Arrays& x) { return solution_of(x[0], x[1]); },
       .wrong = {wrong("solve: a tensor of shape [2, 3]: square matrices", {2, 3}, {2}),
                 wrong("solve: [2, 2] and [3, 1]: the right side needs as many rows", {2, 2},
                       {3, 1}),
                 wrong("solve: [2, 3, 3] and [4, 3, 1]: leading sizes", {2, 3, 3}, {4, 3, 1}),
                 wrong(
                     "solve of a float32 tensor of shape [4, 2, 2] is not possible: matrix [0] is "
                     "singular",
                     {4, 2, 2}, {2}),
                 {"solve: float32 and float64: element types must be equal",
                  [=] {
                    solve.run({eye(2), zeros({2}, kFloat64)});
                  }}},
       .types = kReals,
       .slack = 64},
      {.name = "solve vectors",
       .samples = {{{{2, 3, 3}}, {{2, 3}}}, {{{1, 1}}, {{1}}}, {{{0, 2, 2}}, {{0, 2}}}},
       .call = solve,
       .reference = [](const Arrays& x) { return solution_for_vectors(x[0], x[1]); },
       .types = kReals,
       .slack = 64},
      {.name = "solve shifted",
       .samples = {{{{3, 3}, -1, 1}, {{3, 2}}}, {{{5, 5}, -1, 1}, {{5, 1}}}},
       .call = [](const Tensors& x) { return linalg::solve(shifted(x[0], 4), x[1]); },
       .reference = [](const Arrays& x) { return solution_of(shifted(x[0], 4), x[1]); },
       .large = {{{23, 31, 31}, -.2, .2}, {{31, 7}}},
       .types = kReals,
       .slack = 4},
      {.name = "solve shifted vector",
       .samples = {{{{4, 4}, -1, 1}, {{4}}}},
       .call = [](const Tensors& x) { return linalg::solve(shifted(x[0], 4), x[1]); },
       .reference = [](const Arrays& x) { return solution_for_vectors(shifted(x[0], 4), x[1]); },
       .types = kReals,
       .slack = 4},
  };
}

std::vector<OpCase> choleskys() {
  const Call cholesky = [](const Tensors& x) { return linalg::cholesky(x[0]); };
  return {
      {.name = "cholesky",
       .samples = {{{{3, 3}, -1, 1}},
                   {{{2, 2, 2}, -1, 1}},
                   {{{2, 1, 4, 4}, -1, 1}},
                   {{{1, 1}}},
                   {{{0, 2, 2}}},
                   {{{2, 0, 0}}}},
       .call = [](const Tensors& x) { return linalg::cholesky(shifted(symmetric(x[0]), 4)); },
       .reference = [](const Arrays& x) { return cholesky_of(shifted(symmetric(x[0]), 4)); },
       .wrong = {not_square("cholesky: a tensor of shape [2, 3]: square matrices", cholesky),
                 {"cholesky of a float32 tensor of shape [2, 2] is not possible: the matrix is not "
                  "positive definite",
                  [] { linalg::cholesky(-eye(2)); }},
                 {"is not possible: matrix [0, 2] is not positive definite",
                  [] {
                    const Tensor x = eye(2).expand({1, 3, 2, 2}).clone();
                    x[0][2].fill_(NAN);
                    linalg::cholesky(x);
                  }}},
       .large = {{{23, 31, 31}, -.1, .1}},
       .types = kReals,
       .slack = 4},
  };
}

}  // namespace

std::vector<OpCase> linalg_cases() {
  std::vector<OpCase> rows;
  for (const auto& part : {inverses(), determinants(), solutions(), choleskys()})
    rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace levin
