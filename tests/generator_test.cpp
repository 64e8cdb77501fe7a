#include <gtest/gtest.h>
#include <levin/autograd/ops.h>
#include <levin/kernels/philox.h>
#include <levin/tensor/factories.h>
#include <levin/tensor/file.h>
#include <levin/tensor/layout_math.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

namespace levin {
namespace {

// "6627e8d5 e169c58d .." as words.
template <std::size_t n>
std::array<uint32_t, n> words(const std::string& text) {
  std::array<uint32_t, n> result{};
  std::istringstream stream(text);
  for (uint32_t& word : result) stream >> std::hex >> word;
  EXPECT_TRUE(stream) << text;
  return result;
}

// Those that were published with Random123, and others that a second implementation made.
TEST(Philox, KnownAnswers) {
  const auto table =
      nlohmann::json::parse(read_whole(LEVIN_TEST_DIR "/reference/philox4x32_10.json"));
  int vectors = 0;
  for (const char* group : {"published", "generated"})
    for (const auto& one : table[group]) {
      EXPECT_EQ(philox(words<4>(one["counter"]), words<2>(one["key"])), words<4>(one["output"]));
      ++vectors;
    }
  EXPECT_EQ(vectors, 3 + 32);
}

// Made by a second implementation of levin's word layout, in Python.
TEST(Generator, NumbersAreTheWrittenOnes) {
  Generator generator(42);
  const std::vector<double> uniform = {0.6033577919006348, 0.41308802366256714,
                                       0.8419646620750427, 0.18627840280532837,
                                       0.5316798686981201, 0.6547576785087585};
  EXPECT_EQ(rand({6}, generator).to_vector<double>(), uniform);
  const std::vector<double> next = {0.44302934408187866, 0.20636886358261108};
  EXPECT_EQ(rand({2}, generator).to_vector<double>(), next)
      << "the second call has its own numbers";
  const std::vector<double> normal = {1.1902875066288847, -2.173522795361496, 0.5254097090896918,
                                      -2.4697231009706737, 0.18158440537135923};
  const std::vector<double> drawn = randn({5}, generator).to_vector<double>();
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(drawn[i], normal[i], 1e-6);
  const std::vector<double> wide = {0.9900894494920226, 0.42143165466225985, 0.20243211073246603};
  EXPECT_EQ(rand({3}, generator, kFloat64).to_vector<double>(), wide);
  const std::vector<int64_t> integers = {5, 4, 6, 0, 3, 5, 4, 2};
  EXPECT_EQ(randint(0, 10, {8}, generator).to_vector<int64_t>(), integers);
  EXPECT_EQ(generator.keyed(3, 7).seed(), 0x50e4d96d5a0c7bac);
}

TEST(Generator, StreamsAreIndependent) {
  const auto drawn = [](Generator& generator, const char* stream) {
    const Tensor out = empty({8});
    uniform_(out, 0, 1, generator, stream);
    return out.to_vector<double>();
  };
  Generator alone(7), mixed(7);
  const auto first = drawn(alone, "init"), second = drawn(alone, "init");
  const auto other = drawn(mixed, "dropout");
  EXPECT_EQ(drawn(mixed, "init"), first);
  drawn(mixed, "loader");
  EXPECT_EQ(drawn(mixed, "init"), second);
  EXPECT_NE(first, second);
  EXPECT_NE(first, other);
}

TEST(Generator, CountersRestoreTheState) {
  Generator original(3);
  rand({5}, original);
  randperm(10, original, "loader");
  randn({2}, original);
  const std::vector<std::pair<std::string, uint64_t>> expected = {{"main", 2}, {"loader", 1}};
  EXPECT_EQ(original.counters(), expected);

  Generator restored(3), copied = original;
  restored.stream("dropout");
  restored.set_counters(original.counters());
  EXPECT_EQ(restored.counters(), expected) << "streams that were not there are gone";
  const auto next = randn({9}, original).to_vector<double>();
  EXPECT_EQ(randn({9}, restored).to_vector<double>(), next);
  EXPECT_EQ(randn({9}, copied).to_vector<double>(), next);
  const auto order = randperm(50, original, "loader").to_vector<int64_t>();
  EXPECT_EQ(randperm(50, restored, "loader").to_vector<int64_t>(), order);

  original.manual_seed(3);
  EXPECT_EQ(original.counters().size(), 0u);
  Generator fresh(3);
  EXPECT_EQ(rand({5}, original).to_vector<double>(), rand({5}, fresh).to_vector<double>());
}

TEST(Generator, KeyedDependsOnSeedEpochAndIndexAlone) {
  Generator generator(11);
  const uint64_t seed = generator.keyed(1, 2).seed();
  rand({4}, generator);
  EXPECT_EQ(generator.keyed(1, 2).seed(), seed);
  std::set<uint64_t> seeds = {11, Generator(12).keyed(1, 2).seed()};
  for (const uint64_t epoch : {uint64_t{0}, uint64_t{1}, uint64_t{2}, uint64_t{1} << 32})
    for (const uint64_t index : {uint64_t{0}, uint64_t{1}, uint64_t{2}, uint64_t{1} << 32})
      seeds.insert(generator.keyed(epoch, index).seed());
  EXPECT_EQ(seeds.size(), 2u + 16u) << "all different";
}

TEST(Generator, Errors) {
  Generator generator;
  EXPECT_THROW(generator.stream("sixteen letters!"), std::invalid_argument);
  for (const char* name : {"1", "2", "3", "4", "5", "6", "7", "fifteen letters"})
    generator.stream(name);
  EXPECT_THROW(generator.stream("9"), std::invalid_argument);
  generator.stream("7").counter = 5;
  EXPECT_EQ(generator.stream("7").counter, 5u);
  EXPECT_THROW(rand({2}, generator, kInt64), std::invalid_argument);
  EXPECT_THROW(randn({2}, generator, kBool), std::invalid_argument);
  EXPECT_THROW(uniform_(zeros({2}, kInt32), 0, 1, generator), std::invalid_argument);
  EXPECT_THROW(normal_(zeros({2}, kUInt8), 0, 1, generator), std::invalid_argument);
  EXPECT_THROW(randint(3, 3, {2}, generator), std::invalid_argument);
  EXPECT_THROW(randint(0, int64_t{1} << 53, {2}, generator), std::invalid_argument);
  EXPECT_THROW(randperm(-1, generator), std::invalid_argument);
}

TEST(Generator, EachThreadHasItsOwnDefault) {
  manual_seed(5);
  const auto here = rand({4}).to_vector<double>();
  std::vector<double> there;
  std::thread([&] {
    manual_seed(5);
    there = rand({4}).to_vector<double>();
  }).join();
  EXPECT_EQ(there, here);

  Generator own(5);
  {
    const GeneratorGuard guard(own);
    EXPECT_EQ(&default_generator(), &own);
    EXPECT_EQ(rand({4}).to_vector<double>(), here);
  }
  EXPECT_NE(&default_generator(), &own);
  EXPECT_NE(rand({4}).to_vector<double>(), here);
}

// Element i gets number i, wherever it lies.
TEST(Random, TheSameNumbersWhateverTheLayout) {
  for (const DType dtype : {kFloat32, kFloat64, kBFloat16, kFloat16}) {
    Generator plain(9), strided(9);
    const Tensor expected = empty({6, 4}, dtype), base = zeros({4, 13}, dtype);
    const Tensor view = make_view(base, transposed(sliced(base.layout(), 1, 1, 13, 2), 0, 1));
    normal_(expected, 1, 2, plain);
    normal_(view, 1, 2, strided);
    EXPECT_EQ(view.to_vector<double>(), expected.to_vector<double>()) << name_of(dtype);
    uniform_(expected, -3, 5, plain);
    uniform_(view, -3, 5, strided);
    EXPECT_EQ(view.to_vector<double>(), expected.to_vector<double>()) << name_of(dtype);
    const auto untouched = base.to_vector<double>();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(untouched[13 * i + 2], 0) << "between the view's";
  }
}

TEST(Random, WritingCountsAsAVersion) {
  Generator generator;
  const Tensor out = empty({3});
  const uint32_t before = out.version();
  uniform_(out, 0, 1, generator);
  EXPECT_GT(out.version(), before);
}

TEST(Random, UniformStaysInItsInterval) {
  Generator generator(1);
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const double x : rand({100000}, generator, dtype).to_vector<double>())
      ASSERT_TRUE(x >= 0 && x < 1) << x;
    const Tensor narrow = empty({100000}, dtype);
    const double high = 1000 + 0x1p-12;  // few float32 numbers lie between: rounding hits the end
    uniform_(narrow, 1000, high, generator);
    for (const double x : narrow.to_vector<double>()) ASSERT_TRUE(x >= 1000 && x < high) << x;
  }
}

