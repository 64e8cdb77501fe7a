// Operands that need no joining go straight to the loop: what that must not change.
#include <gtest/gtest.h>
#include <levin/autograd/ops.h>

#include <functional>

namespace levin {
namespace {

// Around a tile, and around the piece that the pool gets.
constexpr int64_t kSizes[] = {0, 1, 7, 100, 511, 512, 513, 1025, 32768, 32769, 70000};

std::vector<double> results(const std::vector<double>& x, std::function<double(double)> f) {
  std::vector<double> y;
  for (const double value : x) y.push_back(f(value));
  return y;
}

// A tensor of `size` elements that starts behind the start of its memory.
Tensor shifted(int64_t size, DType dtype) {
  return arange(size + 3).remainder(5).to(dtype).slice(0, 3, size + 3);
}

TEST(Alike, NumbersBesideTensorsOfAnySize) {
  for (const DType dtype : {kFloat32, kFloat64, kBFloat16, kInt64, kUInt8})
    for (const int64_t size : kSizes) {
      const Tensor x = shifted(size, dtype);
      const std::vector<double> values = x.to_vector<double>();
      EXPECT_EQ((x + 2).to_vector<double>(), results(values, [](double v) { return v + 2; }));
      EXPECT_EQ((9 - x).to_vector<double>(), results(values, [](double v) { return 9 - v; }));
      EXPECT_EQ((x > 2).to_vector<double>(), results(values, [](double v) { return v > 2; }));
      EXPECT_EQ(where(x > 2, 0.5, 3).to_vector<double>(),
                results(values, [](double v) { return v > 2 ? 0.5 : 3; }));
      EXPECT_EQ(where(x > 2, x, 7).to_vector<double>(),
                results(values, [](double v) { return v > 2 ? v : 7; }));
    }
}

TEST(Alike, TensorsOfAnySizeAndType) {
  for (int type = 0; type < kDTypes; ++type)
    for (const int64_t size : kSizes) {
      const auto dtype = static_cast<DType>(type);
      const Tensor a = shifted(size, dtype), b = shifted(size, dtype).flip({0}).contiguous();
      const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
      std::vector<double> sums, equal, unequal, less;
      for (std::size_t i = 0; i < x.size(); ++i) {
        sums.push_back(dtype == kBool ? x[i] + y[i] > 0 : x[i] + y[i]);
        equal.push_back(x[i] == y[i]);
        unequal.push_back(x[i] != y[i]);
        less.push_back(x[i] < y[i]);
      }
      EXPECT_EQ((a + b).to_vector<double>(), sums) << name_of(dtype) << size;
      EXPECT_EQ((a == b).to_vector<double>(), equal) << name_of(dtype) << size;
      EXPECT_EQ((a != b).to_vector<double>(), unequal) << name_of(dtype) << size;
      EXPECT_EQ((a < b).to_vector<double>(), less) << name_of(dtype) << size;
    }
}

TEST(Alike, ResultsInPlaceOfAnotherTypeOrLayout) {
  const Tensor x = shifted(700, kFloat32), gaps = zeros({700, 2}).select(1, 0);
  const std::vector<double> values = x.to_vector<double>();
  const auto plus_1 = results(values, [](double v) { return v + 1; });
  const Tensor wide = x.to(kFloat64), half = x.to(kBFloat16);
  EXPECT_EQ(wide.add_(ones({700})).to_vector<double>(), plus_1);
  EXPECT_EQ(half.add_(ones({700})).to_vector<double>(), plus_1);
  EXPECT_EQ(gaps.add_(x).add_(1).to_vector<double>(), plus_1);
}

}  // namespace
}  // namespace levin
