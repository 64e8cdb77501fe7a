#include <gtest/gtest.h>
#include <levin/kernels/backend.h>
#include <levin/tensor/factories.h>
#include <levin/tensor/layout_math.h>

#include <cmath>
#include <fstream>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

namespace levin {
namespace {

using Json = nlohmann::json;

DType dtype_named(const std::string& name) {
  for (int i = 0; i < kDTypes; ++i)
    if (name == name_of(static_cast<DType>(i))) return static_cast<DType>(i);
  throw std::runtime_error("no element type is called " + name);
}

// Through the backend, since to() belongs to a folder that this test does not need.
Tensor converted(const Tensor& from, DType dtype) {
  const Tensor result = empty(from.shape(), dtype);
  const char* error = backend(kCPU).copy({from.impl().block.get(), &from.layout()},
                                         {result.impl().block.get(), &result.layout()});
  EXPECT_EQ(error, nullptr);
  return result;
}

Tensor tensor_of(const Json& values, const Shape& shape, DType dtype) {
  if (!is_floating(dtype)) {
    std::vector<int64_t> numbers;
    for (const Json& value : values)
      numbers.push_back(value.is_boolean() ? value.get<bool>() : value.get<int64_t>());
    return converted(from_vector(numbers, shape), dtype);
  }
  std::vector<double> numbers;
  for (const Json& value : values)
    numbers.push_back(value.is_string() ? std::stod(value.get<std::string>())
                                        : value.get<double>());
  return converted(from_vector(numbers, shape), dtype);
}

std::string without(std::string text, const std::string& part) {
  for (std::size_t at; (at = text.find(part)) != std::string::npos;) text.erase(at, part.size());
  return text;
}

TEST(Print, MatchesPyTorch) {
  std::ifstream file(LEVIN_TEST_DIR "/reference/printing.json");
  const Json reference = Json::parse(file);
  int cases = 0;
  for (const Json& one : reference["cases"]) {
    const Tensor tensor = tensor_of(one["values"], one["shape"].get<std::vector<int64_t>>(),
                                    dtype_named(one["dtype"]));
    EXPECT_EQ(tensor.text(), without(one["str"], "torch.")) << "case " << one["id"];
    ++cases;
  }
  std::cout << cases << " texts of PyTorch " << reference["torch"].get<std::string>()
            << " compared\n";
  EXPECT_EQ(cases, 86);
}

TEST(Print, UndefinedAndStream) {
  EXPECT_EQ(Tensor().text(), "tensor(undefined)");
  std::ostringstream out;
  out << tensor({1, 2.5});
  EXPECT_EQ(out.str(), "tensor([1.0000, 2.5000])");
}

// A view prints as a contiguous copy of it does.
TEST(Print, Views) {
  std::vector<int64_t> numbers(24);
  for (int i = 0; i < 24; ++i) numbers[i] = i;
  const Tensor base = from_vector(numbers, {4, 6});
  EXPECT_EQ(make_view(base, transposed(sliced(base.layout(), 1, 1, 6, 2), 0, 1)).text(),
            "tensor([[ 1,  7, 13, 19],\n"
            "        [ 3,  9, 15, 21],\n"
            "        [ 5, 11, 17, 23]])");
  EXPECT_EQ(make_view(base, selected(selected(base.layout(), 0, 2), 0, 5)).text(), "tensor(17)");
}

// A summary reads the elements that it shows, not the 10^12 of the tensor.
TEST(Print, SummaryOfAHugeView) {
  const Tensor one = full({1, 1}, 2.5);
  EXPECT_EQ(make_view(one, expanded(one.layout(), {1000000, 1000000})).text(),
            "tensor([[2.5000, 2.5000, 2.5000,  ..., 2.5000, 2.5000, 2.5000],\n"
            "        [2.5000, 2.5000, 2.5000,  ..., 2.5000, 2.5000, 2.5000],\n"
            "        [2.5000, 2.5000, 2.5000,  ..., 2.5000, 2.5000, 2.5000],\n"
            "        ...,\n"
            "        [2.5000, 2.5000, 2.5000,  ..., 2.5000, 2.5000, 2.5000],\n"
            "        [2.5000, 2.5000, 2.5000,  ..., 2.5000, 2.5000, 2.5000],\n"
            "        [2.5000, 2.5000, 2.5000,  ..., 2.5000, 2.5000, 2.5000]])");
}

TEST(Print, EightDimensions) {
  EXPECT_EQ(full({1, 1, 1, 1, 1, 1, 1, 2}, 1).text(), "tensor([[[[[[[[1, 1]]]]]]]])");
  EXPECT_EQ(full({2, 1, 1, 1, 1, 1, 1, 1}, 1).text(),
            "tensor([[[[[[[[1]]]]]]],\n\n\n\n\n\n\n        [[[[[[[1]]]]]]]])");
}

TEST(Print, RequiresGrad) {
  static NodeBase node{.refs = 1, .destroy = [](NodeBase*) {}};
  const auto text_with_node = [](const Tensor& tensor) {
    tensor.impl().node = Ref<NodeBase>(&node);
    return tensor.text();
  };
  EXPECT_EQ(text_with_node(full({}, 1.5)), "tensor(1.5000, requires_grad=True)");
  EXPECT_EQ(text_with_node(zeros({0, 2}, kFloat64)),
            "tensor([], size=(0, 2), dtype=float64, requires_grad=True)");
}

// A suffix that would pass column 80 goes to the next line, counted as PyTorch counts.
TEST(Print, SuffixOnItsOwnLine) {
  EXPECT_EQ(full({7}, 1.25, kFloat64).text(),
            "tensor([1.2500, 1.2500, 1.2500, 1.2500, 1.2500, 1.2500, 1.2500],\n"
            "       dtype=float64)");
  EXPECT_EQ(full({5}, 1.25, kFloat64).text(),
            "tensor([1.2500, 1.2500, 1.2500, 1.2500, 1.2500], dtype=float64)");
}

// 18 numbers of one digit: with the suffix, the line would have 81 columns as PyTorch counts them.
TEST(Print, SuffixAtTheLastColumn) {
  const std::string row = "tensor([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],";
  EXPECT_EQ(full({18}, 1, kInt8).text(), row + "\n       dtype=int8)");
}

// 9 columns of width 6 would fill 72, of which a row at depth 3 has 71.
TEST(Print, RowAtTheLastColumn) {
  EXPECT_EQ(full({1, 1, 9}, 1.25).text(),
            "tensor([[[1.2500, 1.2500, 1.2500, 1.2500, 1.2500, 1.2500, 1.2500, 1.2500,\n"
            "          1.2500]]])");
}

TEST(Print, EdgesOfTheScientificForm) {
  EXPECT_EQ(tensor({1e8, 0}).text(), "tensor([100000000.,         0.])");
  EXPECT_EQ(tensor({5e-4, 0.25}).text(), "tensor([0.0005, 0.2500])");
  EXPECT_EQ(from_vector(std::vector<double>{1e-4, 0}).text(),
            "tensor([0.0001, 0.0000], dtype=float64)");
}

TEST(Print, ExtremeIntegersAndNegativeNaN) {
  EXPECT_EQ(from_vector(std::vector<int64_t>{INT64_MIN, INT64_MAX}).text(),
            "tensor([-9223372036854775808,  9223372036854775807])");
  EXPECT_EQ(from_vector(std::vector<float>{-std::numeric_limits<float>::quiet_NaN(), -0.f}).text(),
            "tensor([nan, -0.])");
}

}  // namespace
}  // namespace levin
