// Reductions against slow loops that follow the fixed order of additions word for word: element i
// goes to lane i mod 64 (16 in blocks under 256), lane j + half is added to lane j, blocks of 4096
// are added pairwise. Products are taken in the elements' order inside a block.
#include <gtest/gtest.h>
#include <levin/kernels/backend.h>
#include <levin/tensor/factories.h>
#include <levin/tensor/layout_math.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>

#include "hash.h"
#include "threads.h"

namespace levin {
namespace {

template <class T>
T lanes_sum(const std::vector<T>& terms) {
  std::vector<T> lanes(terms.size() < 256 ? 16 : 64, T(0));
  for (std::size_t i = 0; i < terms.size(); ++i) lanes[i % lanes.size()] += terms[i];
  while (lanes.size() > 1) {
    const std::size_t half = lanes.size() / 2;
    for (std::size_t j = 0; j < half; ++j) lanes[j] += lanes[j + half];
    lanes.resize(half);
  }
  return lanes[0];
}

template <class T, class Block, class Combine>
T pairwise(const std::vector<T>& terms, Block block, Combine combine) {
  std::vector<T> results;
  for (std::size_t start = 0; start == 0 || start < terms.size(); start += 4096)
    results.push_back(block(std::vector<T>(terms.begin() + start,
                                           terms.begin() + std::min(terms.size(), start + 4096))));
  while (results.size() > 1) {
    std::vector<T> next;
    for (std::size_t i = 0; i + 1 < results.size(); i += 2)
      next.push_back(combine(results[i], results[i + 1]));
    if (results.size() % 2) next.push_back(results.back());
    results = next;
  }
  return results[0];
}

template <class T>
T fixed_sum(const std::vector<T>& terms) {
  return pairwise(terms, lanes_sum<T>, std::plus<T>());
}

template <class T>
T fixed_product(const std::vector<T>& factors) {
  const auto block = [](const std::vector<T>& part) {
    return std::accumulate(part.begin(), part.end(), T(1), std::multiplies<T>());
  };
  return pairwise(factors, block, std::multiplies<T>());
}

template <class T>
std::vector<T> numbers(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<T> result(count);
  for (T& number : result)
    number = static_cast<T>(static_cast<int32_t>(random())) * std::ldexp(T(1), -(random() % 40));
  return result;
}

template <class T>
std::vector<T> reduced(Reduction kind, const Tensor& in, uint32_t dims, double correction = 1) {
  const Tensor out = empty(reduced_shape(in.shape(), dims, false), DTypeOf<T>::value);
  const ReduceCall call{kind,
                        dims,
                        correction,
                        {in.impl().block.get(), &in.layout()},
                        {out.impl().block.get(), &out.layout()}};
  EXPECT_EQ(backend(kCPU).reduce(call), nullptr);
  return out.to_vector<T>();
}

template <class T>
void expect_bits(T got, T wanted, const std::string& what) {
  EXPECT_EQ(std::memcmp(&got, &wanted, sizeof(T)), 0) << what << ": " << got << " " << wanted;
}

template <class T>
class Reduce : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Reduce, Types);

TYPED_TEST(Reduce, SumsInTheFixedLanes) {
  using T = TypeParam;
  std::vector<int64_t> lengths = {4095,           4096,    4097,   8191,    8192,
                                  12289,          20481,   100000, 1 << 20, 512 * 4096,
                                  512 * 4096 + 1, 4500000, 6500000};
  for (int64_t n = 0; n <= 600; ++n) lengths.push_back(n);
  for (const int64_t n : lengths) {
    const std::vector<T> terms = numbers<T>(n, static_cast<unsigned>(n));
    const Tensor x = from_vector(terms);
    const T sum = fixed_sum(terms);
    expect_bits(reduced<T>(Reduction::sum, x, 1)[0], sum, "sum of " + std::to_string(n));
    if (n == 0) continue;
    expect_bits(reduced<T>(Reduction::mean, x, 1)[0], sum / static_cast<T>(n), "mean");
  }
}

TYPED_TEST(Reduce, ProductsInTheOrderOfTheElements) {
  using T = TypeParam;
  for (const int64_t n : {0, 1, 17, 4096, 4097, 12289, 100000, 512 * 4096 + 1}) {
    std::vector<T> factors = numbers<T>(n, static_cast<unsigned>(n));
    for (T& factor : factors) factor = 1 + std::ldexp(factor, -45);
    expect_bits(reduced<T>(Reduction::prod, from_vector(factors), 1)[0], fixed_product(factors),
                "product of " + std::to_string(n));
  }
}

TYPED_TEST(Reduce, VarianceAndSquaredErrorInTheFixedLanes) {
  using T = TypeParam;
  for (const int64_t n : {2, 15, 16, 255, 256, 257, 4096, 4097, 30001}) {
    const std::vector<T> x = numbers<T>(n, 1), target = numbers<T>(n, 2);
    std::vector<T> deviations, errors;
    const T mean = fixed_sum(x) / static_cast<T>(n);
    for (int64_t i = 0; i < n; ++i) {
      deviations.push_back((x[i] - mean) * (x[i] - mean));
      errors.push_back((x[i] - target[i]) * (x[i] - target[i]));
    }
    expect_bits(reduced<T>(Reduction::var, from_vector(x), 1)[0],
                fixed_sum(deviations) / static_cast<T>(n - 1), "var");
    const Tensor tx = from_vector(x), tt = from_vector(target), out = empty({}, tx.dtype());
    const auto arg = [](const Tensor& t) { return Arg{t.impl().block.get(), &t.layout()}; };
    for (const bool is_mean : {false, true}) {
      ASSERT_EQ(backend(kCPU).mse({is_mean, arg(tx), arg(tt), arg(out)}), nullptr);
      const T sum = fixed_sum(errors);
      expect_bits(out.to_vector<T>()[0], is_mean ? sum / static_cast<T>(n) : sum, "mse");
    }
  }
}

// Along whatever axis and in whatever layout: the bits of the same elements as a vector.
TYPED_TEST(Reduce, AnyAxisGivesTheBitsOfAContiguousRow) {
  using T = TypeParam;
  const Shape shapes[] = {{5, 7},      {300, 37}, {3, 4097},   {4097, 3},    {9000, 2},
                          {20, 30, 7}, {2, 1, 9}, {260, 3, 5}, {2, 3, 4, 5}, {33, 64}};
  for (const Shape& shape : shapes) {
    const Tensor base = from_vector(numbers<T>(shape.numel(), 3), shape);
    std::vector<Tensor> layouts = {base};
    layouts.push_back(make_view(base, transposed(base.layout(), 0, shape.size() - 1)));
    layouts.push_back(make_view(base, sliced(base.layout(), 0, 0, shape[0], 2)));
    layouts.push_back(make_view(base, sliced(base.layout(), -1, 1, shape.back(), 1)));
    layouts.push_back(make_view(base, expanded(base.layout(), base.shape())));
    for (const Tensor& x : layouts) {
      for (uint32_t dims = 1; dims < 1u << shape.size(); ++dims) {
        // The reduced dimensions last, copied to one row for each result.
        Shape order;
        for (int d = 0; d < x.dim(); ++d)
          if (!(dims >> d & 1)) order.push_back(d);
        for (int d = 0; d < x.dim(); ++d)
          if (dims >> d & 1) order.push_back(d);
        const std::vector<T> rows =
            make_view(x, permuted(x.layout(), order)).template to_vector<T>();
        const std::vector<T> sums = reduced<T>(Reduction::sum, x, dims);
        const std::vector<T> means = reduced<T>(Reduction::mean, x, dims);
        const std::size_t n = sums.empty() ? 0 : rows.size() / sums.size();
        for (std::size_t i = 0; i < sums.size(); ++i) {
          const T sum = fixed_sum(std::vector<T>(rows.begin() + i * n, rows.begin() + (i + 1) * n));
          const std::string what = x.shape().text() + " dims " + std::to_string(dims);
          expect_bits(sums[i], sum, "sum of " + what);
          expect_bits(means[i], sum / static_cast<T>(n), "mean of " + what);
        }
      }
    }
  }
}

TYPED_TEST(Reduce, SameBitsForThreadsAndAlignments) {
  using T = TypeParam;
  const std::vector<T> terms = numbers<T>(600'000, 4);
  uint64_t expected = 0;
  for (const int threads : kThreadCounts) {
    const Threads set(threads);
    for (int64_t start = 0; start < 4; ++start) {
      std::vector<T> memory(start);
      memory.insert(memory.end(), terms.begin(), terms.end());
      const Tensor all = from_vector(memory);
      const Tensor row = make_view(all, narrowed(all.layout(), 0, start, terms.size()));
      Layout matrix;
      ASSERT_TRUE(reshaped(row.layout(), {300, 2000}, &matrix));
      const Tensor x = make_view(row, matrix);
      uint64_t hash = kNoBytes;
      for (uint32_t dims = 1; dims < 4; ++dims)
        for (const Reduction kind :
             {Reduction::sum, Reduction::prod, Reduction::mean, Reduction::var})
          hash = hash_of(reduced<T>(kind, x, dims), hash);
      if (expected == 0) expected = hash;
      EXPECT_EQ(hash, expected) << threads << " threads, starts at " << start;
    }
  }
}

TYPED_TEST(Reduce, CornerCases) {
  using T = TypeParam;
  const T nan = std::numeric_limits<T>::quiet_NaN(), inf = std::numeric_limits<T>::infinity();
  const Tensor none = empty({0, 3}, DTypeOf<T>::value);
  EXPECT_EQ(reduced<T>(Reduction::sum, none, 1), std::vector<T>({0, 0, 0}));
  EXPECT_TRUE(std::isnan(reduced<T>(Reduction::mean, none, 3)[0]));
  EXPECT_TRUE(reduced<T>(Reduction::sum, none, 2).empty());
  const Tensor one = from_vector(std::vector<T>{3});
  EXPECT_TRUE(std::isnan(reduced<T>(Reduction::var, one, 1)[0]));
  EXPECT_EQ(reduced<T>(Reduction::var, one, 1, 0)[0], T(0));
  EXPECT_EQ(reduced<T>(Reduction::sum, from_vector(std::vector<T>{inf, 1}), 1)[0], inf);
  EXPECT_TRUE(std::isnan(reduced<T>(Reduction::sum, from_vector(std::vector<T>{inf, -inf}), 1)[0]));
  const Tensor x = from_vector(std::vector<T>{1, nan, inf, nan});
  EXPECT_TRUE(std::isnan(reduced<T>(Reduction::max, x, 1)[0]));
  EXPECT_TRUE(std::isnan(reduced<T>(Reduction::min, x, 1)[0]));
  EXPECT_EQ(reduced<int64_t>(Reduction::argmax, x, 1)[0], 1);
  EXPECT_EQ(reduced<int64_t>(Reduction::argmin, x, 1)[0], 1);
  std::vector<T> ties(10000, T(2));
  ties[4500] = ties[9000] = 5;
  ties[300] = ties[4096] = -1;
  EXPECT_EQ(reduced<int64_t>(Reduction::argmax, from_vector(ties), 1)[0], 4500);
  EXPECT_EQ(reduced<int64_t>(Reduction::argmin, from_vector(ties), 1)[0], 300);
  const std::vector<T> denormals(100, std::numeric_limits<T>::denorm_min());
  EXPECT_EQ(reduced<T>(Reduction::sum, from_vector(denormals), 1)[0],
            100 * std::numeric_limits<T>::denorm_min());
}

TEST(ReduceIntegers, AreExactAndWrapAround) {
  std::vector<int64_t> terms(10000);
  for (int64_t i = 0; i < 10000; ++i) terms[i] = i * i - 5000;
  EXPECT_EQ(reduced<int64_t>(Reduction::sum, from_vector(terms), 1)[0], 333283335000 - 50000000);
  const Tensor large = from_vector(std::vector<int64_t>{INT64_MAX, 2});
  EXPECT_EQ(reduced<int64_t>(Reduction::sum, large, 1)[0], INT64_MIN + 1);
  EXPECT_EQ(reduced<int64_t>(Reduction::prod, large, 1)[0], -2);
  const Tensor many = full({8192}, INT64_MAX / 4096 + 1, kInt64);  // each block's sum wraps, too
  EXPECT_EQ(reduced<int64_t>(Reduction::sum, many, 1)[0], 0);
  const Tensor small = from_vector(std::vector<uint8_t>(1000, 200));
  EXPECT_EQ(reduced<int64_t>(Reduction::sum, small, 1)[0], 200000);
  EXPECT_EQ(reduced<int64_t>(Reduction::max, from_vector(terms), 1)[0], 9999 * 9999 - 5000);
}

}  // namespace
}  // namespace levin
