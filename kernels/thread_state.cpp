#include "thread_state.h"

#include <pthread.h>

#include <atomic>

#include "block.h"
#include "cpu/cpu_backend.h"

namespace levin::inline v0 {

constinit thread_local ThreadState* thread_state_pointer = nullptr;

namespace {

void free_thread_state(void* pointer) {
  auto* state = static_cast<ThreadState*>(pointer);
  // What these free may still ask for the state.
  thread_state_pointer = state;
  if (state->free_engine) state->free_engine(state->engine);
  if (state->free_generator) state->free_generator(state->own_generator);
  release_thread_cache();
  thread_state_pointer = nullptr;
  delete state;
}

// A key and not a thread_local destructor: it runs after the destructors of the user's thread_local
// tensors.
pthread_key_t exit_key() {
  static const pthread_key_t key = [] {
    pthread_key_t made;
    pthread_key_create(&made, free_thread_state);
    return made;
  }();
  return key;
}

}  // namespace

ThreadState& make_thread_state() {
  static std::atomic<uint64_t> threads{0};
  auto* state = new ThreadState;
  state->cache_room = kThreadCache;
  state->cpu = &cpu_backend();
  state->next_serial = (threads++ << 40) + 1;  // unique over all threads without a shared counter
  thread_state_pointer = state;
  pthread_setspecific(exit_key(), state);
  return *state;
}

}  // namespace levin::inline v0
