// Sets the number of threads for one test.
#pragma once

#include <levin/kernels/pool.h>

namespace levin {

class Threads {
 public:
  explicit Threads(int count) : before_(num_threads()) { set_num_threads(count); }
  ~Threads() { set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

inline constexpr int kThreadCounts[] = {1, 2, 3, 8};

}  // namespace levin
