// Rows of running results and of order.
#include <algorithm>
#include <map>
#include <numeric>

#include "op_cases.h"

namespace levin {
namespace {

// f of every line along `dim`, which gives as many numbers as the line has, or fewer.
template <class F>
Array along(const Array& x, int dim, F f) {
  if (x.shape.empty()) return {{}, f(x.numbers)};
  const int d = dim < 0 ? dim + x.shape.size() : dim;
  std::map<Index, std::vector<double>> lines;
  for_each_index(x.shape, [&](Index index) {
    const double number = x.at(index);
    index[d] = 0;
    lines[index].push_back(number);
  });
  Shape shape = x.shape;
  for (auto& [start, line] : lines) line = f(line), shape[d] = static_cast<int64_t>(line.size());
  return make_array(shape, [&](Index index) {
    const auto at = static_cast<std::size_t>(index[d]);
    index[d] = 0;
    return lines.at(index)[at];
  });
}

std::vector<double> sums_of(const std::vector<double>& line) {
  std::vector<double> result;
  long double sum = 0;
  for (const double x : line) result.push_back(static_cast<double>(sum += x));
  return result;
}

std::vector<double> products_of(const std::vector<double>& line) {
  std::vector<double> result;
  long double product = 1;
  for (const double x : line) result.push_back(static_cast<double>(product *= x));
  return result;
}

std::vector<double> order_of(const std::vector<double>& line, bool descending) {
  std::vector<double> order(line.size());
  std::iota(order.begin(), order.end(), 0.0);
  std::stable_sort(order.begin(), order.end(), [&](double i, double j) {
    const double a = line[static_cast<std::size_t>(i)], b = line[static_cast<std::size_t>(j)];
    return descending ? a > b : a < b;
  });
  return order;
}

// The first k of a line in order.
std::vector<double> sorted(std::vector<double> line, bool descending, std::size_t k) {
  std::sort(line.begin(), line.end());
  if (descending) std::reverse(line.begin(), line.end());
  line.resize(std::min(line.size(), k));
  return line;
}

WrongCall out_of_range(const Call& call) {
  return {"dimension 2 is out of range", [=] { call.run({zeros({2, 3})}); }, Fault::index};
}
WrongCall undefined(const Call& call) {
  return {"undefined", [=] { call.run({Tensor()}); }};
}

std::vector<OpCase> scans() {
  const auto row = [](const char* name, int dim, Call call, auto f) {
    return OpCase{.name = name,
                  .samples = {{{{2, 3, 4}}}, {{{3, 1, 2}}}, {{{1, 2, 5}}}},
                  .call = std::move(call),
                  .reference = [=](const Arrays& x) { return along(x[0], dim, f); },
                  .large = {{{17, 53, 61}, -1, 1.02}},
                  .result = Result::widened};
  };
  std::vector<OpCase> rows = {
      row(
          "cumsum last", 2, [](const Tensors& x) { return x[0].cumsum(2); }, sums_of),
      row(
          "cumsum middle", 1, [](const Tensors& x) { return x[0].cumsum(-2); }, sums_of),
      row(
          "cumsum first", 0, [](const Tensors& x) { return x[0].cumsum(0); }, sums_of),
      row(
          "cumprod last", 2, [](const Tensors& x) { return x[0].cumprod(2); }, products_of),
      row(
          "cumprod middle", 1, [](const Tensors& x) { return x[0].cumprod(-2); }, products_of),
      row(
          "cumprod first", 0, [](const Tensors& x) { return x[0].cumprod(0); }, products_of),
      row(
          "cumsum vector", 0, [](const Tensors& x) { return x[0].cumsum(0); }, sums_of),
      row(
          "cumprod vector", 0, [](const Tensors& x) { return x[0].cumprod(0); }, products_of),
  };
  for (OpCase& one : rows) {
    if (one.name.ends_with("last")) one.wrong = {out_of_range(one.call), undefined(one.call)};
    if (one.name.starts_with("cumprod")) one.large[0].low = 0.98;
    if (!one.name.ends_with("vector")) continue;
    one.samples = {{{{}}}, {{{0}}}, {{{17}}}, {{{0, 3}}}, {{{2, 0}}}};
    one.large[0].shape = {5001};
  }
  return rows;
}

std::vector<OpCase> orders() {
  const std::vector<Sample> samples = {{{{2, 3, 4}}}, {{{5, 1, 2}}}, {{{}}}, {{{23}}}, {{{3, 0}}}};
  const auto row = [&](const char* name, Call call, auto values, auto positions) {
    return OpCase{.name = name,
                  .samples = samples,
                  .call = call,
                  .reference =
                      [=](const Arrays& x) {
                        return Arrays{values(x[0]), positions(x[0])};
                      },
                  .wrong = {},
                  .large = {{{31, 211, 7}}},
                  .result = Result::with_index};
  };
  std::vector<OpCase> rows;
  for (const bool down : {false, true}) {
    rows.push_back(row(
        down ? "sort last down" : "sort last",
        [=](const Tensors& x) { return x[0].sort(-1, down); },
        [=](const Array& x) { return along(x, -1, [=](auto l) { return sorted(l, down, 1e9); }); },
        [=](const Array& x) { return along(x, -1, [=](auto l) { return order_of(l, down); }); }));
    rows.push_back(row(
        down ? "sort first down" : "sort first",
        [=](const Tensors& x) { return x[0].sort(0, down); },
        [=](const Array& x) { return along(x, 0, [=](auto l) { return sorted(l, down, 1e9); }); },
        [=](const Array& x) { return along(x, 0, [=](auto l) { return order_of(l, down); }); }));
    const auto best = [=](auto line) {
      line = order_of(line, down);
      line.resize(2);
      return line;
    };
    rows.push_back(row(
        down ? "topk largest" : "topk smallest",
        [=](const Tensors& x) { return x[0].topk(2, -1, down); },
        [=](const Array& x) { return along(x, -1, [=](auto l) { return sorted(l, down, 2); }); },
        [=](const Array& x) { return along(x, -1, best); }));
    rows.back().samples = {{{{2, 3, 4}}}, {{{5, 1, 2}}}, {{{23}}}};
    OpCase positions = {.name = down ? "argsort down" : "argsort",
                        .samples = samples,
                        .call = [=](const Tensors& x) { return x[0].argsort(-1, down); },
                        .reference =
                            [=](const Arrays& x) {
                              return along(x[0], -1, [=](auto l) { return order_of(l, down); });
                            },
                        .wrong = {{"argsort: dimension -3 is out of range",
                                   [] {
                                     ones({2, 3}).argsort(-3);
                                   },
                                   Fault::index}},
                        .large = {{{31, 7, 211}}},
                        .result = Result::integer,
                        .differentiable = false};
    rows.push_back(positions);
  }
  rows[0].wrong = {{"sort: dimension 2 is out of range",
                    [] {
                      ones({2, 3}).sort(2);
                    },
                    Fault::index},
                   undefined(rows[0].call)};
  rows[2].wrong = {
      {"topk: the 4 largest or smallest of 3 along dimension 0",
       [] {
         ones({3, 5}).topk(4, 0);
       }},
      {"topk: the -1", [] { ones({3}).topk(-1); }},
      {"topk: dimension 1 is out of range", [] { ones({3}).topk(1, 1); }, Fault::index}};
  return rows;
}

}  // namespace

std::vector<OpCase> scan_cases() {
  std::vector<OpCase> rows = scans();
  for (const OpCase& row : orders()) rows.push_back(row);
  return rows;
}

}  // namespace levin
