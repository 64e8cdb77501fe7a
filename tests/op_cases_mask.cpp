// Rows of operations by masks.
#include "op_cases.h"

namespace levin {

std::vector<OpCase> mask_cases() {
  const Call fill = [](const Tensors& x) { return x[0].masked_fill(x[1], 3); };
  const Call fill_in_place = [](const Tensors& x) { return x[0].masked_fill_(x[1], 3); };
  const Call fill_tensor = [](const Tensors& x) { return x[0].masked_fill(x[1], x[2]); };
  const Call select = [](const Tensors& x) { return x[0].masked_select(x[1]); };
  const Reference filled = [](const Arrays& x) {
    return zip(x[1], x[0], [](double mask, double v) { return mask != 0 ? 3 : v; });
  };
  const Reference filled_from_tensor = [](const Arrays& x) {
    return zip(x[1], x[0], [&](double mask, double v) { return mask != 0 ? x[2][0] : v; });
  };
  const auto refused = [](const char* words, const Call& call, const Tensor& mask) {
    return WrongCall{words, [=] { call.run({zeros({3}), mask, zeros({2})}); }};
  };
  const Tensor no_mask = zeros({3}), short_mask = zeros({2}, kBool), mask = zeros({3}, kBool);
  return {
      {.name = "masked_fill",
       .samples = {{{{3, 4}}, mask_input({3, 4})}, {{{3, 1}}, mask_input({4})}},
       .call = fill,
       .reference = filled,
       .wrong = {refused("masked_fill: a float32 mask", fill, no_mask),
                 refused("masked_fill: a mask of shape [2] for a tensor of shape [3]", fill,
                         short_mask),
                 refused("masked_fill: a value of shape [2]", fill_tensor, mask)}},
      {.name = "masked_fill tensor",
       .samples = {{{{3, 4}}, mask_input({4}), {{}}}},
       .call = fill_tensor,
       .reference = filled_from_tensor},
      {.name = "masked_fill_",
       .samples = {{{{3, 4}}, mask_input({3, 4})}, {{{3, 4}}, mask_input({4})}},
       .call = fill_in_place,
       .reference = filled,
       .wrong = {refused("masked_fill_: a float32 mask", fill_in_place, no_mask),
                 refused("masked_fill_: a mask of shape [2, 3] does not fit", fill_in_place,
                         zeros({2, 3}, kBool))},
       .in_place = true},
      {.name = "masked_fill_ tensor",
       .samples = {{{{3, 4}}, mask_input({4}), {{}}}},
       .call = [](const Tensors& x) { return x[0].masked_fill_(x[1], x[2]); },
       .reference = filled_from_tensor,
       .in_place = true},
      {.name = "masked_select",
       .samples = {{{{3, 4}}, mask_input({3, 4})}, {{{3, 1}}, mask_input({4})}},
       .call = select,
       .reference =
           [](const Arrays& x) {
             Array list{{0}, {}};
             for_each_index({3, 4}, [&](const Index& i) {
               if (x[1].broadcast_at(i) != 0) list.numbers.push_back(x[0].broadcast_at(i));
             });
             list.shape = {static_cast<int64_t>(list.numbers.size())};
             return list;
           },
       .wrong = {refused("masked_select: a float32 mask", select, no_mask),
                 refused("masked_select: a mask of shape [2] for a tensor of shape [3]", select,
                         short_mask)}},
      {.name = "nonzero",
       .samples = {{{{3, 4}, -1, 1, Input::whole}},
                   {{{}, -1, 1, Input::whole}},
                   {{{0, 2}, -1, 1, Input::whole}}},
       .call = [](const Tensors& x) { return x[0].nonzero(); },
       .reference =
           [](const Arrays& x) {
             const std::vector<Index> list = true_indices(x[0]);
             const Shape shape{static_cast<int64_t>(list.size()), x[0].shape.size()};
             return make_array(
                 shape, [&](const Index& i) { return static_cast<double>(list[i[0]][i[1]]); });
           },
       .wrong = {{"an undefined tensor", [] { Tensor().nonzero(); }},
                 {"an undefined tensor", [] { zeros({2}).grad().nonzero(); }}},
       .result = Result::integer,
       .differentiable = false},
  };
}

}  // namespace levin
