// exp, log, tanh and what is made of them, against the C library in double precision; numbers at the
// edges; and element types into each other.
#include <gtest/gtest.h>
#include <levin/kernels/backend.h>
#include <levin/tensor/factories.h>
#include <levin/tensor/layout_math.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <iostream>

namespace levin {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Arg arg(const Tensor& tensor) { return {tensor.impl().block.get(), &tensor.layout()}; }

template <class T>
std::vector<T> mapped(Op op, const std::vector<T>& x) {
  const Tensor in = from_vector(x), out = empty_like(in);
  const ElementwiseCall call{op, OpPart::f, in.dtype(), 0, {}, {arg(in)}, arg(out)};
  EXPECT_EQ(backend(kCPU).elementwise(call), nullptr);
  return out.to_vector<T>();
}

// In units of the last place that a float has at the right value.
double ulps(float got, double right) {
  if (static_cast<float>(right) == got) return 0;
  if (!std::isfinite(static_cast<float>(right)) || !std::isfinite(got)) return 1e9;
  const int exponent = std::max(right == 0 ? -126 : std::ilogb(right), -126);
  return std::fabs(got - right) / std::ldexp(1.0, exponent - 23);
}

// Every 2003rd float of [low, high] (by bits: denormals and large numbers alike), both signs.
std::vector<float> floats_in(float low, float high) {
  std::vector<float> result;
  for (uint32_t bits = 0; bits <= 0x7f800000; bits += 2003)
    for (const uint32_t sign : {0u, 0x80000000u})
      if (const float x = std::bit_cast<float>(bits | sign); x >= low && x <= high)
        result.push_back(x);
  return result;
}

void expect_ulps(Op op, float low, float high, double bound, double (*right)(double)) {
  const std::vector<float> x = floats_in(low, high), y = mapped(op, x);
  double most = 0;
  float worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = ulps(y[i], right(x[i]));
    if (!(error <= most)) most = error, worst = x[i];
  }
  std::cout << name_of(op) << ": at most " << most << " ulp (at " << worst << ") over " << x.size()
            << " numbers\n";
  EXPECT_LE(most, bound) << "at " << worst;
}

TEST(Math, FloatFunctionsAreWithinTheirBounds) {
  expect_ulps(Op::exp, -110, 100, 1, std::exp);
  expect_ulps(Op::log, 0, kInf, 1, std::log);
  expect_ulps(Op::tanh, -kInf, kInf, 1.3, std::tanh);
  expect_ulps(Op::sigmoid, -80, kInf, 2.2, [](double x) { return 1 / (1 + std::exp(-x)); });
  expect_ulps(Op::sqrt, 0, kInf, 0.5, std::sqrt);
}

TEST(Math, DoubleFunctionsAreTheCLibrarys) {
  std::vector<double> x;
  for (int i = -1000; i < 1000; ++i) x.push_back(i * 0.741);
  const auto e = mapped(Op::exp, x), l = mapped(Op::log, x), t = mapped(Op::tanh, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(e[i], std::exp(x[i]));
    if (x[i] > 0) {
      EXPECT_EQ(l[i], std::log(x[i]));
    }
    EXPECT_EQ(t[i], std::tanh(x[i]));
  }
}

// An element's bits must not depend on whether a whole vector or the rest of a row reaches it.
TEST(Math, AnElementsPlaceDoesNotMatter) {
  const std::vector<float> all = floats_in(-200, 200);
  for (const Op op : {Op::exp, Op::log, Op::tanh, Op::sigmoid, Op::sqrt, Op::square, Op::relu}) {
    const std::vector<float> y = mapped(op, all);
    for (std::size_t i = 0; i + 7 < all.size(); i += 3001) {
      const std::vector<float> few(all.begin() + i, all.begin() + i + 3), alone = mapped(op, few);
      EXPECT_EQ(std::memcmp(alone.data(), y.data() + i, 12), 0) << name_of(op) << few[0];
    }
  }
}

template <class T>
void expect_values(Op op, const std::vector<T>& x, const std::vector<T>& wanted) {
  const std::vector<T> y = mapped(op, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(wanted[i])) {
      EXPECT_TRUE(std::isnan(y[i])) << name_of(op) << " of " << x[i] << ": " << y[i];
      continue;
    }
    EXPECT_EQ(y[i], wanted[i]) << name_of(op) << " of " << x[i];
    EXPECT_EQ(std::signbit(y[i]), std::signbit(wanted[i])) << name_of(op) << " of " << x[i];
  }
}

