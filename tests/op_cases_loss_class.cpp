// Rows of the losses of classes and probabilities.
#include <algorithm>
#include <cmath>

#include "op_cases_loss.h"

namespace levin {
namespace {

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

  CrossEntropyOptions options(const Tensor& like) const {
    return {.weight =
                weight.empty() ? Tensor() : from_vector(weight).to(like.dtype()).to(like.device()),
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
  return {.name = name,
          .samples = samples,
          .call = [=](const Tensors& x) { return cross_entropy(x[0], x[1], e.options(x[0])); },
          .reference = [=](const Arrays& x) { return reference(x[0], x[1], e); },
          .types = kFloats,
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

OpCase likelihood(const char* name, const std::vector<Sample>& samples, const Entropy& e) {
  return {.name = name,
          .samples = samples,
          .call =
              [=](const Tensors& x) {
                const CrossEntropyOptions o = e.options(x[0]);
                return nll_loss(x[0], x[1], {o.weight, o.ignore_index, o.reduction});
              },
          .reference =
              [=](const Arrays& x) {
                double weights = 0;
                const Array losses = make_array(x[1].shape, [&](const Index& i) {
                  const auto label = static_cast<int64_t>(x[1].at(i));
                  if (label == e.ignored) return 0.0;
                  weights += e.weight_of(label);
                  Index at = i;
                  at.insert(at.begin() + (x[0].shape.size() > 1), label);
                  return -e.weight_of(label) * x[0].at(at);
                });
                return reduced(losses, e.reduction, weights);
              },
          .types = kFloats,
          .slack = 4};
}

std::vector<OpCase> likelihoods() {
  const std::vector<Sample> labels = {{{{3, 5}, -4, 0}, index_input({3}, 0, 4)},
                                      {{{5}, -4, 0}, index_input({}, 3, 4)},
                                      {{{2, 5, 3}, -4, 0}, index_input({2, 3}, 0, 4)}};
  const std::vector<double> weight = {0.5, 2, 1, 0.25, 3};
  std::vector<OpCase> rows = {
      likelihood("nll_loss", labels, {}),
      likelihood("nll_loss none", labels, {.reduction = LossReduction::none}),
      likelihood("nll_loss sum weight", labels,
                 {.weight = weight, .reduction = LossReduction::sum}),
      likelihood("nll_loss all options", labels, {.weight = weight, .ignored = 2})};
  rows[0].large = {{{700, 61}, -4, 0}, index_input({700}, 0, 60)};
  rows[0].wrong = {{"nll_loss: a float32 target",
                    [] {
                      nll_loss(zeros({2, 5}), zeros({2}));
                    }},
                   {"nll_loss: class indices of shape [2] must lie in [0, 5)",
                    [] {
                      nll_loss(zeros({2, 5}), full({2}, 5));
                    },
                    Fault::index},
                   {"nll_loss: one weight for each of the 5 classes",
                    [] {
                      nll_loss(zeros({2, 5}), full({2}, 0), {.weight = ones({4})});
                    }},
                   {"nll_loss: a int64 input", [] {
                      nll_loss(zeros({2, 5}, kInt64), full({2}, 0));
                    }}};
  return rows;
}

double cut_log(double x) { return std::max(std::log(x), -100.0); }

LossRows binary(bool weighted) {
  const Input x{{3, 4}, 0.05, 0.95}, target{{3, 4}, 0, 1};
  std::vector<Sample> samples = {{x, target}, {{{}, 0.05, 0.95}, {{}, 0, 1}}};
  if (weighted) samples = {{x, target, {{4}, 0.5, 2}}};
  return {.name = weighted ? "binary_cross_entropy weight" : "binary_cross_entropy",
          .samples = samples,
          .call =
              [=](const Tensors& x, LossReduction r) {
                return binary_cross_entropy(x[0], x[1], weighted ? x[2] : Tensor(), r);
              },
          .losses =
              [=](const Arrays& x) {
                const Array one{{}, {1}};
                return zip(x[0], x[1], weighted ? x[2] : one, [](double p, double t, double w) {
                  return -w * (t * cut_log(p) + (1 - t) * cut_log(1 - p));
                });
              },
          .wrong = {{"binary_cross_entropy: [3] and [2]: shapes must be equal",
                     [] { binary_cross_entropy(zeros({3}), zeros({2})); }},
                    {"binary_cross_entropy: a weight of shape [2, 3] does not broadcast to [3]",
                     [] {
                       binary_cross_entropy(zeros({3}), zeros({3}), ones({2, 3}));
                     }},
                    {"binary_cross_entropy: float32 and int64: floating types are needed",
                     [] { binary_cross_entropy(zeros({3}), zeros({3}, kInt64)); }}}};
}

LossRows binary_logits(bool weighted) {
  const Input x{{3, 4}, -4, 4}, target{{3, 4}, 0, 1};
  std::vector<Sample> samples = {{x, target}, {{{}}, {{}, 0, 1}}};
  if (weighted) samples = {{x, target, {{3, 1}, 0.5, 2}, {{4}, 0.5, 3}}};
  return {
      .name = weighted ? "binary_cross_entropy_with_logits weights"
                       : "binary_cross_entropy_with_logits",
      .samples = samples,
      .call =
          [=](const Tensors& x, LossReduction r) {
            return weighted ? binary_cross_entropy_with_logits(x[0], x[1], x[2], r, x[3])
                            : binary_cross_entropy_with_logits(x[0], x[1], {}, r);
          },
      .losses =
          [=](const Arrays& x) {
            const Array one{{}, {1}};
            const Array losses =
                zip(x[0], x[1], weighted ? x[3] : one, [](double v, double t, double w) {
                  return w * t * std::log1p(std::exp(-v)) + (1 - t) * std::log1p(std::exp(v));
                });
            return zip(losses, weighted ? x[2] : one, [](double l, double w) { return l * w; });
          },
      .wrong = {{"binary_cross_entropy_with_logits: [3] and [2]: shapes must be equal",
                 [] { binary_cross_entropy_with_logits(zeros({3}), zeros({2})); }},
                {"binary_cross_entropy_with_logits: a weight of shape [2] does not broadcast", [] {
                   binary_cross_entropy_with_logits(zeros({3}), zeros({3}), {}, LossReduction::mean,
                                                    ones({2}));
                 }}}};
}

LossRows divergence(bool log_target) {
  const double low = log_target ? -3 : 0, high = log_target ? 0 : 1;
  const auto pair = [=](const Shape& x, const Shape& target) {
    return Sample{{x, -3, 0}, {target, low, high}};
  };
  return {
      .name = log_target ? "kl_div log_target" : "kl_div",
      .samples = {pair({3, 4}, {3, 4}), pair({3, 4}, {4}), pair({}, {}), pair({0, 3}, {0, 3})},
      .call = [=](const Tensors& x, LossReduction r) { return kl_div(x[0], x[1], r, log_target); },
      .losses =
          [=](const Arrays& x) {
            return zip(x[0], x[1], [=](double v, double t) {
              if (log_target) return std::exp(t) * (t - v);
              return (t == 0 ? 0 : t * std::log(t)) - t * v;
            });
          },
      .wrong = {{"kl_div: [3] and [2]: shapes do not broadcast",
                 [] { kl_div(zeros({3}), zeros({2})); }},
                {"kl_div: reduction batchmean of 0-d tensors",
                 [] { kl_div(zeros({}), zeros({}), LossReduction::batchmean); }}}};
}

OpCase divergence_of_batch() {
  return {.name = "kl_div batchmean",
          .samples = {{{{3, 4}, -3, 0}, {{3, 4}, 0, 1}}, {{{4}, -3, 0}, {{4}, 0, 1}}},
          .call = [](const Tensors& x) { return kl_div(x[0], x[1], LossReduction::batchmean); },
          .reference =
              [](const Arrays& x) {
                const Array all = divergence(false).losses(x);
                return Array{{}, {sum_of(all.numbers) / static_cast<double>(x[0].size(0))}};
              },
          .types = kFloats,
          .slack = 4};
}

}  // namespace

std::vector<OpCase> loss_class_cases() {
  std::vector<OpCase> rows = entropies();
  for (const OpCase& row : likelihoods()) rows.push_back(row);
  for (const LossRows& loss : {binary(false), binary(true), binary_logits(false),
                               binary_logits(true), divergence(false), divergence(true)})
    for (const OpCase& row : rows_of(loss)) rows.push_back(row);
  rows.push_back(divergence_of_batch());
  return rows;
}

}  // namespace levin
