// Rows of indexing by int64 positions along one dimension.
#include <list>

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

// A table's rows at the numbers of an index of any shape.
Array rows_of(const Array& table, const Array& index) {
  Shape shape = index.shape;
  shape.push_back(table.size(1));
  return make_array(shape, [&](Index i) {
    const int64_t column = i.back();
    i.pop_back();
    return table.at({static_cast<int64_t>(index.at(i)), column});
  });
}

// x[0] with the numbers of x[2] combined with those at the positions x[1].
Array scattered(const Arrays& x, int dim, double (*combine)(double, double)) {
  Array result = x[0];
  for_each_index(x[1].shape, [&](const Index& i) {
    Index to = i;
    if (!to.empty()) to[dim] = static_cast<int64_t>(x[1].at(i));
    int64_t at = 0;
    for (std::size_t d = 0; d < to.size(); ++d) at = at * x[0].shape[d] + to[d];
    result.numbers[at] = combine(result.numbers[at], x[2].at(i));
  });
  return result;
}

std::vector<WrongCall> wrong_scatters(const std::string& name, const Call& call) {
  static std::list<std::string> texts;  // what WrongCall points to
  const auto words = [&](const char* rest) {
    return texts.emplace_back(name + ": " + rest).c_str();
  };
  return {{words("index 2 is out of range for dimension 0 of size 2"),
           [=] {
             call.run({zeros({2}), indices({2}), ones({1})});
           },
           Fault::index},
          {words("index -1 is out of range for dimension 0 of size 2"),
           [=] {
             call.run({zeros({2}), indices({-1}), ones({1})});
           },
           Fault::index},
          {words("a float32 index"),
           [=] {
             call.run({zeros({2}), zeros({1}), ones({1})});
           }},
          {words("index [2] of a source [1]"),
           [=] {
             call.run({zeros({2}), indices({0, 1}), ones({1})});
           }},
          {words("index [1, 3] into [2, 2]"),
           [=] {
             call.run({zeros({2, 2}), zeros({1, 3}, kInt64), ones({1, 3})});
           }},
          {words("a float64 source for a float32 tensor"), [=] {
             call.run({zeros({2}), indices({0}), ones({1}, kFloat64)});
           }}};
}

