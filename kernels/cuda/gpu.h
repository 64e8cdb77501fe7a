// Gpu: what the calls of one GPU's backend share: streams, memory between host and device, memory to
// work in, and the graph that is being captured.
#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "../backend.h"
#include "../host_device.h"
#include "module.h"
#include "runtime.h"

namespace levin::inline v0::cuda {

/// What a kernel found wrong, told to the host by the next call that waits.
enum class Fault : uint32_t { none, index, target };

/// A captured graph, and the numbers that the host computes anew for each replay.
struct CapturedGraph {
  /// Writes `bytes` of numbers; called once for each replay.
  struct Numbers {
    std::function<void(void* to)> compute;
    std::size_t offset;
  };
  cudaGraphExec_t exec = nullptr;
  std::vector<Numbers> numbers;
  std::size_t bytes = 0;      ///< of all numbers
  char* on_device = nullptr;  ///< where kernels read them
  char* on_host = nullptr;    ///< kSlots times as many, pinned
  static constexpr int kSlots = 16;
  cudaEvent_t used[kSlots] = {};  ///< when a slot has been copied
  uint64_t next = 0;

  ~CapturedGraph();
};

class Gpu {
 public:
  /// Null, or what is wrong.
  const char* open(int index, const Host& host);

  int index() const { return index_; }
  int multiprocessors() const { return multiprocessors_; }
  cudaStream_t stream() const { return compute_; }
  /// One thread at a time makes calls; while it does, the device is the thread's.
  std::unique_lock<std::recursive_mutex> turn() {
    std::unique_lock lock(mutex_);
    cudaSetDevice(index_);
    return lock;
  }

  template <class... P, class... A>
  const char* launch(void (*kernel)(P...), dim3 blocks, dim3 threads, A... arguments) {
    return launch_on(compute_, kernel, blocks, threads, arguments...);
  }
  template <class... P, class... A>
  const char* launch_together(void (*kernel)(P...), dim3 blocks, dim3 threads, A... arguments) {
    return launch_together_on(compute_, kernel, blocks, threads, arguments...);
  }

  /// Notes that the next call uses the operand, so that the host writes there only afterwards.
  void uses(const Arg& arg) {
    if (!arg.block) return;
    if (capturing_)
      arg.block->in_graph = true;
    else
      arg.block->used_at = position_;
  }
  void count_call() { ++position_; }

  /// Asks the device for memory. Null, or what is wrong.
  const char* allocate(std::size_t bytes, void** memory);
  /// The same, for the module itself: where there is none, what tensors left free goes back first.
  const char* allocate_own(std::size_t bytes, void** memory);
  uint64_t allocations() const { return allocations_; }

  /// Memory to work in, for the kernels of one call. Null where there is none.
  void* workspace(std::size_t bytes);

  /// Where kernels find numbers that the host computes: now, or (in a graph) before each replay. A
  /// kernel takes `value` where `pointer` is null.
  template <class T>
  struct Fresh {
    const T* pointer;
    T value;
    LEVIN_HD const T& get() const { return pointer ? *pointer : value; }
  };
  template <class T, class Compute>
  const char* fresh(Compute compute, Fresh<T>* result) {
    if (!capturing_) {
      *result = {nullptr, compute()};
      return nullptr;
    }
    char* place = nullptr;
    const char* error = add_numbers(
        [compute](void* to) {
          const T value = compute();
          std::memcpy(to, &value, sizeof(T));
        },
        sizeof(T), &place);
    *result = {reinterpret_cast<const T*>(place), T{}};
    return error;
  }

  Fault* fault() { return fault_; }

  /// What matmul.cpp keeps from call to call.
  std::shared_ptr<class Products> products;

  const char* read(const Block& from, std::size_t offset, void* to, std::size_t bytes);
  const char* write(const void* from, Block& to, std::size_t offset, std::size_t bytes);
  /// Waits for all that was issued. Null, or what a kernel found wrong since.
  const char* synchronize();
  uint64_t synchronizations() const { return synchronizations_; }

  /// Until end_capture() it is this thread's turn: others' calls would be captured too.
  const char* begin_capture();
  const char* end_capture(uint64_t* graph);
  const char* replay(uint64_t graph);
  void free_graph(uint64_t graph);

 private:
  // Pinned memory through which host and device exchange bytes.
  struct Slot {
    char* memory = nullptr;
    cudaEvent_t copied = nullptr;
    bool in_flight = false;
  };
  static constexpr int kSlots = 4;
  static constexpr std::size_t kSlotBytes = 1 << 20;
  // Where the compute stream was when an event was recorded.
  struct Mark {
    cudaEvent_t event = nullptr;
    uint64_t position = 0;
  };
  static constexpr int kMarks = 8;
  static constexpr std::size_t kGraphNumbers = 256 << 10;

  const char* add_numbers(std::function<void(void*)> compute, std::size_t bytes, char** place);
  const char* copies_wait_for(uint64_t position);
  const char* mark();

  int index_ = 0, multiprocessors_ = 0;
  void (*release_memory_)(Device) = nullptr;
  std::recursive_mutex mutex_;
  cudaStream_t compute_ = nullptr, copies_ = nullptr;
  uint64_t position_ = 1, last_replay_ = 0;
  std::atomic<uint64_t> allocations_{0}, synchronizations_{0};
  Slot slots_[kSlots];
  uint64_t next_slot_ = 0;
  Mark marks_[kMarks];
  uint64_t next_mark_ = 0;
  cudaEvent_t written_ = nullptr;
  void* workspace_ = nullptr;
  std::size_t workspace_bytes_ = 0;
  Fault* fault_ = nullptr;
  std::unique_ptr<CapturedGraph> capturing_;
};

/// The first element of an operand whose type is T.
template <class T>
T* data_of(const Arg& arg) {
  return static_cast<T*>(arg.block->data) + arg.layout->offset;
}

/// The same, null where the operand is left out.
template <class T>
T* data_or_null(const Arg& arg) {
  return arg.block ? data_of<T>(arg) : nullptr;
}
/// The first element of an operand of any type.
inline void* first_of(const Arg& arg) {
  return static_cast<char*>(arg.block->data) +
         arg.layout->offset * static_cast<int64_t>(item_size(arg.layout->dtype));
}

constexpr int64_t blocks_for(int64_t n, int64_t per_block) {
  return (n + per_block - 1) / per_block;
}

#define LEVIN_TRY(call) \
  if (const char* error = (call)) return error

}  // namespace levin::inline v0::cuda