// Where the next number of a 16-bit type is far, most of an interval's last part rounds to its end.
TEST(Random, UniformStaysInItsIntervalIn16Bits) {
  Generator generator(1);
  for (const DType dtype : {kBFloat16, kFloat16})
    for (const auto& [low, high] : {std::pair{0.0, 1.0}, {-1.0, 0.0}, {-3.0, -2.0}, {1.0, 1.5}}) {
      const Tensor x = empty({100000}, dtype);
      uniform_(x, low, high, generator);
      EXPECT_GE(x.min().item(), low);
      EXPECT_LT(x.max().item(), high);
      EXPECT_GT(x.max().item(), high - 0.02);
    }
}

TEST(Random, IntegersReachBothEndsAndNoMore) {
  Generator generator(2);
  std::set<int64_t> seen;
  for (const int64_t x : randint(-3, 4, {1000}, generator).to_vector<int64_t>()) seen.insert(x);
  EXPECT_EQ(seen, (std::set<int64_t>{-3, -2, -1, 0, 1, 2, 3}));
  const int64_t low = -(int64_t{1} << 40), high = int64_t{1} << 41;
  const auto wide = randint(low, high, {10000}, generator).to_vector<int64_t>();
  const auto [smallest, largest] = std::minmax_element(wide.begin(), wide.end());
  EXPECT_GE(*smallest, low);
  EXPECT_LT(*largest, high);
  EXPECT_LT(*smallest, low + (high - low) / 100);
  EXPECT_GT(*largest, high - (high - low) / 100);
  EXPECT_EQ(randint(5, 6, {3}, generator).to_vector<int64_t>(), (std::vector<int64_t>{5, 5, 5}));
}

