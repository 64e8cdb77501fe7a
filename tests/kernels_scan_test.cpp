// Running results and order at the seam, against plain loops: the running result is one sequence of
// steps in the wider type, whatever the layout, the direction and the number of threads.
#include <gtest/gtest.h>
#include <levin/kernels/backend.h>
#include <levin/tensor/factories.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "hash.h"
#include "threads.h"

namespace levin {
namespace {

Arg arg(const Tensor& t) { return {t.impl().block.get(), &t.layout()}; }

template <class T>
std::vector<T> numbers(int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<T> result(count);
  for (T& number : result) number = static_cast<T>(std::ldexp(random(), -31) - 0.97);
  return result;
}

template <class T>
std::vector<T> scanned(ScanKind kind, bool reverse, int dim, const Tensor& x, const Tensor& a) {
  const Tensor out = empty_like(x);
  const ScanCall call{kind,    reverse, dim, arg(x), kind == ScanKind::linear ? arg(a) : Arg{},
                      arg(out)};
  EXPECT_EQ(backend(kCPU).scan(call), nullptr);
  return out.to_vector<T>();
}

// x [before, n, after] along its middle.
template <class T, class Running>
std::vector<T> plain_scan(ScanKind kind, bool reverse, const Shape& shape, const std::vector<T>& x,
                          const std::vector<T>& a) {
  std::vector<T> out(x.size());
  const int64_t n = shape[1], after = shape[2];
  for (int64_t line = 0; line < shape[0] * after; ++line) {
    Running running = kind == ScanKind::prod ? 1 : 0;
    for (int64_t k = 0; k < n; ++k) {
      const int64_t at =
          line / after * n * after + (reverse ? n - 1 - k : k) * after + line % after;
      const Running next = x[at];
      if (kind == ScanKind::sum) running = running + next;
      if (kind == ScanKind::prod) running = running * next;
      if (kind == ScanKind::linear) running = static_cast<Running>(a[at]) * running + next;
      out[at] = static_cast<T>(running);
    }
  }
  return out;
}

template <class T, class Running>
void expect_plain_scans(const std::vector<T>& x, const std::vector<T>& a, const Shape& shape) {
  for (const ScanKind kind : {ScanKind::sum, ScanKind::prod, ScanKind::linear})
    for (const bool reverse : {false, true})
      EXPECT_EQ(hash_of(scanned<T>(kind, reverse, 1, from_vector(x, shape), from_vector(a, shape))),
                hash_of(plain_scan<T, Running>(kind, reverse, shape, x, a)))
          << shape.text() << " kind " << static_cast<int>(kind) << " reverse " << reverse;
}

TEST(Scan, OneSequenceOfStepsForEachLine) {
  for (const int threads : kThreadCounts) {
    const Threads set(threads);
    for (const Shape& shape : {Shape{1, 100'000, 1}, Shape{37, 300, 1}, Shape{1, 1000, 67},
                               Shape{5, 4097, 3}, Shape{3, 0, 2}, Shape{2000, 1, 31}}) {
      const int64_t n = shape.numel();
      expect_plain_scans<float, double>(numbers<float>(n, 1), numbers<float>(n, 2), shape);
      expect_plain_scans<double, double>(numbers<double>(n, 3), numbers<double>(n, 4), shape);
    }
  }
}

TEST(Scan, IntegersWrapAround) {
  const Tensor x = from_vector(std::vector<int64_t>{INT64_MAX, 2, 3});
  EXPECT_EQ(scanned<int64_t>(ScanKind::sum, false, 0, x, {}),
            (std::vector<int64_t>{INT64_MAX, INT64_MIN + 1, INT64_MIN + 4}));
  EXPECT_EQ(scanned<int64_t>(ScanKind::prod, false, 0, x, {}),
            (std::vector<int64_t>{INT64_MAX, -2, -6}));
}

// 257 is no bfloat16: a result that was rounded at each step would stop at 256.
TEST(Scan, HalvesRunInFloat32) {
  for (const DType dtype : {kBFloat16, kFloat16}) {
    const Tensor x = ones({4096}, dtype);
    const std::vector<float> sums = scanned<float>(ScanKind::sum, true, 0, x, {});
    EXPECT_EQ(sums.front(), 4096);
    EXPECT_EQ(sums[4095 - 255], 256);
  }
}

TEST(Scan, OtherIntegersAreRefused) {
  const Tensor x = ones({3}, kInt32);
  EXPECT_STREQ(backend(kCPU).scan({ScanKind::sum, false, 0, arg(x), {}, arg(x)}),
               "needs a floating type or int64");
  EXPECT_STREQ(backend(kCPU).sort({false, arg(x), arg(x)}), "needs float32, float64 or int64");
}

template <class T>
std::vector<int64_t> order_of(const std::vector<T>& x, const Shape& shape, bool descending) {
  const Tensor in = from_vector(x, shape), index = empty(shape, kInt64);
  EXPECT_EQ(backend(kCPU).sort({descending, arg(in), arg(index)}), nullptr);
  return index.to_vector<int64_t>();
}

TEST(Sort, NaNIsLargestAndEqualOnesKeepTheirOrder) {
  const std::vector<double> x = {2, NAN, -INFINITY, 0.0, 2, -0.0, NAN, INFINITY, 2};
  EXPECT_EQ(order_of(x, {9}, false), (std::vector<int64_t>{2, 3, 5, 0, 4, 8, 7, 1, 6}));
  EXPECT_EQ(order_of(x, {9}, true), (std::vector<int64_t>{1, 6, 7, 0, 4, 8, 3, 5, 2}));
}

TEST(Sort, LongRowsAreStableForAnyNumberOfThreads) {
  const Shape shape = {7, 30'011};
  std::vector<float> x = numbers<float>(shape.numel(), 5);
  for (float& number : x) number = std::round(number * 50);
  for (const int threads : kThreadCounts) {
    const Threads set(threads);
    const std::vector<int64_t> order = order_of(x, shape, true);
    for (int64_t row = 0; row < shape[0]; ++row) {
      const float* line = x.data() + row * shape[1];
      std::vector<int64_t> wanted(shape[1]);
      std::iota(wanted.begin(), wanted.end(), 0);
      std::stable_sort(wanted.begin(), wanted.end(),
                       [&](int64_t i, int64_t j) { return line[i] > line[j]; });
      EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), order.begin() + row * shape[1]));
    }
  }
}

}  // namespace
}  // namespace levin
