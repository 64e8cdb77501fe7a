#include "isa.h"

#include <cstdlib>
#include <cstring>

namespace levin::inline v0 {
namespace {

Isa choose() {
  Isa isa{};
  const char* forced = std::getenv("LEVIN_ISA");
  const bool baseline = forced && std::strcmp(forced, "baseline") == 0;
  __builtin_cpu_init();
  if (!baseline && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    fill_avx2(&isa);
  else
    fill_baseline(&isa);
  return isa;
}

}  // namespace

const Isa& isa() {
  static const Isa chosen = choose();
  return chosen;
}

}  // namespace levin::inline v0
