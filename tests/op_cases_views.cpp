// Rows of the views.
#include <algorithm>

#include "op_cases_moving.h"

namespace levin {
namespace {

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
      renamed("squeeze several", {1, 3, 1, 2, 1}, {3, 1, 2},
              [](const Tensors& x) {
                return x[0].squeeze({0, 3, -1});
              },
              {{"squeeze: dimension -1 appears twice",
                [] {
                  zeros({1, 2, 1}).squeeze({2, -1});
                }}}),
      renamed("squeeze none", {1, 3}, {1, 3}, [](const Tensors& x) { return x[0].squeeze({}); }),
      renamed("squeeze 0-d", {}, {}, [](const Tensors& x) { return x[0].squeeze(-1); }),
      renamed("unflatten", {2, 6, 2}, {2, 3, 2, 2},
              [](const Tensors& x) {
                return x[0].unflatten(-2, {3, -1});
              },
              {{"unflatten: 6 elements do not fit [4, 2]",
                [] {
                  zeros({6}).unflatten(0, {4, 2});
                }},
               {"unflatten: no sizes for dimension 0", [] { zeros({6}).unflatten(0, {}); }},
               {"unflatten: a 0-d tensor", [] { zeros({}).unflatten(0, {1}); }},
               {"unflatten: dimension 1 is out of range",
                [] {
                  zeros({6}).unflatten(1, {3, 2});
                },
                Fault::index}}),
      renamed("unflatten empty", {0, 3}, {0, 2, 3},
              [](const Tensors& x) {
                return x[0].unflatten(0, {-1, 2});
              }),
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
          "movedim", {{{2, 3, 4}}}, {4, 3, 2},
          [](const Index& i) {
            return Index{i[2], i[1], i[0]};
          },
          [](const Tensors& x) {
            return x[0].movedim({0, 1}, {-1, 1});
          },
          {{"movedim: [0, 1] to [0]: as many places",
            [] {
              zeros({2, 3}).movedim({0, 1}, 0);
            }},
           {"movedim: dimension -1 appears twice in [1, -1]",
            [] {
              zeros({2, 3}).movedim({0, 1}, {1, -1});
            }},
           {"movedim: dimension 0 appears twice",
            [] {
              zeros({2, 3}).movedim({0, 0}, {0, 1});
            }},
           {"movedim: dimension 2 is out of range",
            [] {
              zeros({2, 3}).movedim(2, 0);
            },
            Fault::index}}),
      moving(
          "movedim one", {{{2, 3, 4, 2}}}, {3, 4, 2, 2},
          [](const Index& i) {
            return Index{i[2], i[0], i[1], i[3]};
          },
          [](const Tensors& x) { return x[0].movedim(0, 2); }, {}),
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

// The elements whose indices along the dimensions a < b differ by `offset`.
OpCase diagonal(const char* name, const Shape& shape, int a, int b, int64_t offset, Call call) {
  OpCase row{.name = name,
             .samples = {{{shape}}},
             .call = std::move(call),
             .reference = Reference([=](const Arrays& x) {
               Shape result;
               for (int d = 0; d < shape.size(); ++d)
                 if (d != a && d != b) result.push_back(shape[d]);
               const int64_t row = std::max<int64_t>(-offset, 0),
                             column = std::max<int64_t>(offset, 0);
               result.push_back(std::max<int64_t>(0, std::min(shape[a] - row, shape[b] - column)));
               return make_array(result, [&](const Index& i) {
                 Index from(i.begin(), i.end() - 1);
                 from.insert(from.begin() + a, i.back() + row);
                 from.insert(from.begin() + b, i.back() + column);
                 return x[0].at(from);
               });
             })};
  return row;
}

std::vector<OpCase> diagonals() {
  std::vector<OpCase> rows = {
      diagonal("diagonal", {3, 4}, 0, 1, 0, [](const Tensors& x) { return x[0].diagonal(); }),
      diagonal("diagonal above", {3, 4, 2}, 0, 1, 2,
               [](const Tensors& x) { return x[0].diagonal(2); }),
      diagonal("diagonal below", {2, 4, 3}, 1, 2, -1,
               [](const Tensors& x) { return x[0].diagonal(-1, 1, -1); }),
      diagonal("diagonal turned", {3, 2, 4}, 0, 2, 1,
               [](const Tensors& x) { return x[0].diagonal(-1, 2, 0); }),
      diagonal("diagonal outside", {3, 4}, 0, 1, 4,
               [](const Tensors& x) { return x[0].diagonal(4); }),
      diagonal("diagonal far outside", {3, 4}, 0, 1, -9,
               [](const Tensors& x) { return x[0].diagonal(-9); }),
      diagonal("diagonal empty", {0, 3}, 0, 1, 0, [](const Tensors& x) { return x[0].diagonal(); }),
  };
  rows[0].wrong = {
      {"diagonal: dimensions 0 and -2 of [2, 3]: two different ones",
       [] {
         zeros({2, 3}).diagonal(0, 0, -2);
       }},
      {"diagonal: dimension 1 is out of range", [] { zeros({3}).diagonal(); }, Fault::index}};
  return rows;
}

}  // namespace

std::vector<OpCase> view_cases() {
  std::vector<OpCase> rows;
  for (const auto& part : {reshapes(), views(), diagonals()})
    rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace levin
