// Rows of the reductions that other operations make up: prod, std, norm, logsumexp, all, any.
#include <algorithm>
#include <cmath>
#include <limits>

#include "op_cases.h"

namespace levin {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Group = const std::vector<double>&;
using F = std::function<double(Group)>;
using Over = std::function<Tensor(const Tensor&, const Shape&, bool)>;

double product_of(Group x) {
  long double product = 1;
  for (const double v : x) product *= v;
  return static_cast<double>(product);
}

double std_of(Group x) {
  const auto n = static_cast<double>(x.size());
  const double mean = sum_of(x) / n;
  std::vector<double> squares;
  for (const double v : x) squares.push_back((v - mean) * (v - mean));
  return std::sqrt(sum_of(squares) / (n - 1));
}

double norm_of(Group x, double p) {
  std::vector<double> sizes;
  for (const double v : x) sizes.push_back(std::abs(v));
  if (p == kInfinity) return *std::max_element(sizes.begin(), sizes.end());
  if (p == -kInfinity) return *std::min_element(sizes.begin(), sizes.end());
  for (double& v : sizes) v = p == 0 ? v != 0 : std::pow(v, p);
  return p == 0 ? sum_of(sizes) : std::pow(sum_of(sizes), 1 / p);
}

double logsumexp_of(Group x) {
  std::vector<double> powers;
  for (const double v : x) powers.push_back(std::exp(v));
  return std::log(sum_of(powers));
}

bool is_true(double v) { return v != 0; }
double all_of(Group x) { return std::all_of(x.begin(), x.end(), is_true); }
double any_of(Group x) { return std::any_of(x.begin(), x.end(), is_true); }

// Rows over everything, over two dimensions, over one that is kept, and over nothing.
std::vector<OpCase> rows_of(const std::string& name, const F& f, const Over& over) {
  const auto row = [&](const char* which, const std::vector<Sample>& samples,
                       const std::vector<int>& dims, bool keepdim) {
    const Shape shape(std::vector<int64_t>(dims.begin(), dims.end()));
    return OpCase{.name = name + which,
                  .samples = samples,
                  .call = [=](const Tensors& x) { return over(x[0], shape, keepdim); },
                  .reference = [=](const Arrays& x) { return reduce(x[0], dims, keepdim, f); }};
  };
  std::vector<OpCase> rows = {
      row("", {{{{3, 4}}}, {{{2, 1, 5}}}, {{{17}}}}, {}, false),
      row(" dims", {{{{2, 3, 4}}}, {{{3, 2, 2}}}}, {0, 2}, false),
      row(" dim keepdim", {{{{2, 3, 4}}}, {{{1, 2, 3}}}}, {-1}, true),
      row(" leading", {{{{4, 3}}}, {{{2, 1}}}}, {0}, false),
  };
  rows[0].large = {{{211, 173}}};
  rows[1].large = {{{37, 23, 61}}};
  rows[0].wrong = {{name == "std" ? "std: dimension 2 is out of range" : "dimension 2 is out of",
                    [=] {
                      over(ones({2, 3}), {2}, false);
                    },
                    Fault::index},
                   {"dimension -2 appears twice", [=] {
                      over(ones({2, 3}), {0, -2}, false);
                    }}};
  return rows;
}

std::vector<OpCase> products() {
  std::vector<OpCase> rows = rows_of(
      "prod", product_of, [](const Tensor& x, const Shape& d, bool k) { return x.prod(d, k); });
  for (OpCase& row : rows) {
    row.result = Result::widened;
    // About 1 for any number of elements.
    if (!row.large.empty()) row.large[0].low = 0.99, row.large[0].high = 1.01005;
  }
  OpCase empty = rows[0];
  empty.name = "prod empty";
  empty.samples = {{{{}}}, {{{0}}}, {{{2, 0}}}};
  rows.push_back(empty);
  OpCase along = rows[3];
  along.name = "prod along empty";
  along.samples = {{{{0, 2}}}, {{{2, 0}}}};
  along.large = {};
  rows.push_back(along);
  return rows;
}

std::vector<OpCase> norms() {
  std::vector<OpCase> all;
  for (const double p : {2.0, 1.0, 3.0, 1.5, 0.5, -1.0, 0.0, kInfinity, -kInfinity}) {
    const std::string name = p == 2 ? "norm" : "norm " + std::to_string(p);
    std::vector<OpCase> rows = rows_of(
        name, [=](Group x) { return norm_of(x, p); },
        [=](const Tensor& x, const Shape& d, bool k) { return x.norm(p, d, k); });
    for (OpCase& row : rows) {
      row.types = kFloats;
      row.slack = 8;
      all.push_back(row);
    }
  }
  all[0].spellings = {[](const Tensors& x) { return x[0].norm(); }};
  all[0].wrong.push_back({"norm: a int64 tensor", [] { ones({2}, kInt64).norm(); }});
  return all;
}

std::vector<OpCase> others() {
  std::vector<OpCase> all;
  const auto add = [&](const char* name, const F& f, const Over& over) {
    for (const OpCase& row : rows_of(name, f, over)) all.push_back(row);
  };
  add("std", std_of, [](const Tensor& x, const Shape& d, bool k) { return x.std(d, 1, k); });
  add("logsumexp", logsumexp_of,
      [](const Tensor& x, const Shape& d, bool k) { return x.logsumexp(d, k); });
  add("all", all_of, [](const Tensor& x, const Shape& d, bool k) { return x.all(d, k); });
  add("any", any_of, [](const Tensor& x, const Shape& d, bool k) { return x.any(d, k); });
  for (OpCase& row : all) {
    const std::string name = operation_of(row);
    if (name == "std") row.types = kFloats, row.slack = 4;
    row.result = name == "logsumexp" ? Result::floating
                 : name == "std"     ? Result::same
                                     : Result::boolean;
    row.differentiable = name == "std" || name == "logsumexp";
    if (name == "all" || name == "any") row.samples.push_back({{{2, 2, 2}, -0.9, 0.9}});
  }
  return all;
}

}  // namespace

std::vector<OpCase> composed_reduction_cases() {
  std::vector<OpCase> rows = products();
  for (const auto& part : {norms(), others()}) rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace levin
