// Rows of what joins tensors and takes them apart.
#include "op_cases.h"

namespace levin {
namespace {

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
      {.name = "cat with empty vectors",
       .samples = {{{{0}}, {{2, 3}}, {{0}}, {{1, 3}}}},
       .call = [](const Tensors& x) { return cat(x, -2); },
       .reference =
           [](const Arrays& x) {
             return joined({x[1], x[3]}, 0);
           }},
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

// The parts of x along a dimension, one after the other.
OpCase parts(const char* name, const Shape& shape, int dim, std::vector<int64_t> sizes, Call call,
             std::vector<WrongCall> wrong = {}) {
  OpCase row{.name = name,
             .samples = {{{shape}}},
             .call = std::move(call),
             .reference = Reference([=](const Arrays& x) {
               Arrays result;
               int64_t start = 0;
               for (const int64_t size : sizes) {
                 Shape part = shape;
                 part[dim] = size;
                 result.push_back(make_array(part, [&](Index i) {
                   i[dim] += start;
                   return x[0].at(i);
                 }));
                 start += size;
               }
               return result;
             }),
             .wrong = std::move(wrong)};
  return row;
}

std::vector<OpCase> splits() {
  return {
      parts("split", {2, 7}, 1, {3, 3, 1}, [](const Tensors& x) { return x[0].split(3, -1); },
            {{"split: parts of size 0 for 5 elements", [] { zeros({5}).split(0); }},
             {"split: parts of size -1", [] { zeros({5}).split(-1); }},
             {"split: a 0-d tensor", [] { zeros({}).split(1); }},
             {"split: dimension 1 is out of range", [] { zeros({5}).split(2, 1); }, Fault::index}}),
      parts("split whole", {3, 2}, 0, {3}, [](const Tensors& x) { return x[0].split(INT64_MAX); }),
      parts("split empty", {0, 2}, 0, {0}, [](const Tensors& x) { return x[0].split(0); }),
      parts("split_with_sizes", {2, 9}, 1, {1, 0, 2, 1, 1, 1, 1, 1, 1, 0},
            [](const Tensors& x) {
              return x[0].split_with_sizes({1, 0, 2, 1, 1, 1, 1, 1, 1, 0}, 1);
            },
            {{"split_with_sizes: the sizes add up to 4, dimension 0 of [5] has 5",
              [] {
                zeros({5}).split_with_sizes({2, 2});
              }},
             {"split_with_sizes: a part of size 4 at 2",
              [] {
                zeros({5}).split_with_sizes({2, 4});
              }},
             {"split_with_sizes: a part of size -1",
              [] {
                zeros({5}).split_with_sizes({-1, 6});
              }},
             {"split_with_sizes: a 0-d tensor", [] { zeros({}).split_with_sizes({1}); }}}),
      parts("chunk", {5, 2}, 0, {2, 2, 1}, [](const Tensors& x) { return x[0].chunk(3); },
            {{"chunk: into 0 parts", [] { zeros({5}).chunk(0); }},
             {"chunk: a 0-d tensor", [] { zeros({}).chunk(2); }},
             {"chunk: dimension 1 is out of range", [] { zeros({5}).chunk(2, 1); }, Fault::index}}),
      parts("chunk fewer", {2, 5}, 1, {2, 2, 1}, [](const Tensors& x) { return x[0].chunk(4, 1); }),
      parts("chunk empty", {2, 0}, 1, {0, 0, 0}, [](const Tensors& x) { return x[0].chunk(3, 1); }),
      {.name = "unbind",
       .samples = {{{{3, 2, 2}}}, {{{2, 2, 0}}}},
       .call = [](const Tensors& x) { return x[0].unbind(-2); },
       .reference =
           [](const Arrays& x) {
             Arrays result;
             for (int64_t k = 0; k < 2; ++k)
               result.push_back(make_array({x[0].size(0), x[0].size(2)}, [&](const Index& i) {
                 return x[0].at({i[0], k, i[1]});
               }));
             return result;
           },
       .wrong = {{"unbind: a 0-d tensor", [] { zeros({}).unbind(); }},
                 {"unbind: dimension 1 is out of range", [] { zeros({3}).unbind(1); },
                  Fault::index}}},
  };
}

std::vector<OpCase> grids() {
  return {
      {.name = "meshgrid",
       .samples = {{{{3}}, {{2}}, {{4}}}, {{{2}}, {{}}, {{0}}}},
       .call = [](const Tensors& x) { return meshgrid(x); },
       .reference =
           [](const Arrays& x) {
             Shape shape;
             for (const Array& one : x) shape.push_back(one.shape.numel());
             Arrays result;
             for (std::size_t k = 0; k < x.size(); ++k)
               result.push_back(make_array(shape, [&](const Index& i) { return x[k][i[k]]; }));
             return result;
           },
       .wrong = {{"meshgrid: an empty list", [] { meshgrid({}); }},
                 {"meshgrid: a float32 tensor of shape [2, 2]",
                  [] {
                    meshgrid({zeros({2, 2})});
                  }},
                 {"meshgrid: a int64 tensor of shape [3]: float32 vectors are needed",
                  [] {
                    meshgrid({zeros({2}), arange(3)});
                  }},
                 {"meshgrid: indexing 'yx'", [] { meshgrid({zeros({2})}, "yx"); }}}},
      {.name = "meshgrid xy",
       .samples = {{{{3}}, {{2}}}},
       .call = [](const Tensors& x) { return meshgrid(x, "xy"); },
       .reference =
           [](const Arrays& x) {
             return Arrays{make_array({2, 3}, [&](const Index& i) { return x[0][i[1]]; }),
                           make_array({2, 3}, [&](const Index& i) { return x[1][i[0]]; })};
           }},
      {.name = "meshgrid alone",
       .samples = {{{{3}}}},
       .call = [](const Tensors& x) { return meshgrid(x, "xy"); },
       .reference = [](const Arrays& x) { return x[0]; }},
  };
}

}  // namespace

std::vector<OpCase> part_cases() {
  std::vector<OpCase> rows;
  for (const auto& part : {joins(), splits(), grids()})
    rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace levin
