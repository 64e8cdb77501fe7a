// The matrix product against a slow loop that follows its numeric contract (kernels/cpu/gemm.h)
// word for word: every bit must agree, whatever the shape, the strides, the threads.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <levin/kernels/backend.h>
#include <levin/kernels/cpu/isa.h>
#include <levin/tensor/factories.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

#include "hash.h"
#include "threads.h"

namespace levin {
namespace {

// Is a * b + c rounded once?
bool has_fma() { return std::strcmp(isa().name, "baseline") != 0; }

template <class T>
T multiply_add(T a, T b, T c) {
  return has_fma() ? std::fma(a, b, c) : a * b + c;
}

// A matrix somewhere in memory, with gaps (that hold NaN) wanted or not.
template <class T>
struct Matrix {
  std::vector<T> memory;
  int64_t row, column, offset;

  Matrix(int64_t rows, int64_t columns, bool transposed, int64_t gap, int64_t start)
      : memory(1 + start + (transposed ? columns * (rows + gap) : rows * (columns + gap)),
               std::numeric_limits<T>::quiet_NaN()),
        row(transposed ? 1 : columns + gap),
        column(transposed ? rows + gap : 1),
        offset(start),
        rows_(rows),
        columns_(columns) {}

  T& at(int64_t i, int64_t j) { return memory[offset + i * row + j * column]; }
  void fill(std::mt19937& random) {
    // All bits of both types, and not by a distribution of the C++ library, which may change.
    for (int64_t i = 0; i < rows_; ++i)
      for (int64_t j = 0; j < columns_; ++j)
        at(i, j) = static_cast<T>(static_cast<int32_t>(random())) * T(0x1p-28) +
                   static_cast<T>(random()) * T(0x1p-60);
  }
  Layout layout() const {
    Layout layout;
    layout.shape = {rows_, columns_};
    layout.strides[0] = row;
    layout.strides[1] = column;
    layout.offset = offset;
    layout.dtype = DTypeOf<T>::value;
    return layout;
  }

 private:
  int64_t rows_, columns_;
};

template <class T>
Ref<Block> block_of(std::vector<T>& memory) {
  return Block::wrap(memory.data(), memory.size() * sizeof(T), kCPU, nullptr, nullptr);
}

template <class T>
struct Product {
  Matrix<T> a, b, c;
  std::vector<T> bias;
  double alpha = 1, beta = 0;
  std::optional<Op> activation = {};

  void run() { ASSERT_EQ(error_of_run(), nullptr); }
  const char* error_of_run() {
    const Layout la = a.layout(), lb = b.layout(), lc = c.layout();
    const Layout lbias = Layout::of({static_cast<int64_t>(bias.size())}, DTypeOf<T>::value);
    const Ref<Block> ba = block_of(a.memory), bb = block_of(b.memory), bc = block_of(c.memory),
                     bbias = block_of(bias);
    MatmulCall call{alpha, beta, {ba.get(), &la}, {bb.get(), &lb}, {bc.get(), &lc}, {}};
    if (!bias.empty()) call.bias = {bbias.get(), &lbias};
    call.activation = activation;
    return backend(kCPU).matmul(call);
  }

