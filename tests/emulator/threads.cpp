// The threads of a block as fibers: each has a stack of its own and runs until it waits. Which one goes
// on is chosen by LEVIN_EMULATOR_ORDER: forward, reverse, shuffled, or greedy (a warp goes on until it
// waits for its block). A kernel that is right gives the same bits in every order.
#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "emulator.h"

#ifdef LEVIN_EMULATOR_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace emulator {

Place here;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "emulator: %s (block %u, thread %u)\n", what.c_str(), here.block.x,
               here.thread.x);
  std::abort();
}

namespace {

constexpr int kWarp = 32;
constexpr std::size_t kStack = 256 << 10;

enum class State { runs, waits_for_warp, waits_for_block, ended };

// A place to go on from: where it stopped, or, before it has run, its context.
struct Context {
  ucontext_t context;
  jmp_buf stopped;
  bool has_run = false;
};

struct Fiber {
  std::unique_ptr<char[]> stack = std::make_unique_for_overwrite<char[]>(kStack);
  Context place;
  void* fake_stack = nullptr;
  State state = State::runs;
  int exchanges = 0;
};

struct Warp {
  char values[2][kWarp][16];  // of this exchange and the last, which slow lanes may still read
};

// The block that runs.
struct Block {
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Warp> warps;
  std::unordered_map<const void*, std::vector<char>> shared;
  const std::function<void()>* body = nullptr;
  bool together = false;
  int now = 0;
  Context scheduler;
  const void* scheduler_stack = nullptr;
  std::size_t scheduler_stack_size = 0;
};
Block block;

enum class Order { forward, reverse, shuffled, greedy };

Order chosen_order() {
  const char* name = std::getenv("LEVIN_EMULATOR_ORDER");
  const std::string order = name ? name : "forward";
  if (order == "reverse") return Order::reverse;
  if (order == "shuffled") return Order::shuffled;
  if (order == "greedy") return Order::greedy;
  return Order::forward;
}

std::mt19937 random_numbers;

// 0 .. count - 1 in the chosen order.
std::vector<int> places(int count, Order order) {
  std::vector<int> result(count);
  for (int i = 0; i < count; ++i) result[i] = order == Order::reverse ? count - 1 - i : i;
  if (order == Order::shuffled) std::shuffle(result.begin(), result.end(), random_numbers);
  return result;
}

dim3 place_of(int index, dim3 sizes) {
  const auto i = static_cast<unsigned>(index);
  return {i % sizes.x, i / sizes.x % sizes.y, i / sizes.x / sizes.y};
}

// What the sanitizer must know of a change of stacks.
void leave([[maybe_unused]] void** fake, [[maybe_unused]] const void* to,
           [[maybe_unused]] std::size_t size) {
#ifdef LEVIN_EMULATOR_ASAN
  __sanitizer_start_switch_fiber(fake, to, size);
#endif
}
void arrive([[maybe_unused]] void* fake, [[maybe_unused]] const void** from,
            [[maybe_unused]] std::size_t* size) {
#ifdef LEVIN_EMULATOR_ASAN
  __sanitizer_finish_switch_fiber(fake, from, size);
#endif
}

// Stops at `from` and goes on at `to`. swapcontext alone would do, but asks the system each time.
[[gnu::noinline]] void go(Context& from, Context& to) {
  from.has_run = true;
  if (_setjmp(from.stopped)) return;
  if (to.has_run) _longjmp(to.stopped, 1);
  setcontext(&to.context);
}

void fiber_main() {
  arrive(nullptr, &block.scheduler_stack, &block.scheduler_stack_size);
  (*block.body)();
  Fiber& me = *block.fibers[block.now];
  me.state = State::ended;
  leave(nullptr, block.scheduler_stack, block.scheduler_stack_size);
  go(me.place, block.scheduler);
}

void wait(State state) {
  if (!block.together) fail("a thread waits in a kernel that was not launched together");
  Fiber& me = *block.fibers[block.now];
  me.state = state;
  leave(&me.fake_stack, block.scheduler_stack, block.scheduler_stack_size);
  go(me.place, block.scheduler);
  arrive(me.fake_stack, nullptr, nullptr);
}

// Lets thread i run until it waits or ends.
void resume(int i) {
  block.now = i;
  here.thread = place_of(i, here.threads);
  Fiber& fiber = *block.fibers[i];
  void* fake = nullptr;
  leave(&fake, fiber.stack.get(), kStack);
  go(block.scheduler, fiber.place);
  arrive(fake, nullptr, nullptr);
}

int count(int first, int end, State state) {
  int found = 0;
  for (int i = first; i < end; ++i) found += block.fibers[i]->state == state;
  return found;
}
void release(int first, int end, State state) {
  for (int i = first; i < end; ++i)
    if (block.fibers[i]->state == state) block.fibers[i]->state = State::runs;
}

// Lets the threads of a warp run until each waits for the block or has ended; or (once) until each
// waits. Gives whether one ran.
bool run_warp(int first, int end, Order order, bool once) {
  bool any = false;
  for (;;) {
    for (const int i : places(end - first, order))
      if (block.fibers[first + i]->state == State::runs) resume(first + i), any = true;
    const int waiting = count(first, end, State::waits_for_warp);
    if (waiting == 0) return any;
    if (waiting != end - first) fail("threads of a warp wait for lanes that do not come");
    release(first, end, State::waits_for_warp);
    any = true;
    if (once) return true;
  }
}

void run_block_together(int threads, Order order) {
  while (static_cast<int>(block.fibers.size()) < threads)
    block.fibers.push_back(std::make_unique<Fiber>());
  block.warps.resize((threads + kWarp - 1) / kWarp);
  for (int i = 0; i < threads; ++i) {
    Fiber& fiber = *block.fibers[i];
    fiber.state = State::runs;
    fiber.exchanges = 0;
    fiber.fake_stack = nullptr;
    fiber.place.has_run = false;
    ucontext_t& context = fiber.place.context;
    getcontext(&context);
    context.uc_stack.ss_sp = fiber.stack.get();
    context.uc_stack.ss_size = kStack;
    context.uc_link = nullptr;
    makecontext(&context, fiber_main, 0);
  }
  for (;;) {
    bool any = false;
    for (const int w : places((threads + kWarp - 1) / kWarp, order))
      any |= run_warp(w * kWarp, std::min(threads, (w + 1) * kWarp), order, order != Order::greedy);
    if (any) continue;
    const int waiting = count(0, threads, State::waits_for_block);
    if (waiting == 0) return;
    if (waiting != threads) fail("threads of a block wait for others that have ended");
    release(0, threads, State::waits_for_block);
  }
}

}  // namespace

