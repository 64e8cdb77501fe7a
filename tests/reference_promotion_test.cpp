// Element types of results and conversions, against PyTorch's tables.
#include <gtest/gtest.h>
#include <levin/tensor/file.h>

#include <cmath>
#include <iostream>
#include <set>

#include "array.h"
#include "reference_calls.h"

namespace levin {
namespace {

using Json = nlohmann::json;

const Json& table() {
  static const Json json = Json::parse(read_whole(LEVIN_TEST_DIR "/reference/ops/promotion.json"));
  return json;
}

DType dtype_named(const std::string& name) {
  for (int i = 0; i < kDTypes; ++i)
    if (name == name_of(static_cast<DType>(i))) return static_cast<DType>(i);
  throw std::runtime_error("no element type is called " + name);
}

// levin has no int16: what PyTorch gives for int8 with uint8 becomes int32.
std::string expected_name(const Json& name) {
  if (name.is_null()) return "refused";
  return name == "int16" ? "int32" : name.get<std::string>();
}

std::string type_of(const std::function<Tensor()>& call) {
  try {
    return name_of(call().dtype());
  } catch (const std::logic_error&) {
    return "refused";
  }
}

using Pair = std::pair<std::string, std::string>;
Pair split(const std::string& key) {
  const std::size_t comma = key.find(',');
  return {key.substr(0, comma), key.substr(comma + 1)};
}

Number number_named(const std::string& kind) {
  if (kind == "bool") return true;
  return kind == "int" ? Number(2) : Number(0.5);
}

Tensor ones_of(const std::string& dtype, const Shape& shape = {2}) {
  return ones(shape, dtype_named(dtype));
}

struct Operation {
  std::function<Tensor(const Tensor&, const Tensor&)> tensors;
  std::function<Tensor(const Tensor&, Number)> with_number = nullptr;
  std::function<Tensor(Number, const Tensor&)> from_number = nullptr;
};

std::map<std::string, Operation> operations() {
  using T = const Tensor&;
  const Tensor mask = ones({2}, kBool);
  return {
      {"add", {[](T a, T b) { return a + b; }, [](T a, Number b) { return a + b; }}},
      {"sub", {[](T a, T b) { return a - b; }, [](T a, Number b) { return a - b; }}},
      {"mul", {[](T a, T b) { return a * b; }, [](T a, Number b) { return a * b; }}},
      {"div", {[](T a, T b) { return a / b; }, [](T a, Number b) { return a / b; }}},
      {"eq", {[](T a, T b) { return a == b; }, [](T a, Number b) { return a == b; }}},
      {"lt", {[](T a, T b) { return a < b; }, [](T a, Number b) { return a < b; }}},
      {"maximum", {[](T a, T b) { return maximum(a, b); }}},
      {"where",
       {[=](T a, T b) { return where(mask, a, b); },
        [=](T a, Number b) { return where(mask, a, b); }}},
      {"pow",
       {[](T a, T b) { return pow(a, b); }, [](T a, Number b) { return pow(a, b); },
        [](Number a, T b) { return pow(a, b); }}},
      {"cat", {[](T a, T b) {
         return cat({a, b});
       }}},
  };
}

// Where levin differs: beside numbers it subtracts bool like the number that it is; it has no power
// of bool.
bool differs(const std::string& name, const std::string& left, const std::string& right) {
  const bool left_bool = left == "bool", right_bool = right == "bool";
  return (name == "sub" && left_bool != right_bool) || (name == "pow" && left_bool && right_bool);
}

TEST(ReferencePromotion, OfTwoOperands) {
  int compared = 0;
  for (const auto& [name, calls] : operations()) {
    const Operation& operation = calls;
    for (const auto& [form, pairs] : table()[name].items()) {
      for (const auto& [key, expected] : pairs.items()) {
        const auto [left, right] = split(key);
        const std::string actual = type_of([&, form = form, l = left, r = right] {
          if (form == "tensor_tensor") return operation.tensors(ones_of(l), ones_of(r));
          if (form == "tensor_0d") return operation.tensors(ones_of(l), ones_of(r, {}));
          if (form == "0d_tensor") return operation.tensors(ones_of(l, {}), ones_of(r));
          if (form == "tensor_scalar") return operation.with_number(ones_of(l), number_named(r));
          return operation.from_number(number_named(l), ones_of(r));
        });
        if (differs(name, left, right)) continue;
        EXPECT_EQ(actual, expected_name(expected)) << name << " " << form << " " << key;
        ++compared;
      }
    }
  }
  for (const auto& [key, expected] : table()["result_type"].items()) {
    const auto [left, right] = split(key);
    EXPECT_EQ(name_of(promote(dtype_named(left), dtype_named(right))), expected_name(expected));
    ++compared;
  }
  std::cout << compared << " result types of two operands\n";
}

TEST(ReferencePromotion, OfOneOperand) {
  using T = const Tensor&;
  const std::map<std::string, std::function<Tensor(T)>> operations = {
      {"neg", neg},
      {"abs", abs},
      {"square", [](T x) { return x.pow(2); }},
      {"exp", exp},
      {"sqrt", sqrt},
      {"sigmoid", sigmoid},
      {"relu", relu},
      {"sum", [](T x) { return x.sum(); }},
      {"mean", [](T x) { return x.mean(); }},
      {"var", [](T x) { return x.var(); }},
      {"amax", [](T x) { return x.amax(); }},
      {"argmax", [](T x) { return x.argmax(); }},
      {"softmax0", [](T x) { return x.softmax(0); }},
  };
  const std::set<std::string> other = {"argmax bool"};
  for (const auto& [name, operation] : operations)
    for (const auto& [dtype, expected] : table()["unary"][name].items()) {
      const std::string actual =
          type_of([&call = operation, d = dtype] { return call(ones_of(d)); });
      const std::string what = name + " " + dtype;
      EXPECT_EQ(actual == expected_name(expected), !other.count(what)) << what << ": " << actual;
    }
}

TEST(ReferencePromotion, OfATargetInPlace) {
  for (const auto& [key, expected] : table()["add_"].items()) {
    const auto [left, right] = split(key);
    const std::string actual =
        type_of([&, l = left, r = right] { return Tensor(ones_of(l).add_(ones_of(r))); });
    EXPECT_EQ(actual, expected_name(expected)) << key;
  }
}

double number_in(const Json& json) {
  return json.is_string()    ? std::stod(json.get<std::string>())
         : json.is_boolean() ? double(json.get<bool>())
                             : json.get<double>();
}

void expect_number(const Tensor& x, double expected, const std::string& what) {
  EXPECT_EQ(difference(read(x), Array{{1}, {expected}}, 0, 0), "") << what;
}

TEST(ReferencePromotion, Conversions) {
  const Json& casts = table()["casts"];
  for (const Json& one : casts["float32_to_half_bits"]) {
    const Tensor x = from_vector(
        std::vector<float>{std::strtof(one["float32"].get<std::string>().c_str(), nullptr)});
    for (const char* name : {"float16", "bfloat16"}) {
      const Tensor half = x.to(dtype_named(name));
      uint16_t bits = 0;
      __builtin_memcpy(&bits, half.impl().block->data, 2);
      EXPECT_EQ(bits, std::stoi(one[name].get<std::string>(), nullptr, 16)) << one;
    }
  }
  for (const char* table : {"float64_to_int", "int64_to_small_ints", "int64_to_float"}) {
    for (const Json& one : casts[table]) {
      const Tensor x = std::string(table) == "float64_to_int"
                           ? from_vector(std::vector<double>{one["value"]})
                           : from_vector(std::vector<int64_t>{one["value"]});
      for (const auto& [name, expected] : one.items())
        if (name != "value")
          expect_number(x.to(dtype_named(name)), number_in(expected), one.dump() + " " + name);
    }
  }
}

}  // namespace
}  // namespace levin
