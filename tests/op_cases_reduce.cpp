// Rows of the reductions.
#include <algorithm>
#include <cmath>

#include "op_cases.h"

namespace levin {
namespace {

using Group = const std::vector<double>&;
using F = double (*)(Group);

double mean_of(Group x) { return sum_of(x) / static_cast<double>(x.size()); }
double var_of(Group x, double correction) {
  const double mean = mean_of(x);
  std::vector<double> squares;
  for (const double v : x) squares.push_back((v - mean) * (v - mean));
  return sum_of(squares) / std::max(0.0, static_cast<double>(x.size()) - correction);
}
double max_of(Group x) { return *std::max_element(x.begin(), x.end()); }
double min_of(Group x) { return *std::min_element(x.begin(), x.end()); }
double argmax_of(Group x) {
  return static_cast<double>(std::max_element(x.begin(), x.end()) - x.begin());
}
double argmin_of(Group x) {
  return static_cast<double>(std::min_element(x.begin(), x.end()) - x.begin());
}

// Over everything.
OpCase whole(const char* name, F f, Call call) {
  return {.name = name,
          .samples = {{{{3, 4}}}, {{{}}}, {{{2, 1, 5}}}, {{{17}}}},
          .call = std::move(call),
          .reference = [=](const Arrays& x) { return reduce(x[0], {}, false, f); },
          .large = {{{211, 173}}}};
}

// Over dimensions of a tensor of three.
OpCase over(const char* name, F f, const std::vector<int>& dims, bool keepdim, Call call) {
  const WrongCall range = {"dimension 2 is out of range: expected one in [-2, 1]",
                           [=] {
                             call.run({zeros({2, 3})});
                           },
                           Fault::index};
  return {.name = name,
          .samples = {{{{2, 3, 4}}}, {{{3, 1, 2}}}, {{{1, 2, 1}}}},
          .call = call,
          .reference = [=](const Arrays& x) { return reduce(x[0], dims, keepdim, f); },
          .wrong = {range},
          .large = {{{37, 23, 61}}}};
}

std::vector<OpCase> sums() {
  std::vector<OpCase> rows = {
      whole("sum", sum_of, [](const Tensors& x) { return x[0].sum(); }),
      over("sum dims", sum_of, {0, 2}, false,
           [](const Tensors& x) {
             return x[0].sum({0, 2});
           }),
      over("sum dims keepdim", sum_of, {2}, true,
           [](const Tensors& x) { return x[0].sum({2}, true); }),
      over("sum leading", sum_of, {0, 1}, false,
           [](const Tensors& x) { return x[0].flatten(0, 1).sum({0}); }),
      whole("mean", mean_of, [](const Tensors& x) { return x[0].mean(); }),
      over("mean dims", mean_of, {2, 0}, false,
           [](const Tensors& x) {
             return x[0].mean({2, -3});
           }),
      over("mean dims keepdim", mean_of, {1, 2}, true,
           [](const Tensors& x) {
             return x[0].mean({1, 2}, true);
           }),
      over("mean leading", mean_of, {0}, false, [](const Tensors& x) { return x[0].mean({0}); }),
      whole(
          "var", [](Group x) { return var_of(x, 1); }, [](const Tensors& x) { return x[0].var(); }),
      over(
          "var dims", [](Group x) { return var_of(x, 1); }, {0, 2}, false,
          [](const Tensors& x) {
            return x[0].var({0, 2});
          }),
      over(
          "var dims keepdim", [](Group x) { return var_of(x, 0); }, {2}, true,
          [](const Tensors& x) { return x[0].var({2}, 0, true); }),
  };
  const auto empties = [](const char* name, F f, Call call) {
    OpCase row = whole(name, f, std::move(call));
    row.samples = {{{{0}}}, {{{0, 2}}}, {{{2, 0}}}, {{{4, 0, 3}}}};
    row.large = {};
    return row;
  };
  rows.push_back(empties("sum empty", sum_of, [](const Tensors& x) { return x[0].sum(); }));
  rows.push_back(empties("mean empty", mean_of, [](const Tensors& x) { return x[0].mean(); }));
  for (const int dim : {0, 1}) {
    OpCase row =
        empties("sum along empty", sum_of, [=](const Tensors& x) { return x[0].sum({dim}); });
    row.samples = {{{{0, 2}}}, {{{2, 0}}}, {{{0, 0}}}, {{{2, 0, 3}}}};
    row.reference = [=](const Arrays& x) { return reduce(x[0], {dim}, false, sum_of); };
    rows.push_back(row);
  }
  for (OpCase& row : rows) {
    const std::string operation = operation_of(row);
    row.result = Result::widened;
    if (operation != "sum") row.types = kFloats;
    // One element has no variance, and no derivative of it either.
    if (operation == "var") {
      row.slack = 4;
      std::erase_if(row.samples, [](const Sample& s) { return s[0].shape.numel() < 4; });
    }
    if (operation == "var" && row.name != "var dims keepdim")
      std::erase_if(row.samples, [](const Sample& s) { return s[0].shape.back() == 1; });
  }
  rows[0].spellings = {[](const Tensors& x) { return sum(x[0]); }};
  rows[4].spellings = {[](const Tensors& x) { return mean(x[0]); }};
  for (OpCase& row : rows)
    if (row.name.ends_with("leading")) row.wrong = {};
  rows[1].wrong.push_back({"dimension -2 appears twice", [] { ones({2, 3}).sum({0, -2}); }});
  rows[4].wrong = {{"mean: a int64 tensor", [] { ones({2}, kInt64).mean(); }}};
  rows[8].wrong = {{"var: a bool tensor", [] { ones({2}, kBool).var(); }}};
  return rows;
}

WrongCall empty_one(const Call& call) {
  return {"no elements along the reduced dimensions", [=] { call.run({zeros({2, 0, 0})}); }};
}

std::vector<OpCase> extremes() {
  std::vector<OpCase> rows = {
      whole("max", max_of, [](const Tensors& x) { return x[0].max(); }),
      whole("min", min_of, [](const Tensors& x) { return x[0].min(); }),
      whole("amax", max_of, [](const Tensors& x) { return x[0].amax(); }),
      whole("amin", min_of, [](const Tensors& x) { return x[0].amin(); }),
      over("amax dims", max_of, {0, 2}, false,
           [](const Tensors& x) {
             return x[0].amax({0, 2});
           }),
      over("amin dims keepdim", min_of, {2}, true,
           [](const Tensors& x) { return x[0].amin({2}, true); }),
      whole("argmax", argmax_of, [](const Tensors& x) { return x[0].argmax(); }),
      whole("argmin", argmin_of, [](const Tensors& x) { return x[0].argmin(); }),
      over("argmax dim", argmax_of, {2}, false, [](const Tensors& x) { return x[0].argmax(2); }),
      over("argmin dim keepdim", argmin_of, {2}, true,
           [](const Tensors& x) { return x[0].argmin(2, true); }),
      over("max dim", max_of, {2}, false, [](const Tensors& x) { return x[0].max(2); }),
      over("min dim keepdim", min_of, {2}, true,
           [](const Tensors& x) { return x[0].min(2, true); }),
  };
  for (OpCase& row : rows) {
    row.wrong.push_back(empty_one(row.call));
    if (row.wrong.size() == 1)
      row.wrong.push_back({"undefined", [=] { row.call.run({Tensor()}); }});
    const bool position = row.name.starts_with("arg");
    row.differentiable = !position;
    if (position) row.result = Result::integer;
    if (row.name != "max dim" && row.name != "min dim keepdim") continue;
    row.result = Result::with_index;
    const bool keep = row.name.ends_with("keepdim");
    const F value = keep ? min_of : max_of, at = keep ? argmin_of : argmax_of;
    row.reference = [=](const Arrays& x) {
      return Arrays{reduce(x[0], {2}, keep, value), reduce(x[0], {2}, keep, at)};
    };
  }
  return rows;
}

}  // namespace

std::vector<OpCase> reduce_cases() {
  std::vector<OpCase> rows = sums();
  for (const OpCase& row : extremes()) rows.push_back(row);
  return rows;
}

}  // namespace levin