void wait_for_block() { wait(State::waits_for_block); }
void wait_for_warp() { wait(State::waits_for_warp); }
int lane() { return block.now % kWarp; }

void exchange(const void* value, void* result, std::size_t bytes, int from) {
  if (!block.together) fail("lanes exchange values in a kernel that was not launched together");
  Fiber& me = *block.fibers[block.now];
  Warp& warp = block.warps[block.now / kWarp];
  char(*values)[16] = warp.values[me.exchanges++ % 2];
  std::memcpy(values[lane()], value, bytes);
  wait_for_warp();
  std::memcpy(result, values[from & (kWarp - 1)], bytes);
}

void* shared(const void* key, std::size_t bytes) {
  std::vector<char>& memory = block.shared[key];
  if (memory.empty()) memory.assign(bytes, '\xff');  // NaN, or an index far out of range
  return memory.data();
}

void run_grid(bool together, dim3 blocks, dim3 threads, const std::function<void()>& body) {
  const Order order = chosen_order();
  const auto block_count = static_cast<int>(blocks.x * blocks.y * blocks.z);
  const auto thread_count = static_cast<int>(threads.x * threads.y * threads.z);
  if (block_count == 0 || thread_count == 0 || thread_count > 1024)
    fail("a kernel is launched with " + std::to_string(block_count) + " blocks of " +
         std::to_string(thread_count) + " threads");
  here.blocks = blocks;
  here.threads = threads;
  block.body = &body;
  block.together = together;
  for (const int b : places(block_count, order)) {
    here.block = place_of(b, blocks);
    block.shared.clear();
    if (together) {
      run_block_together(thread_count, order);
      continue;
    }
    for (int t = 0; t < thread_count; ++t) {
      here.thread = place_of(t, threads);
      body();
    }
  }
}

}  // namespace emulator
