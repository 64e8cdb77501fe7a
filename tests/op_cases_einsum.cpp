// Rows of einsum, against sums over every letter.
#include <algorithm>

#include "op_cases.h"

namespace levin {
namespace {

using Words = std::vector<std::string>;

// Sums the products of the inputs over the letters that the output leaves out. A size of 1 is
// repeated.
Array einsum_of(const Words& inputs, const std::string& output, const Arrays& arrays) {
  std::string letters = output;
  for (const std::string& input : inputs)
    for (const char letter : input)
      if (letters.find(letter) == std::string::npos) letters += letter;
  Shape kept, summed;
  for (std::size_t l = 0; l < letters.size(); ++l) {
    int64_t size = 1;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      for (std::size_t d = 0; d < inputs[i].size(); ++d)
        if (inputs[i][d] == letters[l] && size == 1) size = arrays[i].shape[static_cast<int>(d)];
    (l < output.size() ? kept : summed).push_back(size);
  }
  return make_array(kept, [&](const Index& result) {
    std::vector<double> terms;
    for_each_index(summed, [&](const Index& rest) {
      Index all = result;
      all.insert(all.end(), rest.begin(), rest.end());
      double term = 1;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        Index at;
        for (const char letter : inputs[i]) at.push_back(all[letters.find(letter)]);
        term *= arrays[i].broadcast_at(at);
      }
      terms.push_back(term);
    });
    return sum_of(terms);
  });
}

// `inputs` and `output` say what the equation means.
OpCase row(const std::string& what, const std::string& equation, const Words& inputs,
           const std::string& output, const std::vector<Sample>& samples) {
  return {.name = "einsum " + what,
          .samples = samples,
          .call = [=](const Tensors& x) { return einsum(equation, x); },
          .reference = [=](const Arrays& x) { return einsum_of(inputs, output, x); },
          .types = kNumbers,
          .slack = 4};
}

WrongCall wrong(const char* words, const std::string& equation, const Tensors& operands) {
  return {words, [=] { einsum(equation, operands); }};
}

std::vector<WrongCall> wrong_calls() {
  const Tensor a = zeros({2, 3}), b = zeros({4, 5});
  return {
      wrong("einsum \"ij,jk->ik\": operand 1 of shape [4, 5] has size 4 for j, an earlier one 3",
            "ij,jk->ik", {a, b}),
      wrong("einsum \"ij->ik\": no operand has the result's letter k", "ij->ik", {a}),
      wrong("einsum \"ij->ii\": the result has the letter i twice", "ij->ii", {a}),
      wrong("einsum \"ij,jk\": 1 operands for 2 terms", "ij,jk", {a}),
      wrong("einsum \"ij\": 2 operands for 1 terms", "ij", {a, b}),
      wrong("einsum \"\": 0 operands for 1 terms", "", {}),
      wrong("einsum \"ijk\": operand 0 of shape [2, 3] has 2 dimensions, and 3 letters", "ijk",
            {a}),
      wrong("einsum \"i\": operand 0 of shape [2, 3] has 2 dimensions, and 1 letters", "i", {a}),
      wrong("einsum \"i...jk\": operand 0 of shape [2, 3] has 2 dimensions, and 3 letters",
            "i...jk", {a}),
      wrong("einsum \"ii\": operand 0 of shape [2, 3] has two sizes for i", "ii", {a}),
      wrong("einsum \"...,...\": operand 1 of shape [4, 5] has size 4 for ..., an earlier one 2",
            "...,...", {a, b}),
      wrong("einsum \"i1\": \"i1\": letters and at most one \"...\"", "i1", {a}),
      wrong("einsum \"......\": \"......\": letters and at most one \"...\"", "......", {a}),
      wrong("einsum \"i.j\": \"i.j\": letters and at most one \"...\"", "i.j", {a}),
      wrong("einsum \"ij->i->j\": \"i->j\": letters", "ij->i->j", {a}),
      wrong("einsum \"ij,ij\": operand 1 is float64, operand 0 float32", "ij,ij",
            {a, zeros({2, 3}, kFloat64)}),
  };
}

}  // namespace

