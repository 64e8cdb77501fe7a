// einsum: sums of products by Einstein's rule, made of views, sums and matrix products.
#include <algorithm>
#include <array>

#include "launch.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

using std::string;

// What an equation says: "ij,...jk->ik" has the inputs "ij" and ".jk".
struct Equation {
  string text;
  std::vector<string> inputs;
  string output;
  bool has_output = false;

  [[noreturn]] void fail(std::initializer_list<Part> what) const {
    string message = "einsum \"" + text + "\": ";
    for (const Part& part : what) part.append_to(&message);
    levin::fail({message});
  }
};

// A tensor and the letter of each of its dimensions. Those that an ellipsis stands for have the
// digits of their places from the last one: "10".
struct Term {
  Tensor tensor;
  string letters;

  bool has(char letter) const { return letters.find(letter) != string::npos; }
  int64_t place(char letter) const { return static_cast<int64_t>(letters.find(letter)); }
  int64_t size(char letter) const { return tensor.size(place(letter)); }
};

string name_of(char letter) { return letter <= '9' ? "..." : string(1, letter); }

string letters_of(const Equation& equation, const string& text) {
  string letters;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool first_ellipsis = letters.find('.') == string::npos;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
      letters += c;
    else if (text.compare(i, 3, "...") == 0 && first_ellipsis)
      letters += '.', i += 2;
    else if (c != ' ')
      equation.fail({"\"", text, "\": letters and at most one \"...\" are needed"});
  }
  return letters;
}

Equation parsed(const string& text) {
  Equation equation{text, {}, {}, {}};
  const std::size_t arrow = text.find("->");
  equation.has_output = arrow != string::npos;
  if (equation.has_output) equation.output = letters_of(equation, text.substr(arrow + 2));
  const string inputs = text.substr(0, arrow);
  for (std::size_t start = 0, end = 0; end != string::npos; start = end + 1) {
    end = inputs.find(',', start);
    equation.inputs.push_back(letters_of(equation, inputs.substr(start, end - start)));
  }
  return equation;
}

string with_ellipsis(const string& letters, int64_t dims) {
  string digits;
  for (int64_t d = dims - 1; d >= 0; --d) digits += static_cast<char>('0' + d);
  const std::size_t at = letters.find('.');
  return at == string::npos ? letters : string(letters).replace(at, 1, digits);
}

// Of a letter that comes twice only the diagonal counts.
Term term_of(const Equation& equation, std::size_t operand, const Tensor& tensor) {
  const string& input = equation.inputs[operand];
  const bool open = input.find('.') != string::npos;
  const int64_t named = static_cast<int64_t>(input.size()) - open;
  if (open ? named > tensor.dim() : named != tensor.dim())
    equation.fail({"operand ", operand, " of shape ", tensor.shape(), " has ", tensor.dim(),
                   " dimensions, and ", named, " letters"});
  Term term{tensor, with_ellipsis(input, tensor.dim() - named)};
  for (std::size_t i = 0; i < term.letters.size();) {
    const char letter = term.letters[i];
    const std::size_t again = term.letters.find(letter, i + 1);
    if (again == string::npos) {
      ++i;
      continue;
    }
    const auto first = static_cast<int64_t>(i), second = static_cast<int64_t>(again);
    if (term.tensor.size(first) != term.tensor.size(second))
      equation.fail({"operand ", operand, " of shape ", tensor.shape(), " has two sizes for ",
                     name_of(letter)});
    term.tensor = term.tensor.diagonal(0, first, second);
    term.letters.erase(again, 1).erase(i, 1) += letter;
  }
  return term;
}

std::vector<Term> terms_of(const Equation& equation, const std::vector<Tensor>& operands) {
  if (operands.size() != equation.inputs.size())
    equation.fail({operands.size(), " operands for ", equation.inputs.size(), " terms"});
  std::vector<Term> terms;
  std::array<int64_t, 128> sizes;
  sizes.fill(1);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    check_same_device("einsum", operands[0], operands[i]);
    if (operands[i].dtype() != operands[0].dtype() || operands[i].dtype() == kBool)
      equation.fail({"operand ", i, " is ", operands[i].dtype(), ", operand 0 ",
                     operands[0].dtype(), ": numbers of one element type are needed"});
    terms.push_back(term_of(equation, i, operands[i]));
    for (const char letter : terms.back().letters) {
      int64_t& known = sizes[static_cast<std::size_t>(letter)];
      const int64_t size = terms.back().size(letter);
      if (known != 1 && size != 1 && known != size)
        equation.fail({"operand ", i, " of shape ", operands[i].shape(), " has size ", size,
                       " for ", name_of(letter), ", an earlier one ", known});
      if (size != 1) known = size;
    }
  }
  return terms;
}