TEST(Random, PermutationsHoldEachNumberOnce) {
  Generator generator(4);
  for (const int64_t n : {0, 1, 2, 3, 1000}) {
    auto order = randperm(n, generator).to_vector<int64_t>();
    std::sort(order.begin(), order.end());
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(order[i], i) << n;
    EXPECT_EQ(static_cast<int64_t>(order.size()), n);
  }
  std::set<std::vector<int64_t>> orders;
  for (int i = 0; i < 200; ++i) orders.insert(randperm(3, generator).to_vector<int64_t>());
  EXPECT_EQ(orders.size(), 6u) << "every order of three comes up";
}

// Within five standard errors, for a fixed seed.
TEST(Random, MomentsOfTheNormal) {
  Generator generator(6);
  constexpr double n = 200000;
  for (const DType dtype : {kFloat32, kFloat64}) {
    double sums[5] = {};
    for (const double x : randn({static_cast<int64_t>(n)}, generator, dtype).to_vector<double>())
      for (int power = 1; power <= 4; ++power) sums[power] += std::pow(x, power) / n;
    EXPECT_NEAR(sums[1], 0, 5 * std::sqrt(1 / n));
    EXPECT_NEAR(sums[2], 1, 5 * std::sqrt(2 / n));
    EXPECT_NEAR(sums[3], 0, 5 * std::sqrt(15 / n));
    EXPECT_NEAR(sums[4], 3, 5 * std::sqrt(96 / n));
  }
  const Tensor moved = empty({static_cast<int64_t>(n)});
  normal_(moved, 10, 3, generator);
  double mean = 0, square = 0;
  for (const double x : moved.to_vector<double>()) mean += x / n, square += x * x / n;
  EXPECT_NEAR(mean, 10, 15 * std::sqrt(1 / n));
  EXPECT_NEAR(square - mean * mean, 9, 45 * std::sqrt(2 / n));
}

}  // namespace
}  // namespace levin
