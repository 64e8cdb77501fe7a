// Every operation of the table gives the same bits, values and gradients, in every instruction set
// that has fused multiply-adds: the program runs itself with each and compares.

#include <algorithm>
#include <iostream>
#include <string>

#include "hash.h"
#include "op_sample.h"
#include "with_isa.h"

namespace levin {
namespace {

// Bits of all outputs, and of the gradients of the values.
void add_bits(uint64_t* hash, const OpCase& row, const Sample& sample, DType dtype) {
  const Arrays arrays = draw(row, sample, dtype);
  const Tensors inputs = is_floating(dtype) ? leaves(row, sample, arrays, dtype)
                                            : place_all(row, sample, arrays, dtype);
  const Tensors outputs = run_on_copy(row, inputs, row.call);
  Tensors roots, starts;
  for (const Tensor& output : outputs) {
    *hash = hash_of(read(output).numbers, *hash);
    if (!output.requires_grad()) continue;
    roots.push_back(output);
    starts.push_back(full_like(output, 0.75));
  }
  if (roots.empty()) return;
  for (const Tensor& gradient : grad(roots, values_of(sample, inputs), starts, false, false, true))
    if (gradient.defined()) *hash = hash_of(read(gradient).numbers, *hash);
}

// Run by the other test, which reads what it prints.
TEST(OpBits, Print) {
  for_each_row([](const OpCase& row) {
    for (const DType dtype : main_types(row)) {
      uint64_t hash = kNoBytes;
      for (const Sample& sample : row.samples) add_bits(&hash, row, sample, dtype);
      if (!row.large.empty()) add_bits(&hash, row, row.large, dtype);
      std::cout << "bits " << row.name << " " << name_of(dtype) << " " << hash << "\n";
    }
  });
}

TEST(OpBits, SameWithAvx2AndAvx512) {
  if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq"))
    GTEST_SKIP() << "this processor has no AVX-512";
  const std::string avx512 = bits_printed_with("avx512", "OpBits.Print"),
                    avx2 = bits_printed_with("avx2", "OpBits.Print");
  EXPECT_GT(avx512.size(), 10000u);
  EXPECT_EQ(avx512, avx2);
  std::cout << std::count(avx2.begin(), avx2.end(), '\n')
            << " rows and types with equal bits in AVX2 and AVX-512\n";
}

}  // namespace
}  // namespace levin
