// The table of operations. Each row: sample inputs, a call, a reference in plain float64 loops, and
// wrong calls. tests/op_test.cpp proves everything about an operation from its rows: a new operation
// is a new row in one of the op_cases_*.cpp files.
#pragma once

#include <levin/autograd/ops.h>
#include <levin/kernels/check.h>

#include <string>
#include <vector>

#include "array.h"

namespace levin {

using Tensors = std::vector<Tensor>;
using Arrays = std::vector<Array>;

/// What one argument of a sample is filled with: drawn at random, but the same every time.
struct Input {
  enum Kind {
    value,  ///< of the element type under test; gets a gradient
    whole,  ///< of the element type under test: whole numbers, no gradient
    index,  ///< int64
    mask    ///< bool
  };
  Shape shape;
  double low = -2, high = 2;
  Kind kind = value;
};
using Sample = std::vector<Input>;

inline Input index_input(const Shape& shape, double low, double high) {
  return {shape, low, high, Input::index};
}
inline Input mask_input(const Shape& shape) { return {shape, 0, 1, Input::mask}; }

/// A call of the operation. Made from a function that takes the sample's tensors and returns a
/// Tensor, a pair or a vector of them.
struct Call {
  template <class F>
  Call(F f) : run([f](const Tensors& x) { return as_list(f(x)); }) {}
  std::function<Tensors(const Tensors&)> run;

 private:
  static Tensors as_list(const Tensor& y) { return {y}; }
  static Tensors as_list(const std::pair<Tensor, Tensor>& y) { return {y.first, y.second}; }
  static Tensors as_list(Tensors y) { return y; }
};

/// The same of Arrays.
struct Reference {
  template <class F>
  Reference(F f) : run([f](const Arrays& x) { return as_list(f(x)); }) {}
  std::function<Arrays(const Arrays&)> run;

 private:
  static Arrays as_list(const Array& y) { return {y}; }
  static Arrays as_list(Arrays y) { return y; }
};

/// A wrong call: throws what `fault` says, with `words` in its message.
struct WrongCall {
  const char* words;
  std::function<void()> call;
  Fault fault = Fault::argument;
};

/// Element types, as bits.
enum Types : unsigned { kReals = 1, kHalves = 2, kIntegers = 4, kBooleans = 8 };
inline constexpr unsigned kFloats = kReals | kHalves;
inline constexpr unsigned kNumbers = kFloats | kIntegers;
inline constexpr unsigned kAllTypes = kNumbers | kBooleans;

/// The result's element type, from that of the values.
enum class Result {
  same,
  number,    ///< bool gives int64
  floating,  ///< integers and bool give float32
  widened,   ///< integers and bool give int64
  boolean,
  integer,    ///< int64
  with_index  ///< two results: the values' type, then int64
};

struct OpCase {
  std::string name;  ///< the operation's public name, then what tells its rows apart
  std::vector<Sample> samples;
  Call call;
  Reference reference;
  std::vector<WrongCall> wrong = {};  ///< an operation needs two, over all its rows
  std::vector<Call> spellings = {};   ///< other ways to say the same: give the same bits
  Sample large = {};                  ///< a sample that is cut over the threads
  unsigned types = kAllTypes;         ///< others must be refused with an error
  Result result = Result::same;
  bool differentiable = true;
  bool in_place = false;   ///< writes to its first argument and returns it
  bool any_layout = true;  ///< takes arguments in whatever arrangement
  double slack = 1;        ///< factor on the tolerances
};

/// "sum dims keepdim" -> "sum"
std::string operation_of(const OpCase& row);

/// All rows.
const std::vector<OpCase>& op_cases();

// The parts of the table, one file each.
std::vector<OpCase> unary_cases();
std::vector<OpCase> activation_cases();
std::vector<OpCase> binary_cases();
std::vector<OpCase> choice_cases();
std::vector<OpCase> logic_cases();
std::vector<OpCase> in_place_cases();
std::vector<OpCase> reduce_cases();
std::vector<OpCase> composed_reduction_cases();
std::vector<OpCase> scan_cases();
std::vector<OpCase> view_cases();
std::vector<OpCase> part_cases();
std::vector<OpCase> shape_cases();
std::vector<OpCase> product_cases();
std::vector<OpCase> einsum_cases();
std::vector<OpCase> linalg_cases();
std::vector<OpCase> index_cases();
std::vector<OpCase> indices_cases();
std::vector<OpCase> mask_cases();
std::vector<OpCase> loss_cases();
std::vector<OpCase> loss_class_cases();
std::vector<OpCase> norm_cases();
std::vector<OpCase> random_cases();

}  // namespace levin
