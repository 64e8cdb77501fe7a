// Tensors as Eigen's matrices and back: the one header that needs Eigen, included by no other.
#pragma once

#include <Eigen/Core>

#include "../kernels/check.h"
#include "factories.h"
#include "span.h"

namespace levin::inline v0 {

template <class T>
using EigenMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using EigenVector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
using EigenStrides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
using EigenStep = Eigen::InnerStride<Eigen::Dynamic>;

namespace eigen_detail {

inline void check_dim(const char* operation, const Tensor& tensor, int wanted) {
  check(tensor.dim() == wanted, {operation, ": a tensor of shape ", tensor.shape(), ": ", wanted,
                                 wanted == 1 ? " dimension is needed" : " dimensions are needed"});
}

template <class Matrix, class T>
Eigen::Map<Matrix, Eigen::Unaligned, EigenStrides> matrix(const Tensor& tensor, T* elements) {
  return {elements, tensor.size(0), tensor.size(1), {tensor.stride(0), tensor.stride(1)}};
}

template <class Vector, class T>
Eigen::Map<Vector, Eigen::Unaligned, EigenStep> vector(const Tensor& tensor, T* elements) {
  return {elements, tensor.size(0), EigenStep(tensor.stride(0))};
}

}  // namespace eigen_detail

/// The memory of a tensor [n, m] in any layout as an n x m matrix to write to; valid as long as that
/// memory. Counts as a write: where backward() still needs the elements it throws. T must be the
/// element type, the tensor on the CPU, and no two elements in one place (std::invalid_argument).
template <class T>
auto as_eigen(const Tensor& tensor) {
  eigen_detail::check_dim("as_eigen", tensor, 2);
  return eigen_detail::matrix<EigenMatrix<T>>(
      tensor, static_cast<T*>(strided_data("as_eigen", tensor, DTypeOf<T>::value, Access::write)));
}
/// To read only.
template <class T>
auto as_const_eigen(const Tensor& tensor) {
  eigen_detail::check_dim("as_const_eigen", tensor, 2);
  return eigen_detail::matrix<const EigenMatrix<T>>(
      tensor, static_cast<const T*>(
                  strided_data("as_const_eigen", tensor, DTypeOf<T>::value, Access::read)));
}
/// The same of a tensor [n], as a column.
template <class T>
auto as_eigen_vector(const Tensor& tensor) {
  eigen_detail::check_dim("as_eigen_vector", tensor, 1);
  return eigen_detail::vector<EigenVector<T>>(
      tensor,
      static_cast<T*>(strided_data("as_eigen_vector", tensor, DTypeOf<T>::value, Access::write)));
}
template <class T>
auto as_const_eigen_vector(const Tensor& tensor) {
  eigen_detail::check_dim("as_const_eigen_vector", tensor, 1);
  return eigen_detail::vector<const EigenVector<T>>(
      tensor, static_cast<const T*>(
                  strided_data("as_const_eigen_vector", tensor, DTypeOf<T>::value, Access::read)));
}

/// A copy of any dense expression of Eigen: [n] of what is a vector at compile time, else [n, m].
template <class Derived>
Tensor from_eigen(const Eigen::DenseBase<Derived>& expression) {
  using T = typename Derived::Scalar;
  constexpr bool kVector = Derived::IsVectorAtCompileTime;
  const Tensor tensor = kVector ? empty({expression.size()}, DTypeOf<T>::value)
                                : empty({expression.rows(), expression.cols()}, DTypeOf<T>::value);
  // With its own rows and columns, whatever the tensor's shape is.
  Eigen::Map<EigenMatrix<T>>(tensor.data<T>(), expression.rows(), expression.cols()) =
      expression.derived();
  return tensor;
}

}  // namespace levin::inline v0
