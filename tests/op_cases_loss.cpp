// Rows of the losses.
#include <cmath>

#include "op_cases.h"

namespace levin {
namespace {

double mean_of(const std::vector<double>& x) { return sum_of(x) / static_cast<double>(x.size()); }

Array squares_of(const Arrays& x) {
  return zip(x[0], x[1], [](double a, double b) { return (a - b) * (a - b); });
}

std::vector<OpCase> mse() {
  const std::vector<Sample> samples = {{{{3, 4}}, {{3, 4}}}, {{{}}, {{}}}, {{{5}}, {{5}}}};
  const Sample large = {{{211, 173}}, {{211, 173}}};
  return {
      {.name = "mse_loss",
       .samples = samples,
       .call = [](const Tensors& x) { return mse_loss(x[0], x[1]); },
       .reference = [](const Arrays& x) { return reduce(squares_of(x), {}, false, mean_of); },
       .wrong = {{"mse_loss: [3] and [4]: shapes must be equal",
                  [] { mse_loss(zeros({3}), zeros({4})); }},
                 {"undefined", [] { mse_loss(zeros({3}), Tensor()); }}},
       .large = large,
       .types = kFloats},
      {.name = "mse_loss sum",
       .samples = samples,
       .call = [](const Tensors& x) { return mse_loss(x[0], x[1], LossReduction::sum); },
       .reference = [](const Arrays& x) { return reduce(squares_of(x), {}, false, sum_of); },
       .large = large,
       .types = kFloats},
      {.name = "mse_loss none",
       .samples = samples,
       .call = [](const Tensors& x) { return mse_loss(x[0], x[1], LossReduction::none); },
       .reference = squares_of,
       .large = large,
       .types = kFloats},
  };
}

// -log softmax(x)[c] at index i of the targets; the classes are dimension 1 (or the only one).
double loss_at(const Array& x, const Index& i, int64_t c) {
  const std::size_t dim = x.shape.size() == 1 ? 0 : 1;
  Index at = i;
  at.insert(at.begin() + static_cast<int64_t>(dim), 0);
  double largest = -INFINITY;
  std::vector<double> terms;
  for (at[dim] = 0; at[dim] < x.size(static_cast<int>(dim)); ++at[dim])
    largest = std::max(largest, x.at(at));
  for (at[dim] = 0; at[dim] < x.size(static_cast<int>(dim)); ++at[dim])
    terms.push_back(std::exp(x.at(at) - largest));
  at[dim] = c;
  return largest + std::log(sum_of(terms)) - x.at(at);
}

struct Entropy {
  std::vector<double> weight = {};
  int64_t ignored = -100;
  double smoothing = 0;
  LossReduction reduction = LossReduction::mean;

