// The functions that levin computes itself, against the C library in higher precision; and numbers at
// the edges. LEVIN_EVERY_FLOAT=1 measures the bounds over all floats (minutes).
#include <gtest/gtest.h>
#include <levin/kernels/backend.h>
#include <levin/tensor/factories.h>
#include <levin/tensor/layout_math.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>

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

// In units of the last place that a T has at the right value.
template <class T>
double ulps(T got, long double right) {
  const auto rounded = static_cast<T>(right);
  if (rounded == got || (std::isnan(rounded) && std::isnan(got))) return 0;
  if (!std::isfinite(rounded) || !std::isfinite(got)) return 1e9;
  using Limits = std::numeric_limits<T>;
  const int exponent = std::max(right == 0 ? 0 : std::ilogb(right), Limits::min_exponent - 1);
  return std::fabs(
      static_cast<double>((got - right) / std::ldexp(1.0L, exponent - Limits::digits + 1)));
}

// Calls use(x) for the floats of [low, high] in parts: every 2003rd (by bits: denormals and large
// numbers alike), or each.
template <class Use>
void for_floats_in(float low, float high, Use use) {
  const uint64_t step = std::getenv("LEVIN_EVERY_FLOAT") ? 1 : 2003;
  std::vector<float> part;
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += step) {
    const auto x = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (x >= low && x <= high) part.push_back(x);
    if (part.size() == 1 << 20 || ((bits + step) >> 32 && !part.empty())) {
      use(part);
      part.clear();
    }
  }
}

// The greatest error of y, seen so far.
struct Greatest {
  double ulp = 0, at = 0;

  template <class T, class Right>
  void add(const std::vector<T>& x, const std::vector<T>& y, Right right) {
    for (std::size_t i = 0; i < x.size(); ++i)
      if (const double error = ulps(y[i], right(x[i])); !(error <= ulp)) ulp = error, at = x[i];
  }
  void expect(Op op, double bound) const {
    std::cout << name_of(op) << ": at most " << ulp << " ulp (at " << at << ")\n";
    EXPECT_LE(ulp, bound) << name_of(op) << " at " << at;
  }
};

void expect_ulps(Op op, float low, float high, double bound, double (*right)(double)) {
  Greatest greatest;
  for_floats_in(low, high,
                [&](const std::vector<float>& x) { greatest.add(x, mapped(op, x), right); });
  greatest.expect(op, bound);
}

TEST(Math, FloatFunctionsAreWithinTheirBounds) {
  expect_ulps(Op::exp, -kInf, kInf, 1.05, std::exp);
  expect_ulps(Op::log, -kInf, kInf, 0.9, std::log);
  expect_ulps(Op::expm1, -kInf, kInf, 1.6, std::expm1);
  expect_ulps(Op::log1p, -kInf, kInf, 1.5, std::log1p);
  expect_ulps(Op::tanh, -kInf, kInf, 2.5, std::tanh);
  expect_ulps(Op::erf, -kInf, kInf, 1.7, std::erf);
  expect_ulps(Op::sin, -kInf, kInf, 1.6, std::sin);
  expect_ulps(Op::cos, -kInf, kInf, 1.6, std::cos);
  expect_ulps(Op::sigmoid, -80, kInf, 2.5, [](double x) { return 1 / (1 + std::exp(-x)); });
  expect_ulps(Op::sqrt, 0, kInf, 0.5, std::sqrt);
}

// Half of them uniform in [low, high], half of any size.
std::vector<double> doubles_in(double low, double high) {
  Generator generator(31);
  std::vector<double> x = rand({200000}, generator, kFloat64).to_vector<double>();
  for (double& number : x) number = low + (high - low) * number;
  std::mt19937_64 bits(32);
  for (int i = 0; i < 200000; ++i) x.push_back(std::bit_cast<double>(uint64_t{bits()}));
  return x;
}

void expect_ulps(Op op, double low, double high, double bound, long double (*right)(long double)) {
  Greatest greatest;
  const std::vector<double> x = doubles_in(low, high);
  greatest.add(x, mapped(op, x), right);
  greatest.expect(op, bound);
}

TEST(Math, DoubleFunctionsAreWithinTheirBounds) {
  expect_ulps(Op::exp, -750.0, 712.0, 1.0, std::exp);
  expect_ulps(Op::log, 0.5, 2.0, 0.9, std::log);
  expect_ulps(Op::tanh, -2.0, 2.0, 2.5, std::tanh);
  expect_ulps(Op::sin, -100.0, 100.0, 1.6, std::sin);
  expect_ulps(Op::cos, -100.0, 100.0, 1.6, std::cos);
}

