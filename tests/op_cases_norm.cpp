// Rows of the normalisations.
#include <cmath>

#include "op_cases.h"

namespace levin {
namespace {

// Rows of `size` numbers, with factor and bias of that size where they are there.
Array normalised(const Arrays& x, int64_t size, double eps, bool weighted, bool biased) {
  Array result = x[0];
  for (std::size_t row = 0; row < result.numbers.size(); row += size) {
    double* numbers = &result.numbers[row];
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < size; ++i) mean += numbers[i] / static_cast<double>(size);
    for (int64_t i = 0; i < size; ++i)
      variance += std::pow(numbers[i] - mean, 2) / static_cast<double>(size);
    for (int64_t i = 0; i < size; ++i) {
      numbers[i] = (numbers[i] - mean) / std::sqrt(variance + eps);
      if (weighted) numbers[i] *= x[1][i];
      if (biased) numbers[i] += x[weighted ? 2 : 1][i];
    }
  }
  return result;
}

OpCase layer(const char* name, const Shape& shape, const std::vector<Shape>& inputs, bool weighted,
             bool biased, double eps = 1e-5) {
  std::vector<Sample> samples;
  for (const Shape& input : inputs) {
    Sample sample = {{input}};
    if (weighted) sample.push_back({shape, 0.5, 2});
    if (biased) sample.push_back({shape});
    samples.push_back(sample);
  }
  return {.name = name,
          .samples = samples,
          .call =
              [=](const Tensors& x) {
                return layer_norm(x[0], shape, weighted ? x[1] : Tensor(),
                                  biased ? x.back() : Tensor(), eps);
              },
          .reference =
              [=](const Arrays& x) { return normalised(x, shape.numel(), eps, weighted, biased); },
          .types = kFloats,
          .slack = 16};
}

}  // namespace

std::vector<OpCase> norm_cases() {
  std::vector<OpCase> rows = {
      layer("layer_norm", {6}, {{4, 6}, {6}, {2, 3, 6}, {0, 6}}, true, true),
      layer("layer_norm plain", {5}, {{3, 5}}, false, false),
      layer("layer_norm weight", {5}, {{3, 5}}, true, false),
      layer("layer_norm bias", {5}, {{3, 5}}, false, true),
      layer("layer_norm dims eps", {3, 4}, {{2, 3, 4}, {3, 4}}, true, true, 0.1),
      layer("layer_norm of one", {1}, {{4, 1}}, true, true, 0.5)};
  rows[0].large = {{{700, 61}}, {{61}}, {{61}}};
  rows[0].call = [](const Tensors& x) { return layer_norm(x[0], x[1].shape(), x[1], x[2]); };
  rows[0].reference = [](const Arrays& x) { return normalised(x, x[1].size(0), 1e-5, true, true); };
  rows[0].wrong = {{"layer_norm: input [2, 3] does not end in the normalised shape [4]",
                    [] {
                      layer_norm(zeros({2, 3}), {4});
                    }},
                   {"layer_norm: input [3] does not end in the normalised shape [2, 3]",
                    [] {
                      layer_norm(zeros({3}), {2, 3});
                    }},
                   {"layer_norm: at least one dimension", [] { layer_norm(zeros({3}), {}); }},
                   {"layer_norm: weight and bias must have the normalised shape [3] and the "
                    "input's type float32",
                    [] {
                      layer_norm(zeros({2, 3}), {3}, ones({4}));
                    }},
                   {"layer_norm: weight and bias must have the normalised shape [3] and the "
                    "input's type float32",
                    [] {
                      layer_norm(zeros({2, 3}), {3}, {}, ones({3}, kFloat64));
                    }}};
  return rows;
}

}  // namespace levin