TEST(Math, NumbersAtTheEdges) {
  const float smallest = std::numeric_limits<float>::denorm_min();
  const float least = std::numeric_limits<float>::min(),
              largest = std::numeric_limits<float>::max();
  expect_values<float>(Op::exp,
                       {0, -0.0f, kInf, -kInf, kNaN, 1000, -1000, smallest, -103.97f, -104},
                       {1, 1, kInf, 0, kNaN, kInf, 0, 1, smallest, 0});
  expect_values<float>(Op::log, {1, 0, -0.0f, kInf, -kInf, kNaN, -1, -smallest},
                       {0, -kInf, -kInf, kInf, kNaN, kNaN, kNaN, kNaN});
  expect_values<float>(Op::tanh, {0, -0.0f, kInf, -kInf, kNaN, 20, -20, smallest, -1e-40f},
                       {0, -0.0f, 1, -1, kNaN, 1, -1, smallest, -1e-40f});
  expect_values<float>(Op::sigmoid, {0, kInf, -kInf, kNaN, 1000, -1000}, {0.5f, 1, 0, kNaN, 1, 0});
  expect_values<float>(Op::relu, {1, -1, 0, kInf, -kInf, kNaN, smallest, -smallest},
                       {1, 0, 0, kInf, 0, kNaN, smallest, 0});
  expect_values<float>(Op::abs, {-0.0f, -kInf, kNaN, -smallest}, {0, kInf, kNaN, smallest});
  expect_values<float>(Op::neg, {0, -0.0f, kInf, smallest}, {-0.0f, 0, -kInf, -smallest});
  expect_values<float>(Op::sqrt, {0, -0.0f, kInf, -1, kNaN, 4 * smallest},
                       {0, -0.0f, kInf, kNaN, kNaN, std::sqrt(4 * smallest)});
  expect_values<float>(Op::square, {largest, 1e-23f, -kInf, kNaN},
                       {kInf, 1e-23f * 1e-23f, kInf, kNaN});
  EXPECT_GT(mapped<float>(Op::log, {least})[0], -88);
  EXPECT_FLOAT_EQ(mapped<float>(Op::log, {smallest})[0], -103.278929903f);
  const double tiny = std::numeric_limits<double>::denorm_min();
  expect_values<double>(Op::exp, {0, kInf, -kInf, kNaN, 710, -746}, {1, kInf, 0, kNaN, kInf, 0});
  expect_values<double>(Op::tanh, {tiny, -kInf, kNaN}, {tiny, -1, kNaN});
}

// ---- Element types

Tensor converted(const Tensor& from, DType dtype) {
  const Tensor to = empty(from.shape(), dtype);
  EXPECT_EQ(backend(kCPU).copy(arg(from), arg(to)), nullptr);
  return to;
}

template <class T>
Tensor bits_as(const std::vector<T>& bits, DType dtype) {
  const Tensor result = empty({static_cast<int64_t>(bits.size())}, dtype);
  backend(kCPU).write(bits.data(), *result.impl().block, 0, bits.size() * sizeof(T));
  return result;
}

std::vector<uint16_t> bits_of_half(const Tensor& tensor) {
  std::vector<uint16_t> bits(tensor.numel());
  backend(kCPU).read(*tensor.impl().block, 0, bits.data(), bits.size() * 2);
  return bits;
}

// The value of a 16-bit float, from the definition of its format.
double value_of(uint16_t bits, int exponent_bits) {
  const int fraction_bits = 15 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = (bits & 0x7fff) >> fraction_bits, all = (1 << exponent_bits) - 1;
  const double fraction = std::ldexp(bits & ((1 << fraction_bits) - 1), -fraction_bits);
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == all) return fraction ? kNaN : sign * kInf;
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias);
  return sign * std::ldexp(1 + fraction, exponent - bias);
}

struct HalfType {
  DType dtype;
  int exponent_bits;
};

TEST(Convert, Every16BitFloatWidensExactlyAndComesBack) {
  for (const auto& [dtype, exponent_bits] : {HalfType{kFloat16, 5}, HalfType{kBFloat16, 8}}) {
    std::vector<uint16_t> all(65536);
    for (int i = 0; i < 65536; ++i) all[i] = static_cast<uint16_t>(i);
    const Tensor wide = converted(bits_as(all, dtype), kFloat32);
    const std::vector<float> values = wide.to_vector<float>();
    const std::vector<uint16_t> back = bits_of_half(converted(wide, dtype));
    for (int i = 0; i < 65536; ++i) {
      const double wanted = value_of(all[i], exponent_bits);
      if (std::isnan(wanted)) {
        EXPECT_TRUE(std::isnan(values[i]) && std::isnan(value_of(back[i], exponent_bits)));
        continue;
      }
      EXPECT_EQ(values[i], wanted);
      EXPECT_EQ(back[i], all[i]);
    }
  }
}