// An element's bits must not depend on whether a whole vector or the end of a row reaches it.
template <class T>
void expect_same_alone(const std::vector<T>& all) {
  for (const Op op : {Op::exp, Op::log, Op::tanh, Op::expm1, Op::log1p, Op::erf, Op::sin, Op::cos,
                      Op::sigmoid, Op::sqrt, Op::square, Op::relu, Op::log10, Op::gelu}) {
    const std::vector<T> y = mapped(op, all);
    for (std::size_t i = 0; i + 7 < all.size(); i += 3001) {
      const std::vector<T> few(all.begin() + i, all.begin() + i + 3), alone = mapped(op, few);
      EXPECT_EQ(std::memcmp(alone.data(), y.data() + i, 3 * sizeof(T)), 0) << name_of(op) << few[0];
    }
  }
}

TEST(Math, AnElementsPlaceDoesNotMatter) {
  std::vector<float> floats;
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 2003)
    floats.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  expect_same_alone(floats);
  expect_same_alone(doubles_in(-30, 30));
}

// Rows of every length up to some vectors, and nothing behind their ends.
template <class T>
void expect_rows_of_any_length() {
  Generator generator(32);
  for (int64_t n = 0; n <= 70; ++n) {
    const Tensor x = rand({n}, generator, DTypeOf<T>::value), y = rand({n}, generator, x.dtype());
    const Tensor room = full({n + 40}, 7, x.dtype()), marks = zeros({n + 40}, kBool);
    const Tensor sum = make_view(room, sliced(room.layout(), 0, 0, n, 1));
    const Tensor less = make_view(marks, sliced(marks.layout(), 0, 0, n, 1));
    for (const auto& [op, out] : {std::pair{Op::add, sum}, std::pair{Op::lt, less}}) {
      const ElementwiseCall call{op, OpPart::f, x.dtype(), 0, {}, {arg(x), arg(y)}, arg(out)};
      ASSERT_EQ(backend(kCPU).elementwise(call), nullptr);
    }
    const auto a = x.to_vector<T>(), b = y.to_vector<T>(), sums = room.to_vector<T>();
    const auto found = marks.to_vector<double>();
    for (int64_t i = 0; i < n + 40; ++i) {
      ASSERT_EQ(sums[i], i < n ? a[i] + b[i] : 7) << i << " of " << n;
      ASSERT_EQ(found[i], i < n ? a[i] < b[i] : 0) << i << " of " << n;
    }
  }
}

TEST(Math, RowsOfAnyLength) {
  expect_rows_of_any_length<float>();
  expect_rows_of_any_length<double>();
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
  const float few = 1e-40f;
  expect_values<float>(Op::expm1, {0, -0.0f, kInf, -kInf, kNaN, 100, -100, smallest, -few},
                       {0, -0.0f, kInf, -1, kNaN, kInf, -1, smallest, -few});
  expect_values<float>(Op::log1p, {0, -0.0f, kInf, -kInf, kNaN, -1, -2, smallest, -few, largest},
                       {0, -0.0f, kInf, kNaN, kNaN, -kInf, kNaN, smallest, -few, 88.72284f});
  expect_values<float>(Op::erf, {0, -0.0f, kInf, -kInf, kNaN, 4, -5, 3.92f},
                       {0, -0.0f, 1, -1, kNaN, 1, -1, 1});
  expect_values<float>(
      Op::sin, {0, -0.0f, kInf, -kInf, kNaN, smallest, -few, 1e30f},
      {0, -0.0f, kNaN, kNaN, kNaN, smallest, -few, float(std::sin(double{1e30f}))});
  expect_values<float>(Op::cos, {0, -0.0f, kInf, kNaN, smallest, 1e30f},
                       {1, 1, kNaN, kNaN, 1, float(std::cos(double{1e30f}))});
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
  expect_values<double>(Op::exp, {745.2, -745.2, -708.5}, {kInf, 0, std::exp(-708.5)});
  expect_values<double>(Op::log, {1, 0, -0.0, kInf, -1, kNaN, tiny},
                        {0, -kInf, -kInf, kInf, kNaN, kNaN, std::log(tiny)});
  expect_values<double>(Op::tanh, {0, -0.0, tiny, kInf, -kInf, kNaN, 19.5},
                        {0, -0.0, tiny, 1, -1, kNaN, 1});
  expect_values<double>(Op::sin, {0, -0.0, tiny, kInf, kNaN, 1e300},
                        {0, -0.0, tiny, kNaN, kNaN, std::sin(1e300)});
  expect_values<double>(Op::cos, {0, -kInf, kNaN, 1e300}, {1, kNaN, kNaN, std::cos(1e300)});
}

}  // namespace
}  // namespace levin
