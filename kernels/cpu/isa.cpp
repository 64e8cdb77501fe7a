#include "isa.h"

#include <cstdlib>
#include <cstring>

namespace levin::inline v0 {
namespace {

bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

Isa fill_best() {
  const char* forced = std::getenv("LEVIN_ISA");
  const auto allowed = [forced](const char* lower) {
    return !forced || std::strcmp(forced, lower) != 0;
  };
  __builtin_cpu_init();
  Isa isa{};
  if (has_avx512() && allowed("baseline") && allowed("avx2"))
    fill_avx512(&isa);
  else if (has_avx2() && allowed("baseline"))
    fill_avx2(&isa);
  else
    fill_baseline(&isa);
  return isa;
}

}  // namespace

constinit std::atomic<const Isa*> chosen_isa{nullptr};

const Isa& choose_isa() {
  static const Isa best = fill_best();
  chosen_isa.store(&best, std::memory_order_release);
  return best;
}

}  // namespace levin::inline v0
