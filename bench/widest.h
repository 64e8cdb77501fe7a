// What is written by hand runs at the vector width that levin chose, so that LEVIN_ISA=avx2 compares
// like with like. Include it in files that are compiled with levin_by_hand's options only.
#pragma once

#include <levin/kernels/cpu/isa.h>

#include <cstring>

template <class Loop>
[[gnu::target("arch=x86-64-v4,prefer-vector-width=512")]] void at_512_bits(Loop loop) {
  loop();
}

template <class Loop>
[[gnu::target("arch=x86-64-v3")]] void at_256_bits(Loop loop) {
  loop();
}

/// `widest([&]() LEVIN_INLINED { for (..) .. })`: the compiler makes vectors of the loop.
#define LEVIN_INLINED __attribute__((always_inline))
template <class Loop>
void widest(Loop loop) {
  const char* name = levin::isa().name;
  if (std::strcmp(name, "avx512") == 0) return at_512_bits(loop);
  if (std::strcmp(name, "avx2") == 0) return at_256_bits(loop);
  loop();
}
