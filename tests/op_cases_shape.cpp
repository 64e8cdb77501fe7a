// Rows of what copies: other layouts and places, borders, repeats.
#include <algorithm>

#include "op_cases_moving.h"

namespace levin {
namespace {

std::vector<OpCase> copies() {
  const auto same = [](const char* name, Call call) {
    OpCase row = renamed(name, {3, 4}, {3, 4}, call);
    row.samples = {{{{3, 4}}}, {{{}}}, {{{0, 2}}}, {{{2, 3, 2}}}};
    row.reference = [](const Arrays& x) { return x[0]; };
    row.wrong = {{"undefined", [=] { call.run({Tensor()}); }}};
    row.large = {{{211, 173}}};
    return row;
  };
  std::vector<OpCase> rows = {
      same("contiguous", [](const Tensors& x) { return x[0].contiguous(); }),
      same("clone", [](const Tensors& x) { return x[0].clone(); }),
      same("to", [](const Tensors& x) { return x[0].to(x[0].dtype()); }),
      same("to through float64",
           [](const Tensors& x) { return x[0].to(kFloat64).to(x[0].dtype()); }),
  };
  const auto stale = [](const Call& call) {
    return WrongCall{"make the view again",
                     [=] {
                       const Tensor x = ones({2, 1}).requires_grad_() * 1, view = x.expand({2, 2});
                       x.add_(x);
                       call.run({view});
                     },
                     Fault::order};
  };
  rows[0].wrong.push_back(stale(rows[0].call));
  rows[1].wrong.push_back(stale(rows[1].call));
  rows[2].wrong.push_back({"cuda", [] { ones({2}).to(Device{Device::cuda, 15}); }, Fault::world});
  return rows;
}

// x with each dimension repeated.
Array repeated(const Array& x, const Shape& repeats) {
  const int added = repeats.size() - x.shape.size();
  Shape shape;
  for (int d = 0; d < repeats.size(); ++d)
    shape.push_back(repeats[d] * (d < added ? 1 : x.shape[d - added]));
  return make_array(shape, [&](const Index& i) {
    Index from(i.begin() + added, i.end());
    for (std::size_t d = 0; d < from.size(); ++d) from[d] %= x.shape[d];
    return x.at(from);
  });
}

std::vector<OpCase> repeats() {
  const auto row = [](const char* name, std::vector<Sample> samples, Call call,
                      const Shape& repeats) {
    return OpCase{.name = name,
                  .samples = std::move(samples),
                  .call = std::move(call),
                  .reference = Reference([=](const Arrays& x) { return repeated(x[0], repeats); })};
  };
  std::vector<OpCase> rows = {
      row("repeat", {{{{2, 3}}}, {{{3}}}, {{{}}}, {{{0, 2}}}},
          [](const Tensors& x) {
            return x[0].repeat({3, 1, 2});
          },
          {3, 1, 2}),
      row("repeat nothing", {{{{2, 3}}}},
          [](const Tensors& x) {
            return x[0].repeat({1, 1});
          },
          {1, 1}),
      row("repeat to nothing", {{{{2, 3}}}},
          [](const Tensors& x) {
            return x[0].repeat({2, 0});
          },
          {2, 0}),
      row("repeat eight", {{{{2, 1, 2, 1, 1, 2, 1, 2}}}},
          [](const Tensors& x) {
            return x[0].repeat({1, 2, 2, 1, 1, 1, 3, 1});
          },
          {1, 2, 2, 1, 1, 1, 3, 1}),
      row("tile", {{{{2, 3}}}, {{{2, 1, 2}}}}, [](const Tensors& x) { return x[0].tile(2); },
          {1, 2}),
      row("tile more", {{{{2}}}, {{{}}}},
          [](const Tensors& x) {
            return x[0].tile({2, 2});
          },
          {2, 2}),
  };
  rows[0].wrong = {{"repeat: [2] for a tensor of shape [2, 3]",
                    [] {
                      zeros({2, 3}).repeat(2);
                    }},
                   {"repeat: [-1]: numbers must not be negative", [] { zeros({3}).repeat(-1); }},
                   {"too many elements", [] { zeros({3}).repeat(INT64_MAX / 2); }}};
  rows[0].large = {{{211, 173}}};
  rows[4].reference = Reference([](const Arrays& x) {
    return repeated(x[0], x[0].shape.size() == 2 ? Shape{1, 2} : Shape{1, 1, 2});
  });
  rows[4].wrong = {{"repeat: [1, -1]: numbers must not be negative",
                    [] {
                      zeros({2, 3}).tile(-1);
                    }},
                   {"undefined", [] { Tensor().tile(2); }}};
  return rows;
}

std::vector<OpCase> moves() {
  std::vector<OpCase> rows = {
      moving(
          "flip", {{{2, 3, 4}}}, {2, 3, 4},
          [](const Index& i) {
            return Index{1 - i[0], i[1], 3 - i[2]};
          },
          [](const Tensors& x) {
            return x[0].flip({0, -1});
          },
          {{"flip: dimension 0 appears twice",
            [] {
              zeros({2, 3}).flip({0, 0});
            }},
           {"flip: dimension 2 is out of range",
            [] {
              zeros({2, 3}).flip(2);
            },
            Fault::index}}),
      moving(
          "flip all", {{{3, 4}}}, {3, 4},
          [](const Index& i) {
            return Index{2 - i[0], 3 - i[1]};
          },
          [](const Tensors& x) {
            return x[0].flip({0, 1});
          },
          {}),
      moving(
          "flip none", {{{2, 3}}}, {2, 3}, [](const Index& i) { return i; },
          [](const Tensors& x) { return x[0].flip({}); }, {}),
      moving(
          "flip 0-d", {{{}}}, {}, [](const Index& i) { return i; },
          [](const Tensors& x) { return x[0].flip(0); }, {}),
      moving(
          "flip empty", {{{2, 0}}}, {2, 0}, [](const Index& i) { return i; },
          [](const Tensors& x) {
            return x[0].flip({0, 1});
          },
          {}),
      moving(
          "roll", {{{2, 3, 5}}}, {2, 3, 5},
          [](const Index& i) {
            return Index{(i[0] + 1) % 2, i[1], (i[2] + 2) % 5};
          },
          [](const Tensors& x) {
            return x[0].roll({3, -7}, {0, -1});
          },
          {{"roll: shifts [1, 2] along dimensions [0]",
            [] {
              zeros({2, 3}).roll({1, 2}, 0);
            }},
           {"roll: shifts [1, 2] along dimensions []",
            [] {
              zeros({2, 3}).roll({1, 2});
            }},
           {"roll: shifts [] along",
            [] {
              zeros({2, 3}).roll({});
            }},
           {"roll: a 0-d tensor", [] { zeros({}).roll(1, 0); }},
           {"roll: dimension 1 is out of range", [] { zeros({3}).roll(1, 1); }, Fault::index}}),
      moving(
          "roll all", {{{2, 3}}}, {2, 3},
          [](const Index& i) {
            const int64_t from = (3 * i[0] + i[1] + 2) % 6;
            return Index{from / 3, from % 3};
          },
          [](const Tensors& x) { return x[0].roll(4); }, {}),
      moving(
          "roll twice", {{{5}}}, {5}, [](const Index& i) { return Index{(i[0] + 2) % 5}; },
          [](const Tensors& x) {
            return x[0].roll({1, 2}, {0, 0});
          },
          {}),
      moving(
          "roll 0-d", {{{}}}, {}, [](const Index& i) { return i; },
          [](const Tensors& x) { return x[0].roll(1); }, {}),
      moving(
          "roll empty", {{{2, 0}}}, {2, 0}, [](const Index& i) { return i; },
          [](const Tensors& x) {
            return x[0].roll({1, 1}, {1, 0});
          },
          {}),
      moving(
          "roll nothing", {{{0, 2}}}, {0, 2}, [](const Index& i) { return i; },
          [](const Tensors& x) { return x[0].roll(1, 0); }, {}),
  };
  rows[1].large = {{{211, 173}}};
  rows[1].reference = Reference([](const Arrays& x) {
    Array result = x[0];
    std::reverse(result.numbers.begin(), result.numbers.end());
    return result;
  });
  return rows;
}

// x at i - before where that is inside, else value.
Array padded(const Array& x, const Index& before, const Index& after, double value) {
  Shape shape = x.shape;
  for (int d = 0; d < shape.size(); ++d) shape[d] += before[d] + after[d];
  return make_array(shape, [&](Index i) {
    for (int d = 0; d < shape.size(); ++d) {
      i[d] -= before[d];
      if (i[d] < 0 || i[d] >= x.shape[d]) return value;
    }
    return x.at(i);
  });
}

std::vector<OpCase> borders() {
  const auto row = [](const char* name, std::vector<Sample> samples, const Shape& widths,
                      Index before, Index after, double value = 0) {
    return OpCase{.name = name,
                  .samples = std::move(samples),
                  .call = [=](const Tensors& x) { return pad(x[0], widths, value); },
                  .reference = Reference(
                      [=](const Arrays& x) { return padded(x[0], before, after, value); })};
  };
  std::vector<OpCase> rows = {
      row("pad", {{{{2, 3}}}, {{{2, 0}}}}, {1, 2}, {0, 1}, {0, 2}),
      row("pad several", {{{{2, 1, 3}}}}, {1, 0, 0, 1, 2, 1}, {2, 0, 1}, {1, 1, 0}, 1),
      row("pad cut", {{{{3, 4}}}}, {-1, 2, 1, -2}, {1, -1}, {-2, 2}, 1),
      row("pad cut all", {{{{3}}}}, {-1, -2}, {-1}, {-2}, 1),
      row("pad cut and more", {{{{2}}}}, {-2, 3}, {-2}, {3}, 1),
      row("pad nothing", {{{{2, 3}}}, {{{0, 2}}}}, {}, {0, 0}, {0, 0}),
      row("pad 0-d", {{{}}}, {}, {}, {}),
  };
  rows[0].wrong = {{"pad: widths [1]", [] { pad(zeros({3}), 1); }},
                   {"pad: widths [1, 1, 1, 1] for a tensor of shape [3]",
                    [] {
                      pad(zeros({3}), {1, 1, 1, 1});
                    }},
                   {"pad: widths [-2, -2] cut more than there is from dimension 0 of [3]",
                    [] {
                      pad(zeros({3}), {-2, -2});
                    }},
                   {"pad: widths [-4, 2] cut more", [] {
                      pad(zeros({3}), {-4, 2});
                    }}};
  rows[0].large = {{{211, 173}}};
  return rows;
}

std::vector<OpCase> triangles() {
  const auto row = [](const char* name, Call call, std::function<bool(int64_t)> keep) {
    return OpCase{.name = name,
                  .samples = {{{{3, 4}}}, {{{2, 4, 3}}}, {{{0, 2}}}, {{{2, 3, 0}}}},
                  .call = std::move(call),
                  .reference = Reference([=](const Arrays& x) {
                    return make_array(x[0].shape, [&](const Index& i) {
                      return keep(i.back() - i[i.size() - 2]) ? x[0].at(i) : 0;
                    });
                  }),
                  .large = {{{211, 173}}}};
  };
  std::vector<OpCase> rows = {
      row(
          "tril", [](const Tensors& x) { return x[0].tril(); },
          [](int64_t above) { return above <= 0; }),
      row(
          "tril above", [](const Tensors& x) { return x[0].tril(1); },
          [](int64_t above) { return above <= 1; }),
      row(
          "tril below", [](const Tensors& x) { return x[0].tril(-2); },
          [](int64_t above) { return above <= -2; }),
      row(
          "triu", [](const Tensors& x) { return x[0].triu(); },
          [](int64_t above) { return above >= 0; }),
      row(
          "triu above", [](const Tensors& x) { return x[0].triu(2); },
          [](int64_t above) { return above >= 2; }),
      row(
          "triu far below", [](const Tensors& x) { return x[0].triu(-9); },
          [](int64_t above) { return above >= -9; }),
  };
  rows[0].wrong = {{"tril: a tensor of shape [3]", [] { zeros({3}).tril(); }},
                   {"tril: a tensor of shape []", [] { zeros({}).tril(); }}};
  rows[3].wrong = {{"triu: a tensor of shape [3]", [] { zeros({3}).triu(); }},
                   {"undefined", [] { Tensor().triu(); }}};
  return rows;
}

std::vector<OpCase> diagonal_matrices() {
  const auto matrix = [](const char* name, const Shape& from, int64_t size, int64_t row,
                         int64_t column, Call call) {
    return OpCase{.name = name,
                  .samples = {{{from}}},
                  .call = std::move(call),
                  .reference = Reference([=](const Arrays& x) {
                    return make_array({size, size}, [&](const Index& i) {
                      return i[0] - row == i[1] - column && i[0] >= row && i[1] >= column
                                 ? x[0][i[0] - row]
                                 : 0;
                    });
                  })};
  };
  std::vector<OpCase> rows = {
      matrix("diag", {3}, 3, 0, 0, [](const Tensors& x) { return x[0].diag(); }),
      matrix("diag above", {3}, 5, 0, 2, [](const Tensors& x) { return x[0].diag(2); }),
      matrix("diag below", {2}, 3, 1, 0, [](const Tensors& x) { return x[0].diag(-1); }),
      matrix("diag empty", {0}, 1, 0, 1, [](const Tensors& x) { return x[0].diag(1); }),
      moving(
          "diag of a matrix", {{{3, 4}}}, {2},
          [](const Index& i) {
            return Index{i[0] + 1, i[0]};
          },
          [](const Tensors& x) { return x[0].narrow(1, 0, 2).diag(-1); }, {}),
  };
  rows[0].wrong = {{"diag: a tensor of shape [2, 2, 2]",
                    [] {
                      zeros({2, 2, 2}).diag();
                    }},
                   {"diag: a tensor of shape []", [] { zeros({}).diag(); }}};
  return rows;
}

}  // namespace

std::vector<OpCase> shape_cases() {
  std::vector<OpCase> rows;
  for (const auto& part :
       {copies(), repeats(), moves(), borders(), triangles(), diagonal_matrices()})
    rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace levin