// The letters of the result. Not given, they are those that come once, in alphabetical order.
string output_of(const Equation& equation, const std::vector<Term>& terms) {
  string written, known;
  for (const string& input : equation.inputs) written += input;
  for (const Term& term : terms) known += term.letters;
  string output = equation.output;
  if (!equation.has_output) {
    for (const char letter : written)
      if (letter != '.' && std::count(written.begin(), written.end(), letter) == 1)
        output += letter;
    std::sort(output.begin(), output.end());
    output.insert(0, 1, '.');
  }
  int64_t dots = 0;
  while (known.find(static_cast<char>('0' + dots)) != string::npos) ++dots;
  output = with_ellipsis(output, dots);
  for (const char letter : output) {
    if (known.find(letter) == string::npos)
      equation.fail({"no operand has the result's letter ", name_of(letter)});
    if (std::count(output.begin(), output.end(), letter) > 1)
      equation.fail({"the result has the letter ", name_of(letter), " twice"});
  }
  return output;
}

// Summed over the letters that are not needed.
Term summed(const Term& term, const string& needed) {
  Shape dims;
  string letters;
  for (const char letter : term.letters) {
    if (needed.find(letter) == string::npos)
      dims.push_back(term.place(letter));
    else
      letters += letter;
  }
  if (dims.empty()) return term;
  return {term.tensor.sum(dims).to(term.tensor.dtype()), letters};
}

Shape sizes_of(const string& letters, const Term& a, const Term& b) {
  Shape sizes;
  for (const char letter : letters) {
    const int64_t size = a.has(letter) ? a.size(letter) : 1;
    sizes.push_back(size == 1 && b.has(letter) ? b.size(letter) : size);
  }
  return sizes;
}

// The dimensions of `term` in groups, each as one dimension; what `other` has too gets the size
// that both broadcast to.
Tensor grouped(const Term& term, const Term& other, std::initializer_list<string> groups) {
  string letters;
  Shape dims, sizes;
  for (const string& group : groups) {
    letters += group;
    sizes.push_back(sizes_of(group, term, other).numel());
  }
  for (const char letter : letters) dims.push_back(term.place(letter));
  return term.tensor.permute(dims).expand(sizes_of(letters, term, other)).reshape(sizes);
}

// The product of two terms as one of matrices, without the letters that are not needed any more.
Term product(const Term& a, const Term& b, const string& needed) {
  string batch, left, right, inner;
  for (const char letter : a.letters) {
    if (!b.has(letter))
      left += letter;
    else if (needed.find(letter) != string::npos)
      batch += letter;
    else
      inner += letter;
  }
  for (const char letter : b.letters)
    if (!a.has(letter)) right += letter;
  const Tensor x = grouped(a, b, {batch, left, inner}), y = grouped(b, a, {batch, inner, right});
  const string letters = batch + left + right;
  const Tensor z = inner.empty() ? x.mul(y) : matmul(x, y);
  return {z.reshape(sizes_of(letters, a, b)), letters};
}

}  // namespace

Tensor einsum(const string& equation_text, const std::vector<Tensor>& operands) {
  const Equation equation = parsed(equation_text);
  const std::vector<Term> terms = terms_of(equation, operands);
  const string output = output_of(equation, terms);
  Term result = terms[0];
  for (std::size_t i = 1; i < terms.size(); ++i) {
    string needed = output;
    for (std::size_t later = i + 1; later < terms.size(); ++later) needed += terms[later].letters;
    result = product(summed(result, needed + terms[i].letters),
                     summed(terms[i], needed + result.letters), needed);
  }
  result = summed(result, output);
  Shape order;
  for (const char letter : output) order.push_back(result.place(letter));
  return result.tensor.permute(order);
}

}  // namespace levin::inline v0
