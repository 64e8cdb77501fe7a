// Rows of the views, copies and joins.
#include "op_cases.h"

namespace levin {
namespace {

// The result takes its element at index i from x at from(i).
OpCase moving(const char* name, const Sample& sample, Shape result,
              std::function<Index(const Index&)> from, Call call, std::vector<WrongCall> wrong) {
  return {.name = name,
          .samples = {sample},
          .call = std::move(call),
          .reference =
              [=](const Arrays& x) {
                return make_array(result, [&](const Index& i) { return x[0].at(from(i)); });
              },
          .wrong = std::move(wrong)};
}

// The same elements in row-major order under another shape.
OpCase renamed(const char* name, const Shape& from, const Shape& to, Call call,
               std::vector<WrongCall> wrong = {}) {
  return {.name = name,
          .samples = {{{from}}},
          .call = std::move(call),
          .reference =
              [=](const Arrays& x) {
                return Array{to, x[0].numbers};
              },
          .wrong = std::move(wrong)};
}

std::vector<OpCase> reshapes() {
  std::vector<OpCase> rows = {
      renamed("view", {3, 4}, {2, 6},
              [](const Tensors& x) {
                return x[0].view({2, -1});
              },
              {{"view: a tensor of shape [3, 2] cannot be seen as [6] without a copy",
                [] {
                  zeros({2, 3}).t().view({6});
                }},
               {"view: 6 elements do not fit [4, 2]",
                [] {
                  zeros({2, 3}).view({4, 2});
                }}}),
      renamed("reshape", {3, 4}, {2, 6},
              [](const Tensors& x) {
                return x[0].reshape({2, -1});
              },
              {{"reshape: 6 elements do not fit [4, 2]",
                [] {
                  zeros({2, 3}).reshape({4, 2});
                }},
               {"only one size can be -1",
                [] {
                  zeros({2, 3}).reshape({-1, -1});
                }},
               {"reshape: 6 elements do not fit [-1, 4]",
                [] {
                  zeros({2, 3}).reshape({-1, 4});
                }},
               {"reshape: 0 elements do not fit [-1, 0]",
                [] {
                  zeros({0, 3}).reshape({-1, 0});
                }}}),
      renamed("reshape more", {4, 1, 6}, {2, 2, 3, 1, 2},
              [](const Tensors& x) {
                return x[0].reshape({2, 2, 3, 1, 2});
              }),
      renamed("reshape empty", {0, 3}, {3, 0, 2},
              [](const Tensors& x) {
                return x[0].reshape({3, 0, 2});
              }),
      renamed("reshape 0-d", {}, {1, 1},
              [](const Tensors& x) {
                return x[0].reshape({1, 1});
              }),
      renamed("reshape to 0-d", {1, 1}, {}, [](const Tensors& x) { return x[0].reshape({}); }),
      renamed("flatten", {2, 3, 4}, {24}, [](const Tensors& x) { return x[0].flatten(); },
              {{"flatten: dimension 1 comes after dimension 0",
                [] {
                  zeros({2, 3}).flatten(1, 0);
                }},
               {"flatten: dimension 2 is out of range",
                [] {
                  zeros({2, 3}).flatten(2);
                },
                Fault::index}}),
      renamed("flatten some", {2, 3, 4, 2}, {2, 12, 2},
              [](const Tensors& x) { return x[0].flatten(1, -2); }),
      renamed("flatten 0-d", {}, {1}, [](const Tensors& x) { return x[0].flatten(); }),
      renamed("squeeze", {1, 3, 1, 2, 1}, {3, 2}, [](const Tensors& x) { return x[0].squeeze(); }),
      renamed("squeeze dim", {3, 1, 2}, {3, 2}, [](const Tensors& x) { return x[0].squeeze(-2); },
              {{"squeeze: dimension 2 is out of range",
                [] {
                  zeros({2, 3}).squeeze(2);
                },
                Fault::index},
               {"undefined", [] { Tensor().squeeze(); }}}),
      renamed("squeeze other", {3, 2}, {3, 2}, [](const Tensors& x) { return x[0].squeeze(0); }),
      renamed("unsqueeze", {3, 2}, {3, 1, 2}, [](const Tensors& x) { return x[0].unsqueeze(1); },
              {{"unsqueeze: dimension 3 is out of range: expected one in [-2, 1]",
                [] { zeros({2}).unsqueeze(3); }, Fault::index},
               {"at most 8",
                [] {
                  zeros({1, 1, 1, 1, 1, 1, 1, 1}).unsqueeze(0);
                }}}),
      renamed("unsqueeze last", {3, 0}, {3, 0, 1},
              [](const Tensors& x) { return x[0].unsqueeze(-1); }),
  };
  rows[0].any_layout = false;
  return rows;
}

std::vector<OpCase> views() {
  const Call t = [](const Tensors& x) { return x[0].t(); };
  return {
      moving(
          "transpose", {{{2, 3, 4}}}, {4, 3, 2},
          [](const Index& i) {
            return Index{i[2], i[1], i[0]};
          },
          [](const Tensors& x) { return x[0].transpose(0, -1); },
          {{"transpose: dimension 2 is out of range",
            [] {
              zeros({2, 3}).transpose(0, 2);
            },
            Fault::index},
           {"undefined", [] { Tensor().transpose(0, 1); }}}),
      moving("t", {{{2, 3}}}, {3, 2},
             [](const Index& i) {
               return Index{i[1], i[0]};
             },
             t,
             {{"t: a tensor of shape [2, 2, 2]",
               [=] {
                 t.run({zeros({2, 2, 2})});
               }},
              {"undefined", [=] { t.run({Tensor()}); }}}),
      moving("t vector", {{{3}}}, {3}, [](const Index& i) { return i; }, t, {}),
      moving(
          "permute", {{{2, 3, 4}}}, {4, 2, 3},
          [](const Index& i) {
            return Index{i[1], i[2], i[0]};
          },
          [](const Tensors& x) {
            return x[0].permute({2, 0, -2});
          },
          {{"permute: [0] names 1 dimensions of a tensor of 2",
            [] {
              zeros({2, 3}).permute({0});
            }},
           {"permute: dimension 0 appears twice",
            [] {
              zeros({2, 3}).permute({0, 0});
            }}}),
      moving(
          "expand", {{{3, 1}}}, {2, 3, 4},
          [](const Index& i) {
            return Index{i[1], 0};
          },
          [](const Tensors& x) {
            return x[0].expand({2, -1, 4});
          },
          {{"expand: [2, 3] to [4, 3]: only sizes of 1 can be repeated",
            [] {
              zeros({2, 3}).expand({4, 3});
            }},
           {"expand: [3] to [-1, 3]",
            [] {
              zeros({3}).expand({-1, 3});
            }},
           {"dimensions cannot be dropped",
            [] {
              zeros({2, 3}).expand({3});
            }}}),
      moving(
          "slice", {{{2, 7}}}, {2, 3},
          [](const Index& i) {
            return Index{i[0], 1 + 2 * i[1]};
          },
          [](const Tensors& x) { return x[0].slice(1, 1, 6, 2); },
          {{"slice: step 0", [] { zeros({3}).slice(0, 0, 2, 0); }},
           {"slice: step -1", [] { zeros({3}).slice(0, 0, 2, -1); }},
           {"slice: a 0-d tensor", [] { zeros({}).slice(0, 0, 1); }}}),
      moving(
          "slice from the end", {{{5, 2}}}, {3, 2},
          [](const Index& i) {
            return Index{2 + i[0], i[1]};
          },
          [](const Tensors& x) { return x[0].slice(0, -3, 99); }, {}),
      moving(
          "slice nothing", {{{5}}}, {0}, [](const Index& i) { return i; },
          [](const Tensors& x) { return x[0].slice(0, 4, 2); }, {}),
      moving(
          "narrow", {{{2, 5}}}, {2, 2},
          [](const Index& i) {
            return Index{i[0], 2 + i[1]};
          },
          [](const Tensors& x) { return x[0].narrow(1, -3, 2); },
          {{"narrow: start 3 and length 3 reach out of dimension 0 of [5]",
            [] { zeros({5}).narrow(0, 3, 3); }, Fault::index},
           {"narrow: start 0 and length -1", [] { zeros({5}).narrow(0, 0, -1); }, Fault::index}}),
      moving(
          "select", {{{2, 3, 4}}}, {2, 4},
          [](const Index& i) {
            return Index{i[0], 1, i[1]};
          },
          [](const Tensors& x) { return x[0].select(1, -2); },
          {{"select: index 2 is out of range for dimension 0 of [2, 3]",
            [] {
              zeros({2, 3}).select(0, 2);
            },
            Fault::index},
           {"select: index 2 is out of range",
            [] {
              zeros({2, 3})[2];
            },
            Fault::index},
           {"select: a 0-d tensor", [] { zeros({})[0]; }}}),
      moving(
          "select operator", {{{3}}}, {}, [](const Index&) { return Index{2}; },
          [](const Tensors& x) { return x[0][2]; }, {}),
  };
}

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
                       const Tensor x = ones({2, 2}).requires_grad_() * 1, view = x.t();
                       x.add_(x);
                       call.run({view});
                     },
                     Fault::order};
  };
  rows[0].wrong.push_back(stale(rows[0].call));
  rows[1].wrong.push_back(stale(rows[1].call));
  rows[2].wrong.push_back({"cuda", [] { ones({2}).to(Device{Device::cuda, 0}); }, Fault::world});
  return rows;
}