  T expected(int64_t i, int64_t j, int64_t k, T before) {
    const int64_t blocks = k > 256 ? (k + 255) / 256 : 1, length = (k + blocks - 1) / blocks;
    T result = 0;
    for (int64_t block = 0; block < blocks; ++block) {
      T sum = 0;
      for (int64_t p = block * length; p < std::min(k, (block + 1) * length); ++p)
        sum = multiply_add(a.at(i, p), b.at(p, j), sum);
      const T scaled = static_cast<T>(alpha) * sum;
      if (block > 0)
        result = result + scaled;
      else
        result = beta == 0 ? scaled : multiply_add(static_cast<T>(beta), before, scaled);
    }
    if (!bias.empty()) result = result + bias[j];
    if (!activation) return result;
    const void* const in[4] = {&result};
    isa().tiles[static_cast<int>(*activation)][0][sizeof(T) == 4 ? kComputeF32 : kComputeF64](
        in, &result, nullptr, 1);
    return result;
  }
};

template <class T>
void expect_contract(int64_t m, int64_t n, int64_t k, std::mt19937& random, int variant) {
  const auto bit = [&](int i) { return variant >> i & 1; };
  Product<T> product{{m, k, bit(0) != 0, bit(1) * 3, bit(2)},
                     {k, n, bit(3) != 0, bit(4) * 5, bit(5) * 3},
                     {m, n, bit(6) != 0, bit(7) * 2, bit(8)},
                     {}};
  const double factors[] = {1, 0, -0.5, 3};
  product.alpha = factors[random() % 4];
  product.beta = factors[random() % 4];
  product.a.fill(random);
  product.b.fill(random);
  if (product.beta != 0) product.c.fill(random);  // else NaN stays there: it must not be read
  if (random() % 2)
    for (int64_t j = 0; j < n; ++j) product.bias.push_back(static_cast<T>(0.37 * (j % 11) - 1));
  const std::optional<Op> activations[] = {{}, Op::relu, Op::tanh};
  product.activation = activations[random() % 3];
  Matrix<T> before = product.c;
  product.run();
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const T wanted = product.expected(i, j, k, before.at(i, j)), got = product.c.at(i, j);
      ASSERT_EQ(std::memcmp(&wanted, &got, sizeof(T)), 0)
          << m << "x" << n << "x" << k << " variant " << variant << " at " << i << ", " << j << ": "
          << wanted << " " << got << " alpha " << product.alpha << " beta " << product.beta;
      before.at(i, j) = got;
    }
  }
  EXPECT_EQ(hash_of(before.memory), hash_of(product.c.memory)) << "written beside the matrix";
}

template <class T>
class Gemm : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Gemm, Types);

TYPED_TEST(Gemm, EverySmallShape) {
  std::mt19937 random(1);
  for (int64_t m = 0; m <= 14; ++m)
    for (int64_t n = 0; n <= 18; ++n)
      for (const int64_t k : {0, 1, 2, 7})
        expect_contract<TypeParam>(m, n, k, random, static_cast<int>(random() % 512));
}

TYPED_TEST(Gemm, EveryStrideAndTranspose) {
  std::mt19937 random(2);
  for (int variant = 0; variant < 512; ++variant)
    expect_contract<TypeParam>(1 + random() % 40, 1 + random() % 70, 1 + random() % 60, random,
                               variant);
}

TYPED_TEST(Gemm, LongSumsInBlocks) {
  std::mt19937 random(3);
  for (const int64_t k : {255, 256, 257, 511, 512, 513, 767, 769, 1000, 1025, 2305, 65537})
    for (int round = 0; round < (k > 10000 ? 1 : 4); ++round)
      expect_contract<TypeParam>(1 + random() % 8, 1 + random() % 20, k, random,
                                 static_cast<int>(random() % 512));
}

TYPED_TEST(Gemm, LargeEnoughForThreads) {
  std::mt19937 random(4);
  const Threads set(3);
  const int64_t shapes[][3] = {{200, 100, 64}, {64, 128, 300},  {97, 193, 40},
                               {400, 10, 128}, {5, 700, 128},   {333, 1, 1000},
                               {1, 333, 1000}, {170, 70, 1024}, {1700, 70, 30}};
  for (const auto& [m, n, k] : shapes)
    for (int round = 0; round < 2; ++round)
      expect_contract<TypeParam>(m, n, k, random, static_cast<int>(random() % 512));
}

TYPED_TEST(Gemm, DenormalsInfinitiesAndNaN) {
  using T = TypeParam;
  const T tiny = std::numeric_limits<T>::min(), inf = std::numeric_limits<T>::infinity();
  Product<T> product{{3, 2, false, 0, 0}, {2, 2, false, 0, 0}, {3, 2, false, 0, 0}, {}};
  product.a.memory = {tiny, tiny / 4, inf, 1, 1, -1};
  product.b.memory = {T(0.5), 1, T(0.25), inf};
  product.run();
  const std::vector<T>& c = product.c.memory;
  EXPECT_EQ(c[0], tiny / 2 + tiny / 16);
  EXPECT_EQ(c[1], inf);
  EXPECT_EQ(c[2], inf);
  EXPECT_EQ(c[3], inf);
  EXPECT_EQ(c[4], T(0.25));
  EXPECT_EQ(c[5], -inf);
}

// Shapes of every path: small, cut by rows, cut by columns, several blocks of k, odd sizes.
constexpr int64_t kShapes[][3] = {{7, 5, 3},      {64, 10, 128},  {100, 200, 300}, {200, 100, 300},
                                  {64, 128, 784}, {129, 65, 513}, {1, 1000, 700}};

