// LME's helpers for lists and nested data.
#include <gtest/gtest.h>
#include <levin/levin.h>

#include "scratch.h"

namespace levin {
namespace {

using std::invalid_argument;
using List = Value::List;

// A list of one: compilers differ in what List{List{..}} is.
Value wrapped(Value value) {
  Value list = List();
  list.push_back(std::move(value));
  return list;
}

TEST(PortUnitUtils, test_flat_if_one_1) {
  const Value numbers = List{1, 2, 3}, one = wrapped(1);
  EXPECT_EQ(flat_if_one(numbers), numbers);
  EXPECT_EQ(flat_if_one(wrapped(numbers)), numbers);
  EXPECT_EQ(flat_if_one(one), Value(1));
  EXPECT_EQ(flat_if_one(wrapped(one)), one);
  EXPECT_EQ(error_of<invalid_argument>([] {
              flat_if_one(Value::Map{{"a", 1}});
            }),
            "flat_if_one: a list is needed");
  EXPECT_EQ(flat_if_one(flat_if_one(wrapped(numbers))), numbers);
  EXPECT_EQ(flat_if_one(flat_if_one(wrapped(wrapped(numbers)))), numbers);
  EXPECT_EQ(flat_if_one(flat_if_one(wrapped(wrapped(one)))), one);
  EXPECT_EQ(flat_if_one(flat_if_one(flat_if_one(wrapped(wrapped(one))))), Value(1));
}

TEST(PortUnitUtils, test_make_list_1) {
  const Value map = Value::Map{{"a", 1}}, one = wrapped(1);
  EXPECT_EQ(make_list(1), one);
  EXPECT_EQ(make_list(one), one);
  EXPECT_EQ(make_list(map), wrapped(map));
  EXPECT_EQ(flat_if_one(make_list(map)), map);
  EXPECT_EQ(flat_if_one(make_list(one)), Value(1));
  EXPECT_EQ(flat_if_one(make_list(1)), Value(1));
}

TEST(PortUnitUtils, test_tr_detach_data) {
  const Tensor x = randn({10, 20}).requires_grad_();
  EXPECT_FALSE(tr_detach_data(x).requires_grad());
  EXPECT_FALSE(tr_detach_data(std::map<std::string, Tensor>{{"x", x}}).at("x").requires_grad());
  EXPECT_FALSE(std::get<0>(tr_detach_data(std::tuple(x))).requires_grad());
  const data::Batch named = {{"x", x}};  // the counterpart of a named tuple
  EXPECT_FALSE(tr_detach_data(named)["x"].requires_grad());
  const auto [batches, number] = tr_detach_data(std::pair(std::vector{named, named}, 5));
  EXPECT_FALSE(batches[1]["x"].requires_grad());
  EXPECT_EQ(number, 5);
  EXPECT_TRUE(x.requires_grad());
  EXPECT_EQ(tr_detach_data(std::string("text")), "text");
}

TEST(TrDetachData, ReachesEverythingThatAnAlgorithmGives) {
  const Tensor y = ones({2}).requires_grad_() * 2;
  AlgorithmOutput output{y, {}, data::Batch{y, Tensor()}, {{"gt", y}}};
  output.metrics["loss"] = y.mean();
  output.metrics["list"] = std::vector<MetricResult>{y, std::nullopt, std::vector<MetricResult>{y}};
  const AlgorithmOutput detached = tr_detach_data(output);
  EXPECT_FALSE(detached.y.tensor().requires_grad());
  EXPECT_FALSE(detached.x[0].requires_grad());
  EXPECT_FALSE(detached.x[1].defined());
  EXPECT_FALSE(detached.gt["gt"].requires_grad());
  EXPECT_EQ(detached.metrics.size(), 2);
  EXPECT_FALSE(detached.metrics.find("loss")->tensor().requires_grad());
  const std::vector<MetricResult>& list = detached.metrics.find("list")->list();
  EXPECT_FALSE(list[0].tensor().requires_grad());
  EXPECT_TRUE(list[1].is_nothing());
  EXPECT_FALSE(list[2].list()[0].tensor().requires_grad());
  EXPECT_TRUE(output.metrics.find("loss")->tensor().requires_grad());
}

TEST(ToDevice, ReachesEveryTensor) {
  int calls = 0;
  const auto count = [&](const Tensor& tensor) {
    ++calls;
    return tensor;
  };
  with_tensors(data::Batch{ones({1}), Tensor(), ones({2})}, count);
  EXPECT_EQ(calls, 2);
  const data::Batch batch = to_device(data::Batch{{"x", ones({2})}}, kCPU);
  EXPECT_EQ(batch["x"].to_vector<float>(), (std::vector<float>{1, 1}));
  EXPECT_THROW(to_device(batch, {Device::cuda, 99}), std::exception);
}

TEST(ToTensor, OfHostData) {
  const auto is = [](const Tensor& tensor, const Shape& shape, DType dtype) {
    EXPECT_EQ(tensor.shape(), shape);
    EXPECT_EQ(tensor.dtype(), dtype);
  };
  is(to_tensor(5), {1}, kFloat32);
  is(to_tensor(0.5), {1}, kFloat32);
  EXPECT_EQ(to_tensor(0.5).item<float>(), 0.5f);
  is(to_tensor(std::vector{0.5f, 1.f}), {2}, kFloat32);
  is(to_tensor(std::vector{0.5, 1.0}), {2}, kFloat64);
  is(to_tensor(std::vector<short>{1, -2}), {2}, kInt64);
  is(to_tensor(std::vector{true, false}), {2}, kBool);
  is(to_tensor(std::vector<float>()), {0}, kFloat32);
  const Tensor nested = to_tensor(std::vector<std::vector<std::vector<int32_t>>>{
      {{1, 2, 3}, {4, 5, 6}}, {{7, 8, 9}, {10, 11, 12}}});
  is(nested, {2, 2, 3}, kInt32);
  EXPECT_EQ(nested.select(0, 1).select(0, 0).to_vector<int32_t>(), (std::vector<int32_t>{7, 8, 9}));
  is(to_tensor(std::vector{ones({2}), ones({2})}), {2, 2}, kFloat32);
  EXPECT_TRUE(to_tensor(nested).is_same(nested));
  EXPECT_THROW(to_tensor(std::vector<std::vector<int>>{{1, 2}, {3}}), invalid_argument);
  EXPECT_THROW(to_tensor(std::vector<std::vector<int>>()), invalid_argument);
}

}  // namespace
}  // namespace levin