std::vector<OpCase> einsum_cases() {
  std::vector<OpCase> rows{
      row("of matrices", "ij,jk->ik", {"ij", "jk"}, "ik",
          {{{{2, 3}}, {{3, 4}}}, {{{0, 3}}, {{3, 2}}}, {{{2, 0}}, {{0, 3}}}, {{{2, 1}}, {{3, 2}}}}),
      row("of batches", "bij,bjk->bik", {"bij", "bjk"}, "bik",
          {{{{2, 2, 3}}, {{2, 3, 2}}}, {{{1, 2, 3}}, {{3, 3, 1}}}, {{{2, 2, 1}}, {{1, 3, 2}}}}),
      row("trace", "ii->", {"ii"}, "", {{{{3, 3}}}, {{{0, 0}}}}),
      row("trace implied", "ii", {"ii"}, "", {{{{3, 3}}}}),
      row("diagonal", "ii->i", {"ii"}, "i", {{{{3, 3}}}}),
      row("diagonals", "iji,kjk->jk", {"iji", "kjk"}, "jk", {{{{2, 3, 2}}, {{2, 3, 2}}}}),
      row("thrice", "iiij->ji", {"iiij"}, "ji", {{{{2, 2, 2, 3}}}}),
      row("outer", "i,j->ij", {"i", "j"}, "ij", {{{{2}}, {{3}}}}),
      row("transposition", "ij->ji", {"ij"}, "ji", {{{{2, 3}}}}),
      row("of equal letters", "ij,ij->ij", {"ij", "ij"}, "ij", {{{{2, 3}}, {{1, 3}}}}),
      row("inner", "ij,ij->", {"ij", "ij"}, "", {{{{2, 3}}, {{2, 3}}}}),
      row("implied", "ij,j", {"ij", "j"}, "i", {{{{2, 3}}, {{3}}}}),
      row("implied order", "ba,cA", {"ba", "cA"}, "Aabc", {{{{2, 3}}, {{2, 1}}}}),
      row("sums first", "ijk,lj->i", {"ijk", "lj"}, "i", {{{{2, 3, 2}, -1, 1}, {{2, 3}, -1, 1}}}),
      row("of one", "ijk->k", {"ijk"}, "k", {{{{2, 3, 2}}}}),
      row("of three", "bn,anm,bm->ba", {"bn", "anm", "bm"}, "ba",
          {{{{2, 2}, -1, 1}, {{3, 2, 2}, -1, 1}, {{2, 2}, -1, 1}}}),
      row("of numbers", ",->", {"", ""}, "", {{{{}}, {{}}}}),
      row("attention", "bhqd,bhkd->bhqk", {"bhqd", "bhkd"}, "bhqk",
          {{{{2, 2, 3, 2}}, {{2, 2, 2, 2}}}}),
      row("ellipsis", "...ij,...jk->...ik", {"xyij", "yjk"}, "xyik",
          {{{{2, 3, 2, 2}}, {{3, 2, 3}}}, {{{2, 1, 2, 2}}, {{3, 2, 1}}}}),
      row("ellipsis inside", "i...j->j...", {"ixj"}, "jx", {{{{2, 3, 2}}}}),
      row("ellipsis implied", "...i,i", {"xi", "i"}, "x", {{{{2, 3}}, {{3}}}}),
      row("ellipsis summed", "...i->i", {"xyi"}, "i", {{{{2, 2, 3}}}}),
      row("ellipsis of nothing", "i...,...->...i", {"i", ""}, "i", {{{{2}}, {{}}}}),
      row("cases and spaces", " Ab , b C -> A C ", {"Ab", "bC"}, "AC", {{{{2, 3}}, {{3, 2}}}}),
  };
  rows[0].wrong = wrong_calls();
  rows[0].spellings = {[](const Tensors& x) {
    return matmul(x[0].expand({x[0].size(0), x[1].size(0)}), x[1]);
  }};
  rows[0].large = {{{200, 301}}, {{301, 9}}};
  return rows;
}

}  // namespace levin
