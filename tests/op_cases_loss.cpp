// Rows of the losses of values.
#include "op_cases_loss.h"

#include <algorithm>
#include <cmath>

namespace levin {

std::vector<OpCase> rows_of(const LossRows& loss) {
  struct Kind {
    const char* name;
    LossReduction reduction;
  };
  std::vector<OpCase> rows;
  for (const auto& [kind, reduction] :
       {Kind{"", LossReduction::mean}, Kind{" sum", LossReduction::sum},
        Kind{" none", LossReduction::none}}) {
    const auto reduced = [losses = loss.losses, reduction = reduction](const Arrays& x) {
      const Array all = losses(x);
      if (reduction == LossReduction::none) return all;
      const double sum = sum_of(all.numbers);
      const double count = static_cast<double>(all.numbers.size());
      return Array{{}, {reduction == LossReduction::mean ? sum / count : sum}};
    };
    Sample large = loss.samples[0];
    for (Input& input : large) input.shape = {211, 173};
    rows.push_back({.name = std::string(loss.name) + kind,
                    .samples = loss.samples,
                    .call = [call = loss.call, reduction = reduction](
                                const Tensors& x) { return call(x, reduction); },
                    .reference = reduced,
                    .wrong = rows.empty() ? loss.wrong : std::vector<WrongCall>(),
                    .large = large,
                    .types = loss.types,
                    .slack = 4});
  }
  return rows;
}

namespace {

using enum LossReduction;

// Equal shapes, shapes that broadcast, 0-d, empty.
const std::vector<Sample> kPairs = {{{{3, 4}}, {{3, 4}}}, {{{3, 4}}, {{4}}}, {{{2, 1}}, {{2, 3}}},
                                    {{{}}, {{}}},         {{{5}}, {{5}}},    {{{0, 3}}, {{0, 3}}}};

std::function<Array(const Arrays&)> each(const std::function<double(double, double)>& f) {
  return [=](const Arrays& x) { return zip(x[0], x[1], f); };
}

LossRows mse() {
  return {.name = "mse_loss",
          .samples = kPairs,
          .call = [](const Tensors& x, LossReduction r) { return mse_loss(x[0], x[1], r); },
          .losses = each([](double a, double b) { return (a - b) * (a - b); }),
          .wrong = {{"mse_loss: [3] and [4]: shapes do not broadcast",
                     [] { mse_loss(zeros({3}), zeros({4})); }},
                    {"mse_loss: only kl_div has reduction batchmean",
                     [] { mse_loss(zeros({3}), zeros({3}), batchmean); }},
                    {"undefined", [] { mse_loss(zeros({3}), Tensor()); }}}};
}

LossRows l1() {
  return {.name = "l1_loss",
          .samples = kPairs,
          .call = [](const Tensors& x, LossReduction r) { return l1_loss(x[0], x[1], r); },
          .losses = each([](double a, double b) { return std::abs(a - b); }),
          .wrong = {{"l1_loss: [3] and [4]: shapes do not broadcast",
                     [] { l1_loss(zeros({3}), zeros({4})); }},
                    {"l1_loss: int64 and bool: a floating type is needed",
                     [] { l1_loss(zeros({3}, kInt64), zeros({3}, kBool)); }}}};
}

LossRows smooth_l1(double beta) {
  return {.name = beta == 1   ? "smooth_l1_loss"
                  : beta == 0 ? "smooth_l1_loss 0"
                              : "smooth_l1_loss beta",
          .samples = kPairs,
          .call = [=](const Tensors& x,
                      LossReduction r) { return smooth_l1_loss(x[0], x[1], r, beta); },
          .losses = each([=](double a, double b) {
            const double d = std::abs(a - b);
            return d < beta ? d * d / (2 * beta) : d - beta / 2;
          }),
          .wrong = {{"smooth_l1_loss: [3] and [4]: shapes do not broadcast",
                     [] { smooth_l1_loss(zeros({3}), zeros({4})); }},
                    {"smooth_l1_loss: beta -1: must not be negative",
                     [] { smooth_l1_loss(zeros({3}), zeros({3}), mean, -1); }}}};
}

LossRows huber(double delta) {
  return {
      .name = delta == 1 ? "huber_loss" : "huber_loss delta",
      .samples = kPairs,
      .call = [=](const Tensors& x, LossReduction r) { return huber_loss(x[0], x[1], r, delta); },
      .losses = each([=](double a, double b) {
        const double d = std::abs(a - b);
        return d < delta ? d * d / 2 : delta * (d - delta / 2);
      }),
      .wrong = {{"huber_loss: [3] and [4]: shapes do not broadcast",
                 [] { huber_loss(zeros({3}), zeros({4})); }},
                {"huber_loss: delta 0: must be positive",
                 [] { huber_loss(zeros({3}), zeros({3}), mean, 0); }}}};
}

// Targets -1, 0 and 1: 0 counts as both others.
LossRows hinge(double margin) {
  const auto target = [](const Shape& shape) { return Input{shape, -1, 1, Input::whole}; };
  return {.name = margin == 1 ? "hinge_embedding_loss" : "hinge_embedding_loss margin",
          .samples = {{{{3, 4}}, target({3, 4})},
                      {{{3, 4}}, target({4})},
                      {{{}}, target({})},
                      {{{7}}, target({7})}},
          .call = [=](const Tensors& x,
                      LossReduction r) { return hinge_embedding_loss(x[0], x[1], margin, r); },
          .losses = each([=](double x, double target) {
            const double near = target == -1 ? 0 : x;
            return near + (target == 1 ? 0 : std::max(0.0, margin - x));
          }),
          .wrong = {{"hinge_embedding_loss: [3] and [4]: shapes do not broadcast",
                     [] { hinge_embedding_loss(zeros({3}), zeros({4})); }},
                    {"hinge_embedding_loss: a int64 input",
                     [] { hinge_embedding_loss(zeros({3}, kInt64), zeros({3})); }}}};
}

OpCase cosine(const char* name, const std::vector<Sample>& samples, int dim, double eps) {
  const auto cosines = [=](const Arrays& x) {
    const auto product = [=](const Array& a, const Array& b) {
      return reduce(zip(a, b, [](double p, double q) { return p * q; }), {dim}, false, sum_of);
    };
    const auto length = [=](const Array& a) {
      return map(product(a, a), [=](double square) { return std::max(std::sqrt(square), eps); });
    };
    const Array ones = zip(x[0], x[1], [](double, double) { return 1.0; });
    const auto whole = [&](const Array& a) {
      return zip(a, ones, [](double p, double one) { return p * one; });
    };
    const Array lengths =
        zip(length(whole(x[0])), length(whole(x[1])), [](double a, double b) { return a * b; });
    return zip(product(x[0], x[1]), lengths, [](double p, double l) { return p / l; });
  };
  return {.name = name,
          .samples = samples,
          .call = [=](const Tensors& x) { return cosine_similarity(x[0], x[1], dim, eps); },
          .reference = cosines,
          .types = kFloats,
          .slack = 4};
}

std::vector<OpCase> cosines() {
  const std::vector<Sample> pairs = {
      {{{3, 4}}, {{3, 4}}}, {{{3, 4}}, {{4}}}, {{{2, 3, 2}}, {{2, 3, 1}}}, {{{2, 0}}, {{2, 0}}}};
  std::vector<OpCase> rows = {cosine("cosine_similarity", pairs, 1, 1e-8),
                              cosine("cosine_similarity dim 0", {{{{5}}, {{5}}}}, 0, 1e-8),
                              cosine("cosine_similarity short", {{{{3, 4}}, {{3, 4}}}}, 1, 5)};
  rows[0].large = {{{211, 173}}, {{211, 173}}};
  rows[0].wrong = {{"cosine_similarity: [2, 3] and [2, 4]: shapes do not broadcast",
                    [] {
                      cosine_similarity(zeros({2, 3}), zeros({2, 4}));
                    }},
                   {"cosine_similarity: dimension 1 is out of range",
                    [] { cosine_similarity(zeros({3}), zeros({3})); }, Fault::index}};
  return rows;
}

}  // namespace

std::vector<OpCase> loss_cases() {
  std::vector<OpCase> rows = cosines();
  for (const LossRows& loss : {mse(), l1(), smooth_l1(1), smooth_l1(0.5), smooth_l1(0), huber(1),
                               huber(0.7), hinge(1), hinge(0.8)})
    for (const OpCase& row : rows_of(loss)) rows.push_back(row);
  return rows;
}

}  // namespace levin