Array joined(const Arrays& x, int dim) {
  Shape shape = x[0].shape;
  for (std::size_t k = 1; k < x.size(); ++k) shape[dim] += x[k].shape[dim];
  return make_array(shape, [&](Index i) {
    std::size_t part = 0;
    while (i[dim] >= x[part].shape[dim]) i[dim] -= x[part++].shape[dim];
    return x[part].at(i);
  });
}

std::vector<OpCase> joins() {
  const auto raised = [](const Array& x, int dim) {
    Shape shape;
    for (int d = 0; d <= x.shape.size(); ++d) {
      if (d == dim) shape.push_back(1);
      if (d < x.shape.size()) shape.push_back(x.shape[d]);
    }
    return Array{shape, x.numbers};
  };
  return {
      {.name = "cat",
       .samples = {{{{2, 3}}, {{1, 3}}, {{4, 3}}}, {{{2, 3}}, {{0, 3}}}, {{{0}}, {{0}}}, {{{3}}}},
       .call = [](const Tensors& x) { return cat(x); },
       .reference = [](const Arrays& x) { return joined(x, 0); },
       .wrong = {{"cat: an empty list", [] { cat({}); }},
                 {"cat: [2, 3] and [2, 4]",
                  [] {
                    cat({zeros({2, 3}), zeros({2, 4})});
                  }},
                 {"cat: [2, 3] and [2]",
                  [] {
                    cat({zeros({2, 3}), zeros({2})});
                  }},
                 {"cat: 0-d tensors",
                  [] {
                    cat({zeros({}), zeros({})});
                  }}},
       .large = {{{131, 333}}, {{97, 333}}}},
      {.name = "cat last",
       .samples = {{{{2, 1, 3}}, {{2, 1, 2}}}, {{{2, 1}}, {{2, 1}}, {{2, 1}}, {{2, 2}}, {{2, 1}}}},
       .call = [](const Tensors& x) { return cat(x, -1); },
       .reference = [](const Arrays& x) { return joined(x, x[0].shape.size() - 1); }},
      {.name = "stack",
       .samples = {{{{2, 3}}, {{2, 3}}}, {{{}}, {{}}, {{}}}, {{{0}}, {{0}}}},
       .call = [](const Tensors& x) { return stack(x); },
       .reference =
           [=](const Arrays& x) {
             Arrays parts;
             for (const Array& one : x) parts.push_back(raised(one, 0));
             return joined(parts, 0);
           },
       .wrong = {{"stack: an empty list", [] { stack({}); }},
                 {"stack: [2] and [3]",
                  [] {
                    stack({zeros({2}), zeros({3})});
                  }}}},
      {.name = "stack last",
       .samples = {{{{2, 3}}, {{2, 3}}}},
       .call = [](const Tensors& x) { return stack(x, -1); },
       .reference =
           [=](const Arrays& x) {
             return joined({raised(x[0], 2), raised(x[1], 2)}, 2);
           }},
  };
}

}  // namespace

std::vector<OpCase> shape_cases() {
  std::vector<OpCase> rows;
  for (const auto& part : {reshapes(), views(), copies(), joins()})
    rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace levin
