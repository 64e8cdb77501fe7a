// Initial values: distributions as PyTorch's, by the closed forms of tests/reference/init.json.
#include <gtest/gtest.h>
#include <levin/autograd/ops.h>
#include <levin/nn/embedding.h>
#include <levin/nn/init.h>
#include <levin/nn/layer_norm.h>
#include <levin/nn/linear.h>
#include <levin/tensor/file.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "scratch.h"

namespace levin {
namespace {

using Json = nlohmann::json;
namespace init = nn::init;

const Json& reference() {
  static const Json json = Json::parse(read_whole(LEVIN_TEST_DIR "/reference/init.json"));
  return json;
}

Shape shape_of(const Json& json) { return Shape(json.get<std::vector<int64_t>>()); }

// At least 40,000 numbers, by initialising again and again.
std::vector<double> drawn(const Tensor& tensor, const std::function<void()>& initialise) {
  std::vector<double> all;
  while (all.size() < 40000) {
    initialise();
    for (const double value : tensor.to_vector<double>()) all.push_back(value);
  }
  return all;
}

struct Moments {
  double low = INFINITY, high = -INFINITY, mean = 0, deviation = 0;

  explicit Moments(const std::vector<double>& values) {
    const double n = static_cast<double>(values.size());
    double squares = 0;
    for (const double value : values) {
      low = std::min(low, value), high = std::max(high, value);
      mean += value / n, squares += value * value / n;
    }
    deviation = std::sqrt(std::max(0.0, squares - mean * mean));
  }
};

// Within five standard errors; the ends of an interval are reached to a thousandth.
void expect_distribution(const std::vector<double>& values, const Json& expected) {
  const Moments found(values);
  const double n = static_cast<double>(values.size());
  if (expected["distribution"] == "constant") {
    EXPECT_EQ(found.low, expected["value"]);
    EXPECT_EQ(found.high, expected["value"]);
    return;
  }
  double mean = 0, deviation = 0;
  if (expected["distribution"] == "uniform") {
    const double low = expected["low"], high = expected["high"], width = high - low;
    mean = (low + high) / 2, deviation = width / std::sqrt(12.0);
    EXPECT_GE(found.low, low - 1e-6 * width);
    EXPECT_LE(found.high, high + 1e-6 * width);
    EXPECT_LT(found.low, low + 1e-3 * width);
    EXPECT_GT(found.high, high - 1e-3 * width);
  } else {
    mean = expected["mean"], deviation = expected["std"];
    EXPECT_LT(found.low, mean - 3 * deviation) << "it has tails";
  }
  EXPECT_NEAR(found.mean, mean, 5 * deviation / std::sqrt(n));
  EXPECT_NEAR(found.deviation / deviation, 1, 5 / std::sqrt(n));
}

void initialise(const Tensor& tensor, const std::string& function, const Json& options) {
  if (function == "xavier_uniform_") init::xavier_uniform_(tensor, options["gain"]);
  if (function == "xavier_normal_") init::xavier_normal_(tensor, options["gain"]);
  const init::KaimingOptions kaiming{.a = options.value("a", 0.0),
                                     .mode = options.value("mode", "fan_in"),
                                     .nonlinearity = options.value("nonlinearity", "leaky_relu")};
  if (function == "kaiming_uniform_") init::kaiming_uniform_(tensor, kaiming);
  if (function == "kaiming_normal_") init::kaiming_normal_(tensor, kaiming);
}

TEST(Init, GainsArePyTorchs) {
  for (const auto& [name, gain] : reference()["gain"].items()) {
    const std::string kind = name.substr(0, name.find('('));
    std::optional<double> slope;
    if (kind != name) slope = std::stod(name.substr(kind.size() + 1));
    EXPECT_NEAR(init::calculate_gain(kind, slope), gain, 1e-15) << name;
  }
}

TEST(Init, XavierAndKaimingAreDistributedAsPyTorchs) {
  manual_seed(1);
  int functions = 0;
  for (const Json& one : reference()["functions"]) {
    SCOPED_TRACE(one.dump());
    const Tensor tensor = zeros(shape_of(one["shape"])).requires_grad_();
    const auto values = drawn(tensor, [&] { initialise(tensor, one["function"], one["options"]); });
    expect_distribution(values, one);
    EXPECT_TRUE(tensor.is_leaf() && tensor.requires_grad());
    ++functions;
  }
  std::cout << functions << " functions, shapes and options distributed as PyTorch's\n";
  EXPECT_EQ(functions, 80);
}

TEST(Init, UniformAndNormal) {
  manual_seed(2);
  const Tensor tensor = zeros({100, 100}).requires_grad_();
  expect_distribution(drawn(tensor, [&] { init::uniform_(tensor); }),
                      {{"distribution", "uniform"}, {"low", 0}, {"high", 1}});
  expect_distribution(drawn(tensor, [&] { init::uniform_(tensor, -3, 5); }),
                      {{"distribution", "uniform"}, {"low", -3}, {"high", 5}});
  expect_distribution(drawn(tensor, [&] { init::normal_(tensor); }),
                      {{"distribution", "normal"}, {"mean", 0}, {"std", 1}});
  expect_distribution(drawn(tensor, [&] { init::normal_(tensor, 4, 0.5); }),
                      {{"distribution", "normal"}, {"mean", 4}, {"std", 0.5}});
}

TEST(Init, TruncNormalIsCutAtItsBounds) {
  manual_seed(3);
  for (const Json& one : reference()["trunc_normal_"]) {
    SCOPED_TRACE(one.dump());
    const Json& options = one["options"];
    const Tensor tensor = zeros({50, 100}).requires_grad_();
    const auto values = drawn(tensor, [&] {
      init::trunc_normal_(tensor, options["mean"], options["std"], options["a"], options["b"]);
    });
    const Moments found(values);
    const double low = one["low"], high = one["high"], deviation = one["expected_std"];
    EXPECT_GE(found.low, static_cast<float>(low));
    EXPECT_LE(found.high, static_cast<float>(high));
    EXPECT_LT(found.low, low + 0.05 * deviation);
    const double n = static_cast<double>(values.size());
    EXPECT_NEAR(found.mean, one["expected_mean"], 5 * deviation / std::sqrt(n));
    EXPECT_NEAR(found.deviation / deviation, 1, 5 / std::sqrt(n));
  }
}

// Where probabilities near 1 have few digits left: a tail falls off by its slope, like e^(-a z).
TEST(Init, TruncNormalReachesFarTails) {
  manual_seed(4);
  const Tensor tensor = zeros({40000}, kFloat64);
  for (const double sign : {1.0, -1.0}) {
    if (sign > 0)
      init::trunc_normal_(tensor, 1, 2, 21, 41);
    else
      init::trunc_normal_(tensor, 1, 2, -39, -19);
    std::vector<double> tail;
    for (const double value : tensor.to_vector<double>()) tail.push_back(sign * (value - 1) / 2);
    const Moments found(tail);
    EXPECT_GE(found.low, 10);
    EXPECT_LT(found.low, 10.001);
    EXPECT_NEAR(found.mean, 10.09809323, 5 * 0.0963 / 200) << "a + 1/a - 2/a^3 + 10/a^5 - ..";
  }
}

TEST(Init, OrthogonalMatrices) {
  manual_seed(5);
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const Json& one : reference()["orthogonal_"]) {
      SCOPED_TRACE(one.dump());
      const Tensor tensor = zeros(shape_of(one["shape"]), dtype).requires_grad_();
      init::orthogonal_(tensor, one["gain"]);
      const Tensor matrix = tensor.detach().to(kFloat64).reshape(shape_of(one["flattened"]));
      const bool rows = one["property"].get<std::string>().starts_with("rows");
      const Tensor products = rows ? matmul(matrix, matrix.t()) : matmul(matrix.t(), matrix);
      const Tensor wanted = eye(products.size(0), -1, kFloat64) * one["squared_norm"].get<double>();
      const double error = (products - wanted).abs().max().item();
      EXPECT_LT(error, dtype == kFloat64 ? 1e-14 : 1e-6);
    }
  }
  // Every direction is as likely: the first element of a rotation in 3 dimensions is uniform.
  const Tensor rotation = zeros({3, 3}, kFloat64);
  std::vector<double> first;
  for (int i = 0; i < 4000; ++i) first.push_back(init::orthogonal_(rotation)[0][0].item());
  const Moments found(first);
  EXPECT_NEAR(found.mean, 0, 5 / std::sqrt(3.0 * 4000));
  EXPECT_NEAR(found.deviation * std::sqrt(3.0), 1, 5 / std::sqrt(4000.0));
}