std::vector<OpCase> reading() {
  const Call along_1 = [](const Tensors& x) { return x[0].take_along_dim(x[1], 1); };
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
       .wrong = {{"gather: index 3 is out of range for dimension 0 of size 3",
                  [=] {
                    gather_0.run({zeros({3}), indices({3})});
                  },
                  Fault::index},
                 {"gather: index -1 is out of range for dimension 0 of size 3",
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
       .wrong = {{"index_select: index 3 is out of range for dimension 0 of size 3",
                  [=] {
                    select_1.run({zeros({3}), indices({3})});
                  },
                  Fault::index},
                 {"index_select: index -1 is out of range for dimension 0 of size 3",
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
       .samples = {{{{3, 2, 2}}, index_input({4}, 0, 2)}, {{{1, 2, 2}}, index_input({2}, 0, 0)}},
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
       .wrong = {{"one_hot: index 3 is out of range for dimension 1 of size 3",
                  [] { one_hot(indices({3}), 3); }, Fault::index},
                 {"one_hot: index -1 is out of range for dimension 1 of size 3",
                  [] { one_hot(indices({-1}), 3); }, Fault::index},
                 {"one_hot: 0 classes", [] { one_hot(indices({-1})); }},
                 {"one_hot: an empty index", [] { one_hot(indices({})); }},
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
      {.name = "take_along_dim",
       .samples = {{{{3, 4}}, index_input({3, 2}, 0, 3)},
                   {{{3, 4}}, index_input({1, 2}, 0, 3)},
                   {{{1, 4}}, index_input({3, 2}, 0, 3)},
                   {{{2, 3}}, index_input({2, 0}, 0, 0)}},
       .call = along_1,
       .reference =
           [](const Arrays& x) {
             const Shape shape{std::max(x[0].size(0), x[1].size(0)), x[1].size(1)};
             return make_array(shape, [&](const Index& i) {
               return x[0].broadcast_at(
                   {i[0], static_cast<int64_t>(x[1].broadcast_at({i[0], i[1]}))});
             });
           },
       .wrong = {{"take_along_dim: index [3, 2] into [2, 2]",
                  [=] {
                    along_1.run({zeros({2, 2}), zeros({3, 2}, kInt64)});
                  }},
                 {"take_along_dim: index [2] into [2, 2]",
                  [=] {
                    along_1.run({zeros({2, 2}), zeros({2}, kInt64)});
                  }},
                 {"take_along_dim: a float32 index",
                  [=] {
                    along_1.run({zeros({2, 2}), zeros({2, 2})});
                  }},
                 {"gather: index 2 is out of range for dimension 1 of size 2",
                  [=] {
                    along_1.run({zeros({2, 2}), full({2, 2}, 2)});
                  },
                  Fault::index}}},
      {.name = "take_along_dim of all",
       .samples = {{{{3, 4}}, index_input({2, 3}, 0, 11)}},
       .call = [](const Tensors& x) { return x[0].take_along_dim(x[1]); },
       .reference =
           [](const Arrays& x) {
             return make_array(
                 {6}, [&](const Index& i) { return x[0][static_cast<int64_t>(x[1][i[0]])]; });
           }},
      {.name = "embedding",
       .samples = {{index_input({3, 2}, 0, 4), {{5, 3}}},
                   {index_input({}, 0, 4), {{5, 3}}},
                   {index_input({0}, 0, 0), {{5, 3}}}},
       .call = [](const Tensors& x) { return embedding(x[0], x[1]); },
       .reference = [](const Arrays& x) { return rows_of(x[1], x[0]); },
       .wrong = {{"embedding: index 5 is out of range for dimension 0 of size 5",
                  [] {
                    embedding(indices({5}), zeros({5, 2}));
                  },
                  Fault::index},
                 {"embedding: a float32 index",
                  [] {
                    embedding(zeros({1}), zeros({5, 2}));
                  }},
                 {"embedding: a weight of shape [5]", [] { embedding(indices({0}), zeros({5})); }},
                 {"embedding: padding_idx 5 is not a row",
                  [] {
                    embedding(indices({0}), zeros({5, 2}), 5);
                  }}},
       .large = {index_input({300}, 0, 99), {{100, 200}}}},
  };
}

// Positions that come twice, in all of these.
std::vector<OpCase> writing() {
  const Call scatter_0 = [](const Tensors& x) { return x[0].scatter(0, x[1], x[2]); };
  const Call scatter_in_place = [](const Tensors& x) { return x[0].scatter_(0, x[1], x[2]); };
  const Call add_0 = [](const Tensors& x) { return x[0].scatter_add(0, x[1], x[2]); };
  const Call add_in_place = [](const Tensors& x) { return x[0].scatter_add_(0, x[1], x[2]); };
  const std::vector<Sample> samples = {{{{3, 4}}, index_input({5, 2}, 0, 2), {{5, 2}}},
                                       {{{3, 4}}, index_input({2, 2}, 0, 2), {{3, 4}}},
                                       {{{3}}, index_input({4}, 0, 2), {{4}}},
                                       {{{}}, index_input({}, 0, 0), {{}}},
                                       {{{3, 2}}, index_input({0, 2}, 0, 0), {{2, 2}}},
                                       {{{2, 2, 3}}, index_input({3, 1, 2}, 0, 1), {{3, 2, 2}}}};
  const Sample large = {{{200, 211}}, index_input({150, 211}, 0, 199), {{150, 211}}};
  const auto put = [](double, double value) { return value; };
  const auto add = [](double old, double value) { return old + value; };
  return {
      {.name = "scatter",
       .samples = samples,
       .call = scatter_0,
       .reference = [=](const Arrays& x) { return scattered(x, 0, put); },
       .wrong = wrong_scatters("scatter", scatter_0),
       .large = large},
      {.name = "scatter_",
       .samples = samples,
       .call = scatter_in_place,
       .reference = [=](const Arrays& x) { return scattered(x, 0, put); },
       .wrong = wrong_scatters("scatter_", scatter_in_place),
       .large = large,
       .in_place = true},
      {.name = "scatter_add",
       .samples = samples,
       .call = add_0,
       .reference = [=](const Arrays& x) { return scattered(x, 0, add); },
       .wrong = wrong_scatters("scatter_add", add_0),
       .large = large},
      {.name = "scatter_add_",
       .samples = samples,
       .call = add_in_place,
       .reference = [=](const Arrays& x) { return scattered(x, 0, add); },
       .wrong = wrong_scatters("scatter_add_", add_in_place),
       .large = large,
       .in_place = true},
      {.name = "scatter_add dim 1",
       .samples = {{{{3, 4}}, index_input({2, 6}, 0, 3), {{2, 6}}}},
       .call = [](const Tensors& x) { return x[0].scatter_add(-1, x[1], x[2]); },
       .reference = [=](const Arrays& x) { return scattered(x, 1, add); },
       .large = {{{200, 30}}, index_input({200, 180}, 0, 29), {{200, 180}}}},
      {.name = "scatter number",
       .samples = {{{{3, 4}}, index_input({3, 2}, 0, 3)}},
       .call = [](const Tensors& x) { return x[0].scatter(1, x[1], 3); },
       .reference =
           [=](const Arrays& x) {
             return scattered({x[0], x[1], map(x[1], [](double) { return 3.0; })}, 1, put);
           }},
      {.name = "scatter_ number",
       .samples = {{{{3, 4}}, index_input({3, 2}, 0, 3)}},
       .call = [](const Tensors& x) { return x[0].scatter_(1, x[1], 3); },
       .reference =
           [=](const Arrays& x) {
             return scattered({x[0], x[1], map(x[1], [](double) { return 3.0; })}, 1, put);
           },
       .in_place = true},
  };
}

}  // namespace

std::vector<OpCase> index_cases() {
  std::vector<OpCase> rows = reading();
  for (OpCase& row : writing()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace levin