// Between every two neighbours: just below the middle, the middle (ties to even), just above.
TEST(Convert, NarrowingRoundsToNearestEven) {
  for (const auto& [dtype, exponent_bits] : {HalfType{kFloat16, 5}, HalfType{kBFloat16, 8}}) {
    std::vector<float> numbers;
    std::vector<uint16_t> wanted;
    const uint16_t infinity = exponent_bits == 5 ? 0x7c00 : 0x7f80;
    for (uint16_t low = 0; low + 1 < infinity; ++low) {
      const uint16_t high = low + 1;
      const auto middle =
          static_cast<float>((value_of(low, exponent_bits) + value_of(high, exponent_bits)) / 2);
      for (const float sign : {1.0f, -1.0f}) {
        const uint16_t mark = sign < 0 ? 0x8000 : 0;
        numbers.insert(numbers.end(), {sign * std::nextafter(middle, 0.0f), sign * middle,
                                       sign * std::nextafter(middle, kInf)});
        wanted.insert(wanted.end(), {static_cast<uint16_t>(low | mark),
                                     static_cast<uint16_t>((low % 2 ? high : low) | mark),
                                     static_cast<uint16_t>(high | mark)});
      }
    }
    numbers.insert(numbers.end(), {kInf, -kInf, std::numeric_limits<float>::max()});
    wanted.insert(wanted.end(), {infinity, static_cast<uint16_t>(infinity | 0x8000), infinity});
    EXPECT_EQ(bits_of_half(converted(from_vector(numbers), dtype)), wanted) << name_of(dtype);
  }
}

TEST(Convert, EveryTypeToEveryOther) {
  const Tensor whole = from_vector(std::vector<int64_t>{0, 1, 2, 3, 100, 127});
  for (int from = 0; from < kDTypes; ++from) {
    for (int to = 0; to < kDTypes; ++to) {
      const auto source = static_cast<DType>(from), target = static_cast<DType>(to);
      const Tensor result = converted(converted(whole, source), target);
      const bool through_bool = source == kBool || target == kBool;
      const std::vector<double> wanted = through_bool ? std::vector<double>{0, 1, 1, 1, 1, 1}
                                                      : std::vector<double>{0, 1, 2, 3, 100, 127};
      EXPECT_EQ(result.to_vector<double>(), wanted) << name_of(source) << " to " << name_of(target);
    }
  }
}

TEST(Convert, FloatsToIntegers) {
  const Tensor x = from_vector(std::vector<double>{1.9, -1.9, 0.5, -0.5, kNaN, 1e30, -1e30, kInf});
  EXPECT_EQ(converted(x, kInt64).to_vector<int64_t>(),
            std::vector<int64_t>({1, -1, 0, 0, 0, INT64_MAX, INT64_MIN, INT64_MAX}));
  EXPECT_EQ(converted(x, kBool).to_vector<double>(), std::vector<double>({1, 1, 1, 1, 1, 1, 1, 1}));
  const Tensor zeros = from_vector(std::vector<double>{0.0, -0.0});
  EXPECT_EQ(converted(zeros, kBool).to_vector<double>(), std::vector<double>({0, 0}));
}

TEST(Convert, CopiesBetweenAnyTwoLayouts) {
  Generator generator(1);
  const Tensor base = rand({7, 600, 3}, generator);
  const Tensor source = make_view(base, permuted(base.layout(), {2, 0, 1}));
  const Tensor room = zeros({600, 7, 6});
  const Tensor target =
      make_view(room, permuted(sliced(room.layout(), 2, 0, 6, 2), {2, 1, 0}));  // [3, 7, 600]
  ASSERT_EQ(backend(kCPU).copy(arg(source), arg(target)), nullptr);
  EXPECT_EQ(target.to_vector<float>(), source.to_vector<float>());
  const auto all = room.to_vector<float>();
  for (std::size_t i = 1; i < all.size(); i += 2) ASSERT_EQ(all[i], 0) << "written between";
}

}  // namespace
}  // namespace levin