TEST(Init, Constants) {
  const Tensor tensor = rand({2, 3}).requires_grad_();
  const auto numbers = [&] { return tensor.to_vector<double>(); };
  init::ones_(tensor);
  EXPECT_EQ(numbers(), std::vector<double>(6, 1));
  init::constant_(tensor, 0.5);
  EXPECT_EQ(numbers(), std::vector<double>(6, 0.5));
  init::zeros_(tensor);
  EXPECT_EQ(numbers(), std::vector<double>(6, 0));
  init::eye_(tensor);
  EXPECT_EQ(numbers(), (std::vector<double>{1, 0, 0, 0, 1, 0}));
}

// A convolution with it gives its input: one 1 in the middle, for output channel i input channel i.
TEST(Init, DiracPreservesChannels) {
  const Tensor weight = rand({4, 2, 3}).requires_grad_();
  init::dirac_(weight);
  std::vector<double> wanted(24, 0);
  wanted[1] = wanted[6 + 3 + 1] = 1;
  EXPECT_EQ(weight.to_vector<double>(), wanted);
  init::dirac_(weight, 2);
  wanted[2 * 6 + 1] = wanted[3 * 6 + 3 + 1] = 1;
  EXPECT_EQ(weight.to_vector<double>(), wanted);
  const Tensor deep = zeros({1, 1, 2, 3, 3});
  init::dirac_(deep);
  EXPECT_EQ(deep.select(0, 0).select(0, 0).select(0, 1)[1][1].item(), 1);
  EXPECT_EQ(deep.sum().item(), 1);
}