  CrossEntropyOptions options(DType dtype) const {
    return {.weight = weight.empty() ? Tensor() : from_vector(weight).to(dtype),
            .ignore_index = ignored,
            .reduction = reduction,
            .label_smoothing = smoothing};
  }
  double weight_of(int64_t c) const { return weight.empty() ? 1 : weight[c]; }
};

Array reduced(const Array& losses, LossReduction reduction, double divisor) {
  if (reduction == LossReduction::none) return losses;
  const double sum = sum_of(losses.numbers);
  return {{}, {reduction == LossReduction::mean ? sum / divisor : sum}};
}

// By the formulas of PyTorch's documentation.
Array entropy_of_indices(const Array& x, const Array& target, const Entropy& e) {
  const int64_t classes = x.size(x.shape.size() == 1 ? 0 : 1);
  double weights = 0;
  const Array losses = make_array(target.shape, [&](const Index& i) {
    const auto label = static_cast<int64_t>(target.at(i));
    if (label == e.ignored) return 0.0;
    weights += e.weight_of(label);
    double loss = (1 - e.smoothing) * e.weight_of(label) * loss_at(x, i, label);
    for (int64_t c = 0; c < classes; ++c)
      loss += e.smoothing / static_cast<double>(classes) * e.weight_of(c) * loss_at(x, i, c);
    return loss;
  });
  return reduced(losses, e.reduction, weights);
}

Array entropy_of_probabilities(const Array& x, const Array& target, const Entropy& e) {
  const int dim = x.shape.size() == 1 ? 0 : 1;
  const int64_t classes = x.size(dim);
  Shape shape;
  for (int d = 0; d < x.shape.size(); ++d)
    if (d != dim) shape.push_back(x.shape[d]);
  const Array losses = make_array(shape, [&](const Index& i) {
    double loss = 0;
    Index at = i;
    at.insert(at.begin() + dim, 0);
    for (int64_t c = 0; c < classes; ++c) {
      at[dim] = c;
      const double wanted =
          target.at(at) * (1 - e.smoothing) + e.smoothing / static_cast<double>(classes);
      loss += e.weight_of(c) * wanted * loss_at(x, i, c);
    }
    return loss;
  });
  return reduced(losses, e.reduction, static_cast<double>(losses.numbers.size()));
}

OpCase entropy(const char* name, const std::vector<Sample>& samples, const Entropy& e,
               Array (*reference)(const Array&, const Array&, const Entropy&)) {
  return {
      .name = name,
      .samples = samples,
      .call = [=](const Tensors& x) { return cross_entropy(x[0], x[1], e.options(x[0].dtype())); },
      .reference = [=](const Arrays& x) { return reference(x[0], x[1], e); },
      .types = kReals,
      .slack = 4};
}

std::vector<OpCase> entropies() {
  const std::vector<Sample> labels = {{{{3, 5}}, index_input({3}, 0, 4)},
                                      {{{5}}, index_input({}, 0, 4)},
                                      {{{2, 5, 3}}, index_input({2, 3}, 0, 4)}};
  const std::vector<Sample> chances = {
      {{{3, 5}}, {{3, 5}, 0, 1}}, {{{5}}, {{5}, 0, 1}}, {{{2, 5, 2}}, {{2, 5, 2}, 0, 1}}};
  const std::vector<double> weight = {0.5, 2, 1, 0.25, 3};
  const auto none = LossReduction::none, sum = LossReduction::sum;
  const auto by_index = entropy_of_indices, by_chance = entropy_of_probabilities;
  const Entropy all{.weight = weight, .ignored = 2, .smoothing = 0.25};
  std::vector<OpCase> rows = {
      entropy("cross_entropy", labels, {}, by_index),
      entropy("cross_entropy none", labels, {.reduction = none}, by_index),
      entropy("cross_entropy sum", labels, {.reduction = sum}, by_index),
      entropy("cross_entropy weight", labels, {.weight = weight}, by_index),
      entropy("cross_entropy ignore_index", labels, {.ignored = 2}, by_index),
      entropy("cross_entropy smoothing", labels, {.smoothing = 0.1}, by_index),
      entropy("cross_entropy all options", labels, all, by_index),
      entropy("cross_entropy probabilities", chances, {}, by_chance),
      entropy("cross_entropy probabilities none", chances, {.weight = weight, .reduction = none},
              by_chance),
      entropy("cross_entropy probabilities smoothing", chances,
              {.weight = weight, .smoothing = 0.25}, by_chance),
  };
  rows[0].large = {{{700, 61}}, index_input({700}, 0, 60)};
  const auto call = [](const Tensor& target, const Tensor& weight = {}) {
    cross_entropy(zeros({2, 5}), target, {.weight = weight});
  };
  const auto labelled = [](std::vector<int64_t> numbers) { return from_vector(numbers); };
  rows[0].wrong = {{"cross_entropy: class indices of shape [2] must lie in [0, 5)",
                    [=] {
                      call(labelled({5, 0}));
                    },
                    Fault::index},
                   {"cross_entropy: class indices of shape [2] must lie in [0, 5)",
                    [=] {
                      call(labelled({0, -1}));
                    },
                    Fault::index},
                   {"cross_entropy: input [2, 5] needs class indices of shape [2], not [3]",
                    [=] {
                      call(labelled({0, 1, 2}));
                    }},
                   {"cross_entropy: a int32 target", [=] { call(zeros({2}, kInt32)); }},
                   {"one weight for each of the 5 classes",
                    [=] {
                      call(labelled({0, 1}), ones({4}));
                    }},
                   {"input [2, 5] and probabilities [2]", [=] { call(zeros({2})); }},
                   {"label_smoothing 1.5",
                    [] {
                      cross_entropy(zeros({2, 5}), zeros({2, 5}), {.label_smoothing = 1.5});
                    }},
                   {"cross_entropy: a int64 input",
                    [] {
                      cross_entropy(zeros({2, 5}, kInt64), zeros({2, 5}));
                    }},
                   {"cross_entropy: a 0-d input", [] { cross_entropy(zeros({}), zeros({})); }}};
  return rows;
}

}  // namespace

std::vector<OpCase> loss_cases() {
  std::vector<OpCase> rows = mse();
  for (const OpCase& row : entropies()) rows.push_back(row);
  return rows;
}

}  // namespace levin
