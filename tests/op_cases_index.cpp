// Rows of indexing by tensors.
#include "op_cases.h"

namespace levin {
namespace {

Tensor indices(std::vector<int64_t> numbers) { return from_vector(numbers); }

Array gathered(const Array& x, const Array& index, int dim) {
  return make_array(index.shape, [&](const Index& i) {
    Index from = i;
    if (!from.empty()) from[dim] = static_cast<int64_t>(index.at(i));
    return x.at(from);
  });
}

}  // namespace

std::vector<OpCase> index_cases() {
  const Call gather_0 = [](const Tensors& x) { return x[0].gather(0, x[1]); };
  const Call gather_1 = [](const Tensors& x) { return gather(x[0], 1, x[1]); };
  const Call select_1 = [](const Tensors& x) { return x[0].index_select(-1, x[1]); };
  return {
      {.name = "gather",
       .samples = {{{{3, 4}}, index_input({5, 2}, 0, 2)},
                   {{{3}}, index_input({4}, 0, 2)},
                   {{{}}, index_input({}, 0, 0)},
                   {{{3, 2}}, index_input({0, 2}, 0, 0)},
                   {{{2, 2, 2}}, index_input({3, 1, 2}, 0, 1)}},
       .call = gather_0,
       .reference = [](const Arrays& x) { return gathered(x[0], x[1], 0); },
       .wrong = {{"gather: index [1] into [3] along dimension 0 has an index out of range",
                  [=] {
                    gather_0.run({zeros({3}), indices({3})});
                  },
                  Fault::index},
                 {"gather: index [1] into [3] along dimension 0 has an index out of range",
                  [=] {
                    gather_0.run({zeros({3}), indices({-1})});
                  },
                  Fault::index},
                 {"gather: a float32 index",
                  [=] {
                    gather_0.run({zeros({2}), zeros({1})});
                  }},
                 {"gather: index [1] into [2, 3]",
                  [=] {
                    gather_1.run({zeros({2, 3}), indices({0})});
                  }}}},
      {.name = "gather dim 1",
       .samples = {{{{3, 4}}, index_input({2, 6}, 0, 3)}},
       .call = gather_1,
       .reference = [](const Arrays& x) { return gathered(x[0], x[1], 1); },
       .large = {{{200, 211}}, index_input({200, 180}, 0, 210)}},
      {.name = "index_select",
       .samples = {{{{3, 4}}, index_input({5}, 0, 3)},
                   {{{3}}, index_input({0}, 0, 0)},
                   {{{2, 3, 2}}, index_input({3}, 0, 1)},
                   {{{0, 2}}, index_input({3}, 0, 1)}},
       .call = select_1,
       .reference =
           [](const Arrays& x) {
             Shape shape = x[0].shape;
             shape[shape.size() - 1] = x[1].size(0);
             return make_array(shape, [&](Index i) {
               i.back() = static_cast<int64_t>(x[1][i.back()]);
               return x[0].at(i);
             });
           },
       .wrong = {{"index_select: index [1] into [3] along dimension 0 has an index out of range",
                  [=] {
                    select_1.run({zeros({3}), indices({3})});
                  },
                  Fault::index},
                 {"index_select: index [1] into [3] along dimension 0 has an index out of range",
                  [=] {
                    select_1.run({zeros({3}), indices({-1})});
                  },
                  Fault::index},
                 {"index_select: a int64 index of shape [1, 1]",
                  [=] {
                    select_1.run({zeros({3}), zeros({1, 1}, kInt64)});
                  }},
                 {"index_select: a 0-d tensor",
                  [=] {
                    select_1.run({zeros({}), indices({0})});
                  }}},
       .large = {{{200, 211}}, index_input({180}, 0, 210)}},
      {.name = "index_select first",
       .samples = {{{{3, 2, 2}}, index_input({4}, 0, 2)}},
       .call = [](const Tensors& x) { return x[0].index_select(0, x[1]); },
       .reference =
           [](const Arrays& x) {
             return make_array({x[1].size(0), x[0].size(1), x[0].size(2)}, [&](const Index& i) {
               return x[0].at({static_cast<int64_t>(x[1][i[0]]), i[1], i[2]});
             });
           }},
      {.name = "one_hot",
       .samples = {{index_input({3, 2}, 0, 4)}, {index_input({}, 0, 4)}, {index_input({0}, 0, 4)}},
       .call = [](const Tensors& x) { return one_hot(x[0], 5); },
       .reference =
           [](const Arrays& x) {
             Shape shape = x[0].shape;
             shape.push_back(5);
             return make_array(shape, [&](Index i) {
               const auto at = static_cast<double>(i.back());
               i.pop_back();
               return double(x[0].at(i) == at);
             });
           },
       .wrong = {{"one_hot: indices of shape [1] must lie in [0, 3)",
                  [] { one_hot(indices({3}), 3); }, Fault::index},
                 {"one_hot: indices of shape [1] must lie in [0, 3)",
                  [] { one_hot(indices({-1}), 3); }, Fault::index},
                 {"one_hot: 0 classes", [] { one_hot(indices({-1})); }},
                 {"one_hot: a float32 index", [] { one_hot(zeros({2})); }}},
       .result = Result::integer,
       .differentiable = false},
      {.name = "one_hot classes from the indices",
       .samples = {{index_input({1}, 3, 3)}},
       .call = [](const Tensors& x) { return one_hot(x[0]); },
       .reference =
           [](const Arrays&) {
             return Array{{1, 4}, {0, 0, 0, 1}};
           },
       .result = Result::integer,
       .differentiable = false},
  };
}

}  // namespace levin