TEST(Init, SparseColumns) {
  manual_seed(6);
  const Tensor tensor = zeros({10, 400}).requires_grad_();
  init::sparse_(tensor, 0.25, 2);
  const Tensor zeros_there = tensor.detach().eq(0).sum({0});
  EXPECT_EQ(zeros_there.to_vector<double>(), std::vector<double>(400, 3)) << "0.25 of 10, upwards";
  const double others = tensor.detach().square().sum().item() / (7.0 * 400);
  EXPECT_NEAR(others / 4, 1, 5 * std::sqrt(2 / 2800.0));
}

std::vector<double> weights_after(uint64_t seed, const std::function<void(const Tensor&)>& f) {
  manual_seed(seed);
  const Tensor tensor = zeros({6, 6});
  f(tensor);
  return tensor.to_vector<double>();
}

TEST(Init, FollowsFromTheSeedAndDisturbsNoOtherStream) {
  for (const auto& f : std::vector<std::function<void(const Tensor&)>>{
           [](const Tensor& t) { init::trunc_normal_(t); },
           [](const Tensor& t) { init::orthogonal_(t); },
           [](const Tensor& t) { init::sparse_(t, 0.5); },
           [](const Tensor& t) { init::kaiming_normal_(t); }}) {
    const auto first = weights_after(7, f);
    const auto next = rand({4}).to_vector<double>();
    EXPECT_EQ(weights_after(7, f), first);
    EXPECT_NE(weights_after(8, f), first);
    manual_seed(7);
    EXPECT_EQ(rand({4}).to_vector<double>(), next);
  }
}

