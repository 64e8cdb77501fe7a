// Linear algebra of square matrices. Derivatives are made of the same operations.
#include "launch.h"
#include "linalg.h"
#include "ops.h"

namespace levin::inline v0 {
namespace linalg {
namespace {

void check_square(const char* name, const Tensor& a) {
  check(a.dtype() == kFloat32 || a.dtype() == kFloat64,
        {name, ": a ", a.dtype(), " tensor: float32 or float64 is needed"});
  check(a.dim() >= 2 && a.size(-1) == a.size(-2),
        {name, ": a tensor of shape ", a.shape(), ": square matrices [.., n, n] are needed"});
}

Tensor transposed(const Tensor& a) { return a.transpose(-2, -1); }

Shape leading_of(const Tensor& a) { return Shape(a.shape().begin(), a.dim() - 2); }

// The result without history.
Tensor launch(const char* name, LinalgKind kind, const Tensor& a, const Shape& shape,
              const Tensor& b = {}) {
  const Tensor matrices = a.detach().contiguous(),
               right = b.defined() ? b.detach().contiguous() : b;
  const Tensor out = empty(shape, a.dtype(), a.device());
  launched(backend(a.device())
               .linalg({kind, arg(matrices), right.defined() ? arg(right) : Arg{}, arg(out)}),
           name, a);
  return out;
}

// a [.., n, n], b [.., n, k] with equal leading sizes.
Tensor solve_batch(const Tensor& a, const Tensor& b) {
  const Tensor x = launch("solve", LinalgKind::solve, a, b.shape(), b);
  if (!recording(a, b)) return x;
  return record("solve", x, {&a, &b},
                [a = Saved(a), x = SavedOutput(x)](const Tensor& g, Grads& grads) {
                  const Tensor db = solve_batch(transposed(a.tensor(grads)), g);
                  if (grads.wants(0)) grads.set(0, matmul(db, transposed(x.tensor(grads))).neg());
                  if (grads.wants(1)) grads.set(1, db);
                });
}

// The determinants of a [.., n, n] without row i and column j, for every i and j, with their signs.
Tensor cofactors_by_minors(const Tensor& a) {
  const int64_t n = a.size(-1);
  std::vector<int64_t> others;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < n; ++k)
      if (k != i) others.push_back(k);
  const Tensor index = from_vector(others).to(a.device());
  const int64_t count = a.numel() / (n * n);
  const Tensor minors = a.reshape({count, n, n})
                            .index_select(1, index)
                            .index_select(2, index)
                            .reshape({count, n, n - 1, n, n - 1})
                            .transpose(2, 3);
  const Tensor parity = arange(n).unsqueeze(1) + arange(n);
  const Tensor sign = 1 - 2 * parity.remainder(2);
  return (det(minors) * sign.to(a.dtype()).to(a.device())).reshape(a.shape());
}

// d det(a) / d a
Tensor cofactors(const Tensor& a, const Tensor& det) {
  if (det.eq(0).any().item<bool>()) return cofactors_by_minors(a);
  return det.unsqueeze(-1).unsqueeze(-1) * transposed(inv(a));
}

// (Phi(x) + Phi(x)^T) / 2: Phi is the lower triangle with half of the diagonal.
Tensor symmetric_phi(const Tensor& x) {
  const Tensor half = (x.tril() + x.tril(-1)) * 0.25;
  return half + transposed(half);
}

}  // namespace

Tensor cholesky(const Tensor& a) {
  check_square("cholesky", a);
  const Tensor lower = launch("cholesky", LinalgKind::cholesky, a, a.shape());
  if (!recording(a)) return lower;
  // Murray, Differentiation of the Cholesky decomposition (2016), equation 10, made symmetric:
  // L^-T S L^-1 with S = symmetric_phi(L^T g).
  return record("cholesky", lower, {&a}, [l = SavedOutput(lower)](const Tensor& g, Grads& grads) {
    const Tensor upper = transposed(l.tensor(grads));
    const Tensor left = solve_batch(upper, symmetric_phi(matmul(upper, g)));
    grads.set(0, transposed(solve_batch(upper, transposed(left))));
  });
}

Tensor solve(const Tensor& a, const Tensor& b) {
  check_square("solve", a);
  check_same_device("solve", a, b);
  check(a.dtype() == b.dtype(),
        {"solve: ", a.dtype(), " and ", b.dtype(), ": element types must be equal"});
  const Shape vectors(a.shape().begin(), a.dim() - 1);
  const bool vector = b.dim() == 1 || b.shape() == vectors;
  const Tensor right = vector ? b.unsqueeze(-1) : b;
  check(right.dim() >= 2 && right.size(-2) == a.size(-1),
        {"solve: ", a.shape(), " and ", b.shape(), ": the right side needs as many rows"});
  Shape leading;
  check(broadcast_shapes(leading_of(a), leading_of(right), &leading),
        {"solve: ", a.shape(), " and ", b.shape(), ": leading sizes do not broadcast"});
  const auto expanded = [&](const Tensor& x) {
    Shape shape = leading;
    shape.push_back(x.size(-2));
    shape.push_back(x.size(-1));
    return x.shape() == shape ? x : x.expand(shape);
  };
  const Tensor x = solve_batch(expanded(a), expanded(right));
  return vector ? x.squeeze(-1) : x;
}

Tensor inv(const Tensor& a) {
  check_square("inv", a);
  const Tensor y = launch("inv", LinalgKind::inverse, a, a.shape());
  if (!recording(a)) return y;
  return record("inv", y, {&a}, [y = SavedOutput(y)](const Tensor& g, Grads& grads) {
    const Tensor yt = transposed(y.tensor(grads));
    grads.set(0, matmul(matmul(yt, g), yt).neg());
  });
}

Tensor det(const Tensor& a) {
  check_square("det", a);
  const Tensor y = launch("det", LinalgKind::det, a, leading_of(a));
  if (!recording(a)) return y;
  return record("det", y, {&a}, [a = Saved(a), y = SavedOutput(y)](const Tensor& g, Grads& grads) {
    grads.set(0, g.unsqueeze(-1).unsqueeze(-1) * cofactors(a.tensor(grads), y.tensor(grads)));
  });
}

}  // namespace linalg

Tensor Tensor::inverse() const { return linalg::inv(*this); }
Tensor Tensor::det() const { return linalg::det(*this); }

}  // namespace levin::inline v0
