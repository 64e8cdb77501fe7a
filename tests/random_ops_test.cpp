// Operations that draw random numbers: what they draw, from which stream, with which derivative.
#include <gtest/gtest.h>
#include <levin/autograd/ops.h>

#include <cmath>
#include <set>

#include "scratch.h"
#include "threads.h"

namespace levin {
namespace {

using Numbers = std::vector<double>;

struct Moments {
  double mean = 0, variance = 0;
  explicit Moments(const Numbers& values) {
    const double n = static_cast<double>(values.size());
    for (const double value : values) mean += value / n;
    for (const double value : values) variance += (value - mean) * (value - mean) / n;
  }
};

constexpr int64_t kMany = 100000;

// Element i gets number i of the call: for any number of threads, wherever it lies, however many
// come after it.
TEST(Random, NumbersDependOnNothingButTheirPlace) {
  constexpr int64_t n = 50001;
  for (const DType dtype : {kFloat32, kFloat64, kBFloat16}) {
    for (const bool normal : {false, true}) {
      const auto drawn = [&](const Tensor& out) {
        Generator generator(5);
        if (normal)
          normal_(out, 1, 2, generator);
        else
          uniform_(out, -1, 2, generator);
        return out.to_vector<double>();
      };
      Numbers one;
      for (const int threads : kThreadCounts) {
        const Threads set(threads);
        const Numbers numbers = drawn(empty({n}, dtype));
        if (threads == 1) one = numbers;
        EXPECT_EQ(numbers, one) << threads << " threads";
        EXPECT_EQ(drawn(empty({3, n}, dtype).t().select(1, 1)), one) << "strided";
        EXPECT_EQ(drawn(empty({n}, dtype).reshape({3, 16667})), one) << "in another shape";
      }
      one.resize(20011);
      EXPECT_EQ(drawn(empty({20011}, dtype)), one) << "the first of them";
    }
  }
}

TEST(Random, MasksDependOnNoThread) {
  Numbers one;
  for (const int threads : kThreadCounts) {
    const Threads set(threads);
    manual_seed(6);
    const Tensor x = ones({300, 200}).requires_grad_();
    const Tensor y = dropout(x.t(), 0.3) + full({200, 300}, 0.5).bernoulli();
    y.sum().backward();
    Numbers numbers = y.detach().to_vector<double>();
    for (const double slope : x.grad().to_vector<double>()) numbers.push_back(slope);
    if (threads == 1) one = numbers;
    EXPECT_EQ(numbers, one) << threads << " threads";
  }
}

TEST(Dropout, KeepsAPartAndScalesIt) {
  for (const DType dtype : {kFloat32, kFloat64, kBFloat16}) {
    for (const double p : {0.1, 0.5, 0.75}) {
      manual_seed(1);
      int64_t dropped = 0;
      for (const double value : dropout(full({kMany}, 3.0, dtype), p).to_vector<double>()) {
        if (value == 0)
          ++dropped;
        else
          EXPECT_NEAR(value, 3 / (1 - p), 3 / (1 - p) * 0x1p-8);
      }
      const double n = kMany;
      EXPECT_NEAR(static_cast<double>(dropped), p * n, 5 * std::sqrt(n * p * (1 - p)));
    }
  }
}

TEST(Dropout, DrawsFromItsOwnStream) {
  const Tensor x = ones({64});
  manual_seed(2);
  const Numbers first = dropout(x).to_vector<double>(), second = dropout(x).to_vector<double>();
  EXPECT_NE(first, second);
  manual_seed(2);
  rand({1000});
  EXPECT_EQ(dropout(x).to_vector<double>(), first) << "other streams do not shift it";
  dropout(x, 0.5, false);
  dropout(x, 0);
  EXPECT_EQ(dropout(x).to_vector<double>(), second) << "nothing is drawn where nothing is dropped";
}

// y = m x, so dy/dx = m, and the gradient of a gradient is m again.
TEST(Dropout, DerivativesHaveTheSameMask) {
  const Tensor x = full({50}, 2.0, kFloat64).requires_grad_();
  const Tensor y = dropout(x, 0.4), upstream = ones({50}, kFloat64).requires_grad_();
  const Numbers mask = (y / 2).to_vector<double>();
  const Tensor slope = grad({y}, {x}, {upstream}, true, true)[0];
  EXPECT_EQ(slope.to_vector<double>(), mask);
  EXPECT_EQ(grad({slope.sum()}, {upstream})[0].to_vector<double>(), mask);
}

TEST(Dropout, WhatIsDroppedIsZeroWhateverItWas) {
  const Tensor x = full({100}, INFINITY, kFloat32).requires_grad_();
  const Tensor y = dropout(x);
  y.backward(ones({100}));
  const Numbers values = y.to_vector<double>(), slopes = x.grad().to_vector<double>();
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(values[i] == 0 || values[i] == INFINITY);
    EXPECT_EQ(slopes[i], values[i] == 0 ? 0 : 2);
  }
}

TEST(Bernoulli, DrawsOnesByTheirProbability) {
  manual_seed(4);
  const Tensor p = from_vector(Numbers{0, 0.25, 0.5, 0.9, 1}).expand({kMany, 5});
  const Numbers ones = p.bernoulli().mean(0).to_vector<double>();
  const double n = kMany;
  for (int i = 0; i < 5; ++i) {
    const double wanted = Numbers{0, 0.25, 0.5, 0.9, 1}[i];
    EXPECT_NEAR(ones[i], wanted, 5 * std::sqrt(wanted * (1 - wanted) / n));
  }
  const Tensor out_of_range = from_vector(Numbers{-1, 2, NAN}).bernoulli();
  EXPECT_EQ(out_of_range.to_vector<double>(), (Numbers{0, 1, 0}));
  const Tensor leaf = full({3}, 0.5).requires_grad_();
  EXPECT_FALSE(leaf.bernoulli().requires_grad()) << "a step function has no derivative";
}

TEST(InPlace, DrawsWhatTheFreeFunctionsDo) {
  manual_seed(8);
  const Tensor x = zeros({2, 50}).t();
  const Numbers uniform = x.uniform_(-1, 3).to_vector<double>();
  const Numbers normal = x.normal_(1, 2).to_vector<double>();
  manual_seed(8);
  const Tensor y = empty({50, 2});
  uniform_(y, -1, 3, default_generator());
  EXPECT_EQ(uniform, y.to_vector<double>());
  normal_(y, 1, 2, default_generator());
  EXPECT_EQ(normal, y.to_vector<double>());
  for (const DType dtype : {kFloat32, kFloat64, kInt8, kBool}) {
    const double n = kMany;
    const double ones = zeros({kMany}, dtype).bernoulli_(0.2).to(kFloat64).sum().item();
    EXPECT_NEAR(ones, 0.2 * n, 5 * std::sqrt(0.16 * n));
  }
}

TEST(InPlace, WhatIsOverwrittenGetsNoGradient) {
  const Tensor x = ones({3}).requires_grad_();
  const Tensor y = x * 2;
  y.uniform_();
  EXPECT_FALSE(y.requires_grad());
  const Tensor base = x.exp();
  base.sum().backward({}, true);
  base.normal_();
  EXPECT_EQ(error_of<std::logic_error>([&] { base.backward(ones({3})); }).empty(), false);
}

TEST(Normal, HasTheMeanAndDeviationOfEachElement) {
  manual_seed(5);
  const Tensor mean = from_vector(Numbers{-3, 0, 8}), std = from_vector(Numbers{0.5, 1, 2});
  const Tensor drawn = normal(mean.expand({kMany, 3}), std);
  const double n = kMany;
  for (int i = 0; i < 3; ++i) {
    const Moments found(drawn.select(1, i).to_vector<double>());
    const double wanted = Numbers{0.5, 1, 2}[i];
    EXPECT_NEAR(found.mean, (Numbers{-3, 0, 8}[i]), 5 * wanted / std::sqrt(n));
    EXPECT_NEAR(found.variance / (wanted * wanted), 1, 5 * std::sqrt(2 / n));
  }
}

TEST(Fork, FollowsFromSeedAndNameAlone) {
  Generator generator(7);
  const Generator early = generator.fork("model");
  rand({100}, generator);
  randn({3}, generator);
  EXPECT_EQ(generator.fork("model").seed(), early.seed());
  EXPECT_EQ(Generator(7).fork("model").seed(), early.seed());
  std::set<uint64_t> seeds = {7, Generator(8).fork("model").seed(), generator.keyed(0, 0).seed()};
  for (const char* name : {"model", "data", "", "a", "b", "ab", "ba", "a name of any length"})
    seeds.insert(generator.fork(name).seed());
  EXPECT_EQ(seeds.size(), 3u + 8u) << "all different";
  EXPECT_NE(generator.fork("a").fork("b").seed(), generator.fork("b").fork("a").seed());
  EXPECT_EQ(generator.fork("model").seed(), 0xcc7e10dabc075d67)
      << "written down: it must never change";
}

}  // namespace
}  // namespace levin