TEST(Init, Errors) {
  const auto message = [](const std::function<void()>& f) {
    return error_of<std::invalid_argument>(f);
  };
  EXPECT_EQ(message([] { init::xavier_uniform_(zeros({3})); }),
            "xavier_uniform_: a tensor of shape [3]: at least 2 dimensions are needed");
  EXPECT_EQ(message([] {
              init::kaiming_normal_(zeros({3, 3}), {.mode = "fan"});
            }),
            "kaiming_normal_: mode 'fan': 'fan_in' or 'fan_out' is needed");
  EXPECT_EQ(message([] {
              init::kaiming_normal_(zeros({3, 3}), {.nonlinearity = "step"});
            }),
            "calculate_gain: no nonlinearity 'step'");
  EXPECT_EQ(message([] { init::orthogonal_(zeros({3})); }).rfind("orthogonal_: ", 0), 0u);
  EXPECT_EQ(message([] { init::eye_(zeros({3})); }).rfind("eye_: ", 0), 0u);
  EXPECT_EQ(message([] { init::sparse_(zeros({3, 3}), 2); }).rfind("sparse_: ", 0), 0u);
  EXPECT_EQ(message([] { init::dirac_(zeros({3, 3})); }).rfind("dirac_: ", 0), 0u);
  EXPECT_EQ(message([] { init::dirac_(zeros({3, 3, 3}), 2); }).rfind("dirac_: ", 0), 0u);
  EXPECT_EQ(message([] { init::trunc_normal_(zeros({3}), 0, 1, 2, 1); }).rfind("trunc_normal_", 0),
            0u);
  EXPECT_EQ(message([] { init::normal_(zeros({3}), 0, -1); }),
            "normal_: std -1: must not be negative");
  EXPECT_EQ(message([] { init::uniform_(zeros({3}, kInt64)); }).rfind("uniform_: int64", 0), 0u);
}

// A parameter of a module of the file, by its constructor's arguments.
std::unique_ptr<nn::Module> made(const std::string& name, const Json& with) {
  if (name == "Linear")
    return std::make_unique<nn::Linear>(with["in_features"], with["out_features"]);
  if (name == "LayerNorm")
    return std::make_unique<nn::LayerNorm>(Shape{with["normalized_shape"].get<int64_t>()});
  if (name != "Embedding") return nullptr;
  std::optional<int64_t> padding;
  if (with.contains("padding_idx")) padding = with["padding_idx"].get<int64_t>();
  return std::make_unique<nn::Embedding>(with["num_embeddings"], with["embedding_dim"], padding);
}

TEST(Init, ModulesStartAsPyTorchs) {
  manual_seed(9);
  int parameters = 0;
  for (const Json& one : reference()["modules"]) {
    SCOPED_TRACE(one.dump());
    const std::unique_ptr<nn::Module> module = made(one["module"], one["ctor"]);
    if (!module) continue;
    EXPECT_EQ(module->named_parameters().size(), one["parameters"].size());
    for (const auto& [name, tensor] : module->named_parameters()) {
      const Json& expected = one["parameters"][name];
      Tensor part = tensor.detach();
      if (expected.contains("row_of_zeros")) {
        const int64_t row = expected["row_of_zeros"];
        EXPECT_EQ(part[row].to_vector<double>(), std::vector<double>(part.size(1), 0));
        part = part.narrow(0, 0, row);
      }
      expect_distribution(drawn(part, [&] { module->reset_parameters(); }), expected);
      ++parameters;
    }
  }
  EXPECT_EQ(parameters, 10) << "of Linear, Embedding and LayerNorm";
}

}  // namespace
}  // namespace levin
