// Element types into each other, and copies between layouts.
#include <gtest/gtest.h>
#include <levin/kernels/backend.h>
#include <levin/tensor/factories.h>
#include <levin/tensor/layout_math.h>

#include <cmath>

namespace levin {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Arg arg(const Tensor& tensor) { return {tensor.impl().block.get(), &tensor.layout()}; }

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
