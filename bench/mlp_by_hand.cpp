#include "mlp_by_hand.h"

#include <levin/kernels/backend.h>
#include <levin/kernels/pool.h>
#include <levin/tensor/factories.h>

#include <algorithm>
#include <cmath>

#include "adam_by_hand.h"
#include "widest.h"

using namespace levin;

namespace {

constexpr int64_t kGrain = 32768;  // elements that one thread takes of a long loop
constexpr double kMomentum = 0.9;

Arg arg(const Tensor& x) { return {x.impl().block.get(), &x.layout()}; }

// c = a b + beta c + bias
void product(const Tensor& a, const Tensor& b, const Tensor& c, double beta = 0,
             const Tensor* bias = nullptr) {
  backend(Device()).matmul({1, beta, arg(a), arg(b), arg(c), bias ? arg(*bias) : Arg{}});
}

template <class T>
T* elements(const Tensor& x) {
  return static_cast<T*>(x.impl().block->data);
}

template <class T>
void relu(T* y, int64_t n) {
  parallel_for(n, kGrain, [=](int64_t begin, int64_t end) {
    widest([=]() LEVIN_INLINED {
      for (int64_t i = begin; i < end; ++i) y[i] = y[i] > 0 ? y[i] : 0;
    });
  });
}

template <class T>
void relu_slope(const T* y, T* dy, int64_t n) {
  parallel_for(n, kGrain, [=](int64_t begin, int64_t end) {
    widest([=]() LEVIN_INLINED {
      for (int64_t i = begin; i < end; ++i) dy[i] = y[i] > 0 ? dy[i] : 0;
    });
  });
}

// sums [columns] = factor sums + the sum of the rows
template <class T>
void add_rows(const T* x, int64_t rows, int64_t columns, T factor, T* sums) {
  widest([=]() LEVIN_INLINED {
    for (int64_t j = 0; j < columns; ++j) sums[j] = factor == 0 ? x[j] : factor * sums[j] + x[j];
    for (int64_t i = 1; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) sums[j] += x[i * columns + j];
  });
}

}  // namespace

template <class T>
MlpByHand<T>::MlpByHand(const std::vector<Tensor>& parameters, int64_t batch, UpdateByHand update,
                        double lr)
    : batch_(batch), rule_(update), lr_(static_cast<T>(lr)) {
  const auto zeros_like = [](const Tensor& x) { return zeros(x.shape(), x.dtype()); };
  for (std::size_t i = 0; i < parameters.size(); i += 2) {
    Layer layer;
    layer.weight = parameters[i].detach().clone();
    layer.bias = parameters[i + 1].detach().clone();
    layer.weight_t = layer.weight.t();
    layer.d_weight = zeros_like(layer.weight), layer.d_bias = zeros_like(layer.bias);
    if (rule_ == UpdateByHand::adam) {
      layer.mean_w = zeros_like(layer.weight), layer.square_w = zeros_like(layer.weight);
      layer.mean_b = zeros_like(layer.bias), layer.square_b = zeros_like(layer.bias);
    }
    layer.out = layer.weight.size(0), layer.in = layer.weight.size(1);
    layer.y = zeros({batch, layer.out}, layer.weight.dtype());
    layer.dy = zeros_like(layer.y);
    layer.dy_t = layer.dy.t();
    layers_.push_back(layer);
  }
}

template <class T>
double MlpByHand<T>::step(const Tensor& x, const Tensor& target) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    product(l == 0 ? x : layers_[l - 1].y, layer.weight_t, layer.y, 0, &layer.bias);
    if (l + 1 < layers_.size()) relu(elements<T>(layer.y), layer.y.numel());
  }
  const T loss = loss_and_slope(layers_.back(), elements<int64_t>(target));
  const double kept = rule_ == UpdateByHand::momentum ? kMomentum : 0;  // of the last gradient
  for (std::size_t l = layers_.size(); l-- > 0;) {
    Layer& layer = layers_[l];
    add_rows(elements<T>(layer.dy), batch_, layer.out, T(kept), elements<T>(layer.d_bias));
    product(layer.dy_t, l == 0 ? x : layers_[l - 1].y, layer.d_weight, kept);
    if (l == 0) break;
    product(layer.dy, layer.weight, layers_[l - 1].dy);
    relu_slope(elements<T>(layers_[l - 1].y), elements<T>(layers_[l - 1].dy),
               layers_[l - 1].dy.numel());
  }
  ++steps_;
  for (const Layer& layer : layers_) {
    update(layer.weight, layer.d_weight, layer.mean_w, layer.square_w);
    update(layer.bias, layer.d_bias, layer.mean_b, layer.square_b);
  }
  return loss;
}

// dy = (softmax(y) - one_hot(target)) / rows
template <class T>
T MlpByHand<T>::loss_and_slope(const Layer& last, const int64_t* target) const {
  const T *y = elements<T>(last.y), scale = T(1) / T(batch_);
  T *dy = elements<T>(last.dy), total = 0;
  const int64_t n = last.out, rows = batch_;
  widest([=, &total]() LEVIN_INLINED {
    for (int64_t i = 0; i < rows; ++i) {
      const T* in = y + i * n;
      T* out = dy + i * n;
      T most = in[0], sum = 0;
      for (int64_t j = 1; j < n; ++j) most = in[j] > most ? in[j] : most;
      for (int64_t j = 0; j < n; ++j) out[j] = std::exp(in[j] - most);
      for (int64_t j = 0; j < n; ++j) sum += out[j];
      for (int64_t j = 0; j < n; ++j) out[j] *= scale / sum;
      out[target[i]] -= scale;
      total += std::log(sum) + most - in[target[i]];
    }
  });
  return total * scale;
}

template <class T>
void MlpByHand<T>::update(const Tensor& parameter, const Tensor& gradient, const Tensor& mean,
                          const Tensor& square) const {
  T* const p = elements<T>(parameter);
  const T* const g = elements<T>(gradient);
  const T lr = lr_;
  if (rule_ == UpdateByHand::momentum)
    return parallel_for(parameter.numel(), kGrain, [=](int64_t begin, int64_t end) {
      widest([=]() LEVIN_INLINED {
        for (int64_t i = begin; i < end; ++i) p[i] -= lr * g[i];
      });
    });
  adam_by_hand(p, g, elements<T>(mean), elements<T>(square), parameter.numel(), lr, steps_);
}

template class MlpByHand<float>;
template class MlpByHand<double>;