template <class T>
uint64_t hash_of_products(int64_t misaligned) {
  std::mt19937 random(5);
  uint64_t hash = kNoBytes;
  for (const auto& [m, n, k] : kShapes) {
    for (int transposed = 0; transposed < 4; ++transposed) {
      Product<T> product{{m, k, transposed % 2 == 1, 0, misaligned},
                         {k, n, transposed / 2 == 1, 0, misaligned},
                         {m, n, false, 0, misaligned},
                         {}};
      product.a.fill(random);
      product.b.fill(random);
      product.run();
      hash = hash_of(product.c.memory.data() + misaligned, m * n * sizeof(T), hash);
    }
  }
  return hash;
}

TYPED_TEST(Gemm, SameBitsForThreadsAndAlignments) {
  const uint64_t hash = hash_of_products<TypeParam>(0);
  for (const int threads : kThreadCounts) {
    const Threads set(threads);
    EXPECT_EQ(hash_of_products<TypeParam>(threads % 4), hash) << threads << " threads";
  }
}

// kNumerics: a change here is a change of every trained model.
TYPED_TEST(Gemm, FrozenBits) {
  if (!has_fma()) GTEST_SKIP() << "without fused multiply-adds the bits are others";
  const bool is_float = sizeof(TypeParam) == 4;
  EXPECT_EQ(hash_of_products<TypeParam>(0),
            is_float ? 8178647823033166613u : 14458729823953228717u);
}

TYPED_TEST(Gemm, BatchesEqualTheirMatrices) {
  using T = TypeParam;
  const DType dtype = DTypeOf<T>::value;
  Generator generator(6);
  const Tensor a = rand({3, 2, 20, 30}, generator, dtype), b = rand({2, 30, 40}, generator, dtype);
  const Tensor c = empty({3, 2, 20, 40}, dtype);
  const Layout repeated = broadcast_to(b.layout(), {3, 2, 30, 40});
  const auto run = [](const Tensor& x, const Tensor& y, const Layout& y_layout, const Tensor& z) {
    const MatmulCall call{1,
                          0,
                          {x.impl().block.get(), &x.layout()},
                          {y.impl().block.get(), &y_layout},
                          {z.impl().block.get(), &z.layout()},
                          {}};
    ASSERT_EQ(backend(kCPU).matmul(call), nullptr);
  };
  run(a, b, repeated, c);
  const auto all = c.to_vector<T>();
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 2; ++j) {
      const Tensor one = empty({20, 40}, dtype);
      run(a[i][j], b[j], b[j].layout(), one);
      const auto alone = one.to_vector<T>();
      EXPECT_EQ(std::memcmp(alone.data(), all.data() + (i * 2 + j) * 800, 800 * sizeof(T)), 0);
    }
  }
}

// With LEVIN_MATMUL=openblas the bits are OpenBLAS's, the values the same but for rounding.
TYPED_TEST(Gemm, OpenBlasWhereItIsChosen) {
  using T = TypeParam;
  std::mt19937 random(7);
  for (int variant = 0; variant < 512; variant += 3) {
    const auto bit = [&](int i) { return variant >> i & 1; };
    const int64_t m = 1 + random() % 90, n = 1 + random() % 90, k = random() % 300;
    Product<T> product{{m, k, bit(0) != 0, bit(1) * 3, bit(2)},
                       {k, n, bit(3) != 0, bit(4) * 5, bit(5) * 3},
                       {m, n, bit(6) != 0, bit(7) * 2, bit(8)},
                       {},
                       0.5,
                       2.0 * bit(2)};
    product.a.fill(random);
    product.b.fill(random);
    product.c.fill(random);
    if (bit(1)) product.bias.assign(n, T(0.25));
    if (bit(4)) product.activation = Op::relu;
    Matrix<T> before = product.c;
    if (const char* error = product.error_of_run()) GTEST_SKIP() << error;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j)
        ASSERT_NEAR(product.c.at(i, j), product.expected(i, j, k, before.at(i, j)),
                    std::numeric_limits<T>::epsilon() * 64 * (double(k) + 1) * 10)
            << m << "x" << n << "x" << k << " variant " << variant;
  }
  const char* const chosen = std::getenv("LEVIN_MATMUL");
  EXPECT_EQ(dlopen("libopenblas.so.0", RTLD_NOW | RTLD_NOLOAD) != nullptr,
            chosen && std::strcmp(chosen, "openblas") == 0);
}

}  // namespace
}  // namespace levin
