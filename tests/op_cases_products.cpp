// Rows of the matrix products and softmax.
#include <algorithm>
#include <cmath>

#include "op_cases.h"

namespace levin {
namespace {

// a [.., m, k], b [.., k, n]; a vector stands for a row (a) or a column (b).
Array product_of(const Array& a, const Array& b) {
  if (a.shape.size() == 1) {
    Array y = product_of({{1, a.size(0)}, a.numbers}, b);
    Shape shape;
    for (int d = 0; d < y.shape.size(); ++d)
      if (d != y.shape.size() - 2) shape.push_back(y.shape[d]);
    return {b.shape.size() == 1 ? Shape{} : shape, y.numbers};
  }
  if (b.shape.size() == 1) {
    const Array y = product_of(a, {{b.size(0), 1}, b.numbers});
    return {Shape(y.shape.begin(), y.shape.size() - 1), y.numbers};
  }
  const int64_t k = a.size(-1);
  const Shape left(a.shape.begin(), a.shape.size() - 2), right(b.shape.begin(), b.shape.size() - 2);
  Shape shape;
  if (!broadcast_shapes(left, right, &shape)) throw std::logic_error("no common shape");
  shape.push_back(a.size(-2));
  shape.push_back(b.size(-1));
  return make_array(shape, [&](const Index& i) {
    Index row(i.begin(), i.end()), column(i.begin(), i.end());
    std::vector<double> terms;
    for (int64_t j = 0; j < k; ++j) {
      row[i.size() - 1] = column[i.size() - 2] = j;
      terms.push_back(a.broadcast_at(row) * b.broadcast_at(column));
    }
    return sum_of(terms);
  });
}

Array transposed_of(const Array& x) {
  return make_array({x.size(1), x.size(0)}, [&](const Index& i) { return x.at({i[1], i[0]}); });
}

std::vector<OpCase> general_products() {
  const Call call = [](const Tensors& x) { return matmul(x[0], x[1]); };
  const Call plus = [](const Tensors& x) { return linear(x[0], x[1], x[2]); };
  return {
      {.name = "matmul",
       .samples = {{{{2, 3}}, {{3, 4}}},
                   {{{3}}, {{3}}},
                   {{{3}}, {{3, 2}}},
                   {{{2, 3}}, {{3}}},
                   {{{1, 1}}, {{1, 1}}},
                   {{{0, 3}}, {{3, 2}}},
                   {{{2, 0}}, {{0, 2}}},
                   {{{7, 9}}, {{9, 5}}}},
       .call = call,
       .reference = [](const Arrays& x) { return product_of(x[0], x[1]); },
       .wrong = {{"matmul: [2, 3] and [4, 5]: inner sizes must be equal",
                  [=] {
                    call.run({zeros({2, 3}), zeros({4, 5})});
                  }},
                 {"matmul: [2, 3] and [2]: inner sizes",
                  [=] {
                    call.run({zeros({2, 3}), zeros({2})});
                  }},
                 {"matmul: [] and [3]: at least 1 dimension",
                  [=] {
                    call.run({zeros({}), zeros({3})});
                  }},
                 {"matmul: float32 and float64: element types must be equal",
                  [=] {
                    call.run({zeros({2, 3}), zeros({3, 2}, kFloat64)});
                  }}},
       .spellings = {[](const Tensors& x) { return x[0].matmul(x[1]); }},
       .large = {{{200, 301}}, {{301, 9}}},
       .types = kNumbers,
       .slack = 4},
      {.name = "matmul batched",
       .samples = {{{{2, 2, 3}}, {{2, 3, 2}}},
                   {{{2, 2, 3}}, {{3, 2}}},
                   {{{2, 3}}, {{2, 3, 2}}},
                   {{{2, 1, 2, 3}}, {{3, 3, 1}}},
                   {{{3}}, {{2, 3, 2}}},
                   {{{2, 2, 3}}, {{3}}},
                   {{{0, 2, 3}}, {{3, 2}}}},
       .call = call,
       .reference = [](const Arrays& x) { return product_of(x[0], x[1]); },
       .wrong = {{"matmul: [2, 2, 3] and [3, 3, 4]: leading sizes do not broadcast",
                  [=] {
                    call.run({zeros({2, 2, 3}), zeros({3, 3, 4})});
                  }}},
       .large = {{{13, 20, 31}}, {{13, 31, 17}}},
       .types = kNumbers,
       .slack = 4},
      {.name = "linear",
       .samples = {{{{2, 3}}, {{4, 3}}, {{4}}},
                   {{{3}}, {{2, 3}}, {{2}}},
                   {{{2, 2, 3}}, {{2, 3}}, {{2}}},
                   {{{0, 3}}, {{2, 3}}, {{2}}}},
       .call = plus,
       .reference =
           [](const Arrays& x) {
             return zip(product_of(x[0], transposed_of(x[1])), x[2],
                        [](double a, double b) { return a + b; });
           },
       .wrong = {{"linear: input [4, 64] and weight [10, 63]",
                  [=] {
                    plus.run({zeros({4, 64}), zeros({10, 63}), Tensor()});
                  }},
                 {"linear: bias [9] for weight [10, 3]",
                  [=] {
                    plus.run({zeros({4, 3}), zeros({10, 3}), zeros({9})});
                  }},
                 {"linear: float32 and float64",
                  [=] {
                    plus.run({zeros({4, 3}), zeros({2, 3}), zeros({2}, kFloat64)});
                  }}},
       .large = {{{9, 301}}, {{200, 301}}, {{200}}},
       .types = kNumbers,
       .slack = 4},
      {.name = "linear with relu",
       .samples = {{{{2, 3}}, {{4, 3}}, {{4}}},
                   {{{3}}, {{2, 3}}, {{2}}},
                   {{{2, 2, 3}}, {{2, 3}}, {{2}}}},
       .call = [](const Tensors& x) { return linear(x[0], x[1], x[2], Op::relu); },
       .reference =
           [](const Arrays& x) {
             return zip(product_of(x[0], transposed_of(x[1])), x[2],
                        [](double a, double b) { return std::max(a + b, 0.0); });
           },
       .wrong =
           {{"linear: leaky_relu as activation: a function of one argument, without parameters",
             [] {
               linear(zeros({4, 3}), zeros({2, 3}), zeros({2}), Op::leaky_relu);
             }}},
       .large = {{{9, 301}}, {{200, 301}}, {{200}}},
       .types = kNumbers,
       .slack = 4},
      {.name = "linear with tanh, without bias",
       .samples = {{{{2, 3}}, {{4, 3}}}, {{{3}}, {{2, 3}}}},
       .call = [](const Tensors& x) { return linear(x[0], x[1], {}, Op::tanh); },
       .reference =
           [](const Arrays& x) {
             const Array product = product_of(x[0], transposed_of(x[1]));
             return zip(product, product, [](double a, double) { return std::tanh(a); });
           },
       .types = kNumbers,
       .result = Result::floating},
      {.name = "linear without bias",
       .samples = {{{{2, 3}}, {{4, 3}}}, {{{3}}, {{2, 3}}}},
       .call = [](const Tensors& x) { return linear(x[0], x[1]); },
       .reference = [](const Arrays& x) { return product_of(x[0], transposed_of(x[1])); },
       .types = kNumbers},
  };
}

double sum(double a, double b) { return a + b; }

OpCase product_row(const char* name, const std::vector<Sample>& samples, const Call& call,
                   const std::vector<WrongCall>& wrong) {
  return {.name = name,
          .samples = samples,
          .call = call,
          .reference = [](const Arrays& x) { return product_of(x[0], x[1]); },
          .wrong = wrong,
          .spellings = {[](const Tensors& x) { return matmul(x[0], x[1]); }},
          .types = kNumbers,
          .slack = 4};
}

// Of fixed numbers of dimensions.
std::vector<OpCase> narrow_products() {
  const auto wrong = [](const char* words, const Call& call, const Shape& a, const Shape& b,
                        DType dtype = kFloat32) -> WrongCall {
    return {words, [=] { call.run({zeros(a), zeros(b, dtype)}); }};
  };
  const Call bmm = [](const Tensors& x) { return x[0].bmm(x[1]); };
  const Call mv = [](const Tensors& x) { return x[0].mv(x[1]); };
  const Call dot = [](const Tensors& x) { return x[0].dot(x[1]); };
  const Call outer = [](const Tensors& x) { return x[0].outer(x[1]); };
  return {
      product_row("bmm", {{{{2, 3, 2}}, {{2, 2, 4}}}, {{{0, 2, 3}}, {{0, 3, 1}}}}, bmm,
                  {wrong("bmm: [2, 3, 4] and [3, 4, 2]: [b, m, k] and [b, k, n]", bmm, {2, 3, 4},
                         {3, 4, 2}),
                   wrong("bmm: [2, 3] and [3, 2]: [b, m, k]", bmm, {2, 3}, {3, 2}),
                   wrong("bmm: float32 and float64", bmm, {1, 1, 1}, {1, 1, 1}, kFloat64)}),
      product_row("mv", {{{{2, 3}}, {{3}}}, {{{2, 0}}, {{0}}}}, mv,
                  {wrong("mv: [2, 3] and [2]: [m, k] and [k]", mv, {2, 3}, {2}),
                   wrong("mv: [2, 3] and [3, 1]: [m, k] and [k]", mv, {2, 3}, {3, 1})}),
      product_row("dot", {{{{5}}, {{5}}}, {{{0}}, {{0}}}}, dot,
                  {wrong("dot: [3] and [4]: two vectors of one size", dot, {3}, {4}),
                   wrong("dot: [3, 1] and [3]: two vectors", dot, {3, 1}, {3})}),
      {.name = "outer",
       .samples = {{{{2}}, {{3}}}, {{{0}}, {{2}}}},
       .call = outer,
       .reference =
           [](const Arrays& x) {
             return make_array({x[0].size(0), x[1].size(0)},
                               [&](const Index& i) { return x[0][i[0]] * x[1][i[1]]; });
           },
       .wrong = {wrong("outer: [2, 2] and [2]: two vectors are needed", outer, {2, 2}, {2}),
                 wrong("outer: [2] and []: two vectors are needed", outer, {2}, {})}},
  };
}

std::vector<OpCase> sums_of_products() {
  const Call plain = [](const Tensors& x) { return x[0].addmm(x[1], x[2]); };
  const auto wrong = [=](const char* words, const Shape& x, const Shape& a,
                         const Shape& b) -> WrongCall {
    return {words, [=] { plain.run({zeros(x), zeros(a), zeros(b)}); }};
  };
  return {
      {.name = "addmm",
       .samples = {{{{2, 4}}, {{2, 3}}, {{3, 4}}},
                   {{{4}}, {{2, 3}}, {{3, 4}}},
                   {{{}}, {{2, 3}}, {{3, 4}}},
                   {{{2, 1}}, {{2, 0}}, {{0, 3}}},
                   {{{1, 1}}, {{0, 3}}, {{3, 2}}}},
       .call = plain,
       .reference =
           [](const Arrays& x) {
             const Array product = product_of(x[1], x[2]);
             return zip(x[0], product, sum);
           },
       .wrong = {wrong("addmm: [2] does not broadcast to [2, 4]", {2}, {2, 3}, {3, 4}),
                 wrong("addmm: [3, 2, 4] does not broadcast to [2, 4]", {3, 2, 4}, {2, 3}, {3, 4}),
                 wrong("addmm: [2, 3] and [4, 5]: [m, k] and [k, n]", {2}, {2, 3}, {4, 5}),
                 {"addmm: float64 and float32: element types",
                  [] {
                    zeros({2}, kFloat64).addmm(zeros({1, 1}), zeros({1, 2}));
                  }},
                 {"addmm: factors 1 and 0.5 of int64 tensors: whole numbers",
                  [] {
                    const Tensor x = zeros({1, 1}, kInt64);
                    x.addmm(x, x, 1, .5);
                  }}},
       .large = {{{9}}, {{200, 301}}, {{301, 9}}},
       .types = kNumbers,
       .slack = 4},
      {.name = "addmm factors",
       .samples = {{{{4}}, {{2, 3}}, {{3, 4}}}, {{{2, 1}}, {{2, 3}}, {{3, 4}}}},
       .call = [](const Tensors& x) { return x[0].addmm(x[1], x[2], 2, -3); },
       .reference =
           [](const Arrays& x) {
             return zip(x[0], product_of(x[1], x[2]),
                        [](double c, double p) { return 2 * c - 3 * p; });
           },
       .types = kNumbers,
       .slack = 4},
      {.name = "addmm beta 0",
       .samples = {{{{2, 4}}, {{2, 3}}, {{3, 4}}}},
       .call = [](const Tensors& x) { return x[0].addmm(x[1], x[2], 0, 2); },
       .reference =
           [](const Arrays& x) {
             return map(product_of(x[1], x[2]), [](double p) { return 2 * p; });
           },
       .types = kNumbers,
       .slack = 4},
  };
}

std::vector<OpCase> products() {
  std::vector<OpCase> rows;
  for (const auto& part : {general_products(), narrow_products(), sums_of_products()})
    rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

// f(x, largest of its group, sum of e^(x - largest)) along `dim`.
Array along(const Array& x, int dim, double (*f)(double, double, double)) {
  if (x.numbers.empty()) return x;
  const Array largest = reduce(x, {dim}, true, [](const std::vector<double>& group) {
    return *std::max_element(group.begin(), group.end());
  });
  const Array sum = reduce(x, {dim}, true, [](const std::vector<double>& group) {
    const double most = *std::max_element(group.begin(), group.end());
    std::vector<double> terms;
    for (const double v : group) terms.push_back(std::exp(v - most));
    return sum_of(terms);
  });
  return zip(x, largest, sum, f);
}

double softmax_term(double x, double largest, double sum) { return std::exp(x - largest) / sum; }
double log_softmax_term(double x, double largest, double sum) {
  return x - largest - std::log(sum);
}

OpCase softmax_row(const char* name, int dim, double (*f)(double, double, double), Call call) {
  return {.name = name,
          .samples = {{{{3, 4}, -3, 3}}, {{{2, 3, 2}, -3, 3}}, {{{3, 1}, -3, 3}}},
          .call = call,
          .reference = [=](const Arrays& x) { return along(x[0], dim, f); },
          .wrong = {{"dimension 2 is out of range",
                     [=] {
                       softmax(zeros({2, 3}), 2);
                     },
                     Fault::index},
                    {"a int64 tensor: a floating type is needed",
                     [=] {
                       call.run({zeros({3, 2}, kInt64)});
                     }}},
          .large = {{{131, 333}, -3, 3}},
          .types = kFloats,
          .slack = 4};
}

}  // namespace

std::vector<OpCase> product_cases() {
  std::vector<OpCase> rows = products();
  const std::vector<OpCase> softmaxes = {
      softmax_row("softmax", -1, softmax_term, [](const Tensors& x) { return x[0].softmax(-1); }),
      softmax_row("softmax first", 0, softmax_term,
                  [](const Tensors& x) { return softmax(x[0], 0); }),
      softmax_row("log_softmax", 1, log_softmax_term,
                  [](const Tensors& x) { return x[0].log_softmax(1); }),
      softmax_row("log_softmax first", -2, log_softmax_term,
                  [](const Tensors& x) { return log_softmax(x[0], -2); }),
  };
  for (OpCase row : softmaxes) {
    if (row.name == "softmax" || row.name == "log_softmax first") {
      row.samples.push_back({{{0, 3}}});
      row.samples.push_back({{{3, 0}}});
    }
    if (row.name == "softmax") row.samples.push_back({{{}}});
    if (row.name == "log_softmax") row.samples[1] = {{{2, 5}, -3, 3}};
    rows.push_back(row);
  }
  return rows;
}

}  // namespace levin
