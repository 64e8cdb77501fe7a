// Every update rule gives the same bits for any number of threads, and in every instruction set that
// has fused multiply-adds: the program runs itself with each and compares.
#include <gtest/gtest.h>

#include <iostream>

#include "hash.h"
#include "optim_cases.h"
#include "threads.h"
#include "with_isa.h"

namespace levin {
namespace {

template <class T>
uint64_t hash_of_parameters(const Tensors& parameters) {
  uint64_t hash = kNoBytes;
  for (const Tensor& parameter : parameters) hash = hash_of(parameter.to_vector<T>(), hash);
  return hash;
}

// Twelve steps of short and long parameters, of lengths that fill no vector.
uint64_t bits_of(const std::string& name, const Json& options, DType dtype) {
  Generator generator(7);
  Tensors parameters, slopes;
  for (const int64_t n : {1, 7, 63, 70001}) {
    parameters.push_back(randn({n}, generator, dtype).requires_grad_());
    slopes.push_back(randn({n}, generator, dtype));
  }
  const optim::AnyOptimizer optimizer =
      make_optimizer(name, options, parameters, {{{0, 1, 2, 3}, 0.01}});
  for (int step = 0; step < 12; ++step) {
    const NoGrad no_grad;
    for (std::size_t i = 0; i < parameters.size(); ++i)
      parameters[i].set_grad(parameters[i] * 0.25 + slopes[i] * (step % 3 - 0.5));
    optimizer->step();
  }
  return dtype == kFloat32 ? hash_of_parameters<float>(parameters)
                           : hash_of_parameters<double>(parameters);
}

std::string all_bits() {
  std::string text;
  for (const auto& [name, options] : every_rule())
    for (const DType dtype : {kFloat32, kFloat64})
      text += "bits " + name + " " + name_of(dtype) + " " +
              std::to_string(bits_of(name, options, dtype)) + "\n";
  return text;
}

// Run by the other test, which reads what it prints.
TEST(OptimBits, Print) { std::cout << all_bits(); }

TEST(OptimBits, SameForAnyNumberOfThreads) {
  const std::string one = [] {
    const Threads threads(1);
    return all_bits();
  }();
  for (const int count : kThreadCounts) {
    const Threads threads(count);
    EXPECT_EQ(all_bits(), one) << count << " threads";
  }
}

TEST(OptimBits, SameWithAvx2AndAvx512) {
  if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq"))
    GTEST_SKIP() << "this processor has no AVX-512";
  const std::string avx512 = bits_printed_with("avx512", "OptimBits.Print"),
                    avx2 = bits_printed_with("avx2", "OptimBits.Print");
  EXPECT_GT(avx512.size(), 500u);
  EXPECT_EQ(avx512, avx2);
}

}  // namespace
}  // namespace levin
