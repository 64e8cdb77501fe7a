// Rows of what stands between brackets, for reading and for writing.
#include <list>

#include "op_cases.h"

namespace levin {
namespace {

// A way to index: what it picks of x, element by element.
struct Picked {
  const char* name;
  Shape x;
  Sample index = {};
  Shape values;                                            ///< to be written there
  std::function<Indices(const Tensors&)> indices;          ///< from x and the index tensors
  std::function<Shape(const Arrays&)> shape;               ///< of the result
  std::function<Index(const Arrays&, const Index&)> from;  ///< where in x a result's element lies
  Sample large = {};                                       ///< x, index, values
};

int64_t whole(double number) { return static_cast<int64_t>(number); }

// An index counted from the front.
int64_t wrapped(double index, int64_t size) { return whole(index) + (index < 0 ? size : 0); }

int64_t trues(const Array& mask) { return static_cast<int64_t>(true_indices(mask).size()); }

Shape fixed(std::initializer_list<int64_t> sizes) { return sizes; }

std::vector<Picked> basic() {
  return {
      {.name = "basic",
       .x = {6, 3, 2},
       .values = {2, 1},
       .indices =
           [](const Tensors&) {
             return Indices{Slice(1, -1, 2), 0, Ellipsis, None};
           },
       .shape =
           [](const Arrays&) {
             return fixed({2, 2, 1});
           },
       .from =
           [](const Arrays&, const Index& i) {
             return Index{2 * i[0] + 1, 0, i[1]};
           }},
      {.name = "from the end",
       .x = {4, 3},
       .values = {2},
       .indices =
           [](const Tensors&) {
             return Indices{None, Ellipsis, Slice(None, -2), -1};
           },
       .shape =
           [](const Arrays&) {
             return fixed({1, 2});
           },
       .from =
           [](const Arrays&, const Index& i) {
             return Index{i[1], 2};
           }},
      {.name = "empty slice",
       .x = {3, 4},
       .values = {4},
       .indices = [](const Tensors&) { return Slice(7, 2); },
       .shape =
           [](const Arrays&) {
             return fixed({0, 4});
           },
       .from = [](const Arrays&, const Index& i) { return i; }},
      {.name = "nothing",
       .x = {3, 2},
       .values = {},
       .indices = [](const Tensors&) { return Indices{}; },
       .shape =
           [](const Arrays&) {
             return fixed({3, 2});
           },
       .from = [](const Arrays&, const Index& i) { return i; }},
  };
}

std::vector<Picked> by_one_tensor() {
  return {
      {.name = "tensor",
       .x = {5, 3},
       .index = {index_input({2, 3}, -5, 4)},
       .values = {2, 3, 3},
       .indices = [](const Tensors& x) { return x[1]; },
       .shape =
           [](const Arrays& x) {
             return fixed({x[1].size(0), x[1].size(1), x[0].size(1)});
           },
       .from =
           [](const Arrays& x, const Index& i) {
             return Index{wrapped(x[1].at({i[0], i[1]}), x[0].size(0)), i[2]};
           },
       .large = {{{90, 200}}, index_input({40, 5}, -90, 89), {{40, 5, 200}}}},
      {.name = "tensor after an integer",
       .x = {2, 3, 2},
       .index = {index_input({4}, -3, 2)},
       .values = {2},
       .indices =
           [](const Tensors& x) {
             return Indices{1, x[1]};
           },
       .shape =
           [](const Arrays&) {
             return fixed({4, 2});
           },
       .from =
           [](const Arrays& x, const Index& i) {
             return Index{1, wrapped(x[1][i[0]], 3), i[1]};
           }},
      {.name = "0-d tensor",
       .x = {3, 2},
       .index = {index_input({}, -3, 2)},
       .values = {2},
       .indices = [](const Tensors& x) { return x[1]; },
       .shape = [](const Arrays&) { return fixed({2}); },
       .from =
           [](const Arrays& x, const Index& i) {
             return Index{wrapped(x[1][0], 3), i[0]};
           }},
      {.name = "empty tensor",
       .x = {0, 2},
       .index = {index_input({0}, 0, 0)},
       .values = {2},
       .indices = [](const Tensors& x) { return x[1]; },
       .shape =
           [](const Arrays&) {
             return fixed({0, 2});
           },
       .from = [](const Arrays&, const Index& i) { return i; }},
  };
}

std::vector<Picked> by_tensors() {
  return {
      {.name = "tensors side by side",
       .x = {2, 3, 4, 2},
       .index = {index_input({2, 1}, -3, 2), index_input({3}, -4, 3)},
       .values = {2, 3, 2},
       .indices =
           [](const Tensors& x) {
             return Indices{Slice(), x[1], x[2]};
           },
       .shape =
           [](const Arrays&) {
             return fixed({2, 2, 3, 2});
           },
       .from =
           [](const Arrays& x, const Index& i) {
             return Index{i[0], wrapped(x[1][i[1]], 3), wrapped(x[2][i[2]], 4), i[3]};
           }},
      {.name = "tensors apart",
       .x = {2, 3, 4},
       .index = {index_input({3}, -2, 1), index_input({3}, -4, 3)},
       .values = {3, 3},
       .indices =
           [](const Tensors& x) {
             return Indices{x[1], Slice(), x[2]};
           },
       .shape =
           [](const Arrays&) {
             return fixed({3, 3});
           },
       .from =
           [](const Arrays& x, const Index& i) {
             return Index{wrapped(x[1][i[0]], 2), i[1], wrapped(x[2][i[0]], 4)};
           }},
      {.name = "tensors around None",
       .x = {2, 3},
       .index = {index_input({4}, -2, 1), index_input({4}, -3, 2)},
       .values = {},
       .indices =
           [](const Tensors& x) {
             return Indices{x[1], None, x[2]};
           },
       .shape =
           [](const Arrays&) {
             return fixed({4, 1});
           },
       .from =
           [](const Arrays& x, const Index& i) {
             return Index{wrapped(x[1][i[0]], 2), wrapped(x[2][i[0]], 3)};
           }},
      {.name = "0-d tensor and tensor",
       .x = {2, 3, 4},
       .index = {index_input({}, -2, 1), index_input({3}, -4, 3)},
       .values = {3, 3},
       .indices =
           [](const Tensors& x) {
             return Indices{x[1], Slice(), x[2]};
           },
       .shape =
           [](const Arrays&) {
             return fixed({3, 3});
           },
       .from =
           [](const Arrays& x, const Index& i) {
             return Index{wrapped(x[1][0], 2), i[0], wrapped(x[2][i[1]], 4)};
           }},
  };
}

std::vector<Picked> by_masks() {
  return {
      {.name = "mask",
       .x = {3, 4},
       .index = {mask_input({3, 4})},
       .values = {1},
       .indices = [](const Tensors& x) { return x[1]; },
       .shape = [](const Arrays& x) { return fixed({trues(x[1])}); },
       .from = [](const Arrays& x, const Index& i) { return true_indices(x[1])[i[0]]; }},
      {.name = "mask of inner dimensions",
       .x = {2, 3, 2, 2},
       .index = {mask_input({3, 2})},
       .values = {2},
       .indices =
           [](const Tensors& x) {
             return Indices{Slice(None, None, 2), x[1]};
           },
       .shape =
           [](const Arrays& x) {
             return fixed({1, trues(x[1]), 2});
           },
       .from =
           [](const Arrays& x, const Index& i) {
             const Index at = true_indices(x[1])[i[1]];
             return Index{2 * i[0], at[0], at[1], i[2]};
           }},
      {.name = "mask and tensor",
       .x = {4, 2, 3},
       .index = {mask_input({4}), index_input({1}, -3, 2)},
       .values = {1},
       .indices =
           [](const Tensors& x) {
             return Indices{x[1], Ellipsis, x[2]};
           },
       .shape =
           [](const Arrays& x) {
             return fixed({trues(x[1]), 2});
           },
       .from =
           [](const Arrays& x, const Index& i) {
             return Index{true_indices(x[1])[i[0]][0], i[1], wrapped(x[2][0], 3)};
           }},
      {.name = "0-d mask",
       .x = {3, 2},
       .index = {mask_input({})},
       .values = {2},
       .indices = [](const Tensors& x) { return x[1]; },
       .shape =
           [](const Arrays& x) {
             return fixed({trues(x[1]), 3, 2});
           },
       .from =
           [](const Arrays&, const Index& i) {
             return Index{i[1], i[2]};
           }},
  };
}

std::vector<Picked> all_picked() {
  std::vector<Picked> all = basic();
  for (const auto& part : {by_one_tensor(), by_tensors(), by_masks()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

// x[0] with x.back() put to, or added at, what is picked.
Array written(const Picked& picked, const Arrays& x, bool accumulate) {
  Array result = x[0];
  for_each_index(picked.shape(x), [&](const Index& i) {
    const Index to = picked.from(x, i);
    int64_t at = 0;
    for (std::size_t d = 0; d < to.size(); ++d) at = at * x[0].shape[d] + to[d];
    const double value = x.back().broadcast_at(i);
    result.numbers[at] = accumulate ? result.numbers[at] + value : value;
  });
  return result;
}

OpCase reading_row(const Picked& picked) {
  Sample sample = picked.index;
  sample.insert(sample.begin(), Input{picked.x});
  Sample large = picked.large;
  if (!large.empty()) large.pop_back();
  return {.name = std::string("brackets ") + picked.name,
          .samples = {sample},
          .call = [=](const Tensors& x) { return x[0][picked.indices(x)]; },
          .reference =
              [=](const Arrays& x) {
                return make_array(picked.shape(x),
                                  [&](const Index& i) { return x[0].at(picked.from(x, i)); });
              },
          .large = large};
}

OpCase writing_row(const Picked& picked, bool in_place, bool accumulate) {
  Sample sample = picked.index;
  sample.insert(sample.begin(), Input{picked.x});
  sample.push_back({picked.values});
  Call call = [=](const Tensors& x) {
    return x[0].index_put(picked.indices(x), x.back(), accumulate);
  };
  if (in_place)
    call = [=](const Tensors& x) {
      return x[0].index_put_(picked.indices(x), x.back(), accumulate);
    };
  return {.name = std::string(in_place ? "index_put_ " : "index_put ") + picked.name +
                  (accumulate ? " accumulate" : ""),
          .samples = {sample},
          .call = call,
          .reference = [=](const Arrays& x) { return written(picked, x, accumulate); },
          .large = picked.large,
          .in_place = in_place};
}

std::vector<WrongCall> wrong_indices(const std::string& name,
                                     const std::function<void(const Tensor&, Indices)>& call) {
  static std::list<std::string> texts;  // what WrongCall points to
  std::vector<WrongCall> wrong;
  const auto add = [&](const char* rest, const Tensor& x, const Indices& indices,
                       Fault fault = Fault::argument) {
    wrong.push_back(
        {texts.emplace_back(name + ": " + rest).c_str(), [=] { call(x, indices); }, fault});
  };
  const Tensor x = zeros({2, 3}), numbers = from_vector(std::vector<int64_t>{0, 3});
  add("indices of 3 dimensions into a tensor of shape [2, 3]", x, {0, 0, 0});
  add("2 times Ellipsis", x, {Ellipsis, Ellipsis});
  add("index 3 is out of range for dimension 1 of size 3", x, {0, 3}, Fault::index);
  add("index -3 is out of range for dimension 0 of size 2", x, {-3}, Fault::index);
  add("index 3 is out of range for dimension 1 of size 3", x, {0, numbers}, Fault::index);
  add("index -5 is out of range for dimension 1 of size 3", x, {Slice(), numbers - 5},
      Fault::index);
  add("index 3 is out of range for dimension 0 of size 2", x, {numbers, numbers - 1}, Fault::index);
  add("index 0 is out of range for dimension 0 of size 0", zeros({0}), numbers, Fault::index);
  add("a slice with step -1", x, Slice(None, None, -1));
  add("a float32 index", x, zeros({2}));
  add("a mask of shape [2] for dimension 1", x, {0, zeros({2}, kBool)});
  add("index tensors of shapes [2] and [3]", x, {zeros({2}, kInt64), zeros({3}, kInt64)});
  return wrong;
}

}  // namespace

std::vector<OpCase> indices_cases() {
  std::vector<OpCase> rows;
  for (const Picked& picked : all_picked()) {
    rows.push_back(reading_row(picked));
    for (const bool in_place : {false, true})
      for (const bool accumulate : {false, true})
        rows.push_back(writing_row(picked, in_place, accumulate));
  }
  const auto wrong = [&rows](const std::string& name, auto call) {
    for (OpCase& row : rows)
      if (operation_of(row) == name && row.wrong.empty()) {
        row.wrong = wrong_indices(name, call);
        return &row;
      }
    return &rows[0];
  };
  wrong("brackets", [](const Tensor& x, const Indices& indices) { x[indices]; });
  const auto values = [](const char* words, const auto& call) {
    return WrongCall{words, [=] { call(zeros({3}), Slice(0, 2), zeros({3})); }};
  };
  const auto put = [](const Tensor& x, const Indices& indices, const Tensor& value = ones({})) {
    x.index_put(indices, value);
  };
  const auto put_in_place = [](const Tensor& x, const Indices& indices,
                               const Tensor& value = ones({})) { x.index_put_(indices, value); };
  wrong("index_put", put)
      ->wrong.push_back(
          values("index_put: values of shape [3] do not fit a place of shape [2]", put));
  wrong("index_put_", put_in_place)
      ->wrong.push_back(
          values("index_put_: values of shape [3] do not fit a place of shape [2]", put_in_place));
  return rows;
}

}  // namespace levin
