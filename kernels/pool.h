// The one thread pool. Work is cut into chunks by its shape alone, so results do not depend on the
// number of threads.
#pragma once

#include <cstdint>

namespace levin::inline v0 {

/// Threads that take part in large operations, the caller included. Default: LEVIN_NUM_THREADS,
/// else the machine's cores, at most 8.
int num_threads();
void set_num_threads(int count);

/// Calls run(context, chunk) for every chunk in [0, chunks), in any order, on this thread and free
/// workers; returns when all have run. `run` must not throw. Nested calls and calls while the pool
/// is busy run on this thread alone.
void parallel_chunks(int64_t chunks, void (*run)(void* context, int64_t chunk), void* context);

/// Calls body(begin, end) over pieces of [0, count) of `grain` elements.
template <class Body>
void parallel_for(int64_t count, int64_t grain, Body body) {
  if (count <= grain) {
    if (count > 0) body(int64_t{0}, count);
    return;
  }
  struct Context {
    Body* body;
    int64_t count, grain;
  } context{&body, count, grain};
  const auto run = [](void* pointer, int64_t chunk) {
    auto* c = static_cast<Context*>(pointer);
    const int64_t begin = chunk * c->grain;
    (*c->body)(begin, begin + c->grain < c->count ? begin + c->grain : c->count);
  };
  parallel_chunks((count + grain - 1) / grain, run, &context);
}

}  // namespace levin::inline v0
