#include "gpu.h"

#include <cstring>

namespace levin::inline v0::cuda {

CapturedGraph::~CapturedGraph() {
  if (exec) cudaGraphExecDestroy(exec);
  if (on_device) cudaFree(on_device);
  if (on_host) cudaFreeHost(on_host);
  for (const cudaEvent_t event : used)
    if (event) cudaEventDestroy(event);
}

const char* Gpu::open(int index, const Host& host) {
  index_ = index;
  release_memory_ = host.release_memory;
  LEVIN_TRY(error_of(cudaSetDevice(index)));
  LEVIN_TRY(
      error_of(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, index)));
  LEVIN_TRY(error_of(cudaStreamCreateWithFlags(&compute_, cudaStreamNonBlocking)));
  LEVIN_TRY(error_of(cudaStreamCreateWithFlags(&copies_, cudaStreamNonBlocking)));
  const auto make_event = [](cudaEvent_t* event) {
    return error_of(cudaEventCreateWithFlags(event, cudaEventDisableTiming));
  };
  LEVIN_TRY(make_event(&written_));
  for (Mark& mark : marks_) LEVIN_TRY(make_event(&mark.event));
  for (Slot& slot : slots_) {
    LEVIN_TRY(make_event(&slot.copied));
    LEVIN_TRY(error_of(cudaHostAlloc(reinterpret_cast<void**>(&slot.memory), kSlotBytes, 0)));
  }
  // Kernels write here what is wrong; it lies on the host, so that reading it costs nothing.
  LEVIN_TRY(error_of(
      cudaHostAlloc(reinterpret_cast<void**>(&fault_), sizeof(Fault), cudaHostAllocMapped)));
  *fault_ = Fault::none;
  return nullptr;
}

// ---- Memory

const char* Gpu::allocate(std::size_t bytes, void** memory) {
  ++allocations_;
  return error_of(cudaMalloc(memory, bytes ? bytes : 1));
}

const char* Gpu::allocate_own(std::size_t bytes, void** memory) {
  if (!allocate(bytes, memory)) return nullptr;
  release_memory_({Device::cuda, static_cast<int8_t>(index_)});
  return allocate(bytes, memory);
}

// Calls and graphs that are still to run may use the memory that is too small now: it stays.
void* Gpu::workspace(std::size_t bytes) {
  if (bytes > workspace_bytes_) {
    if (capturing_) return nullptr;
    const std::size_t wanted = bytes < (8 << 20) ? 8 << 20 : bytes * 2;
    void* memory = nullptr;
    if (allocate_own(wanted, &memory)) return nullptr;
    workspace_ = memory;
    workspace_bytes_ = wanted;
  }
  return workspace_;
}

// ---- Between host and device

const char* Gpu::mark() {
  Mark& mark = marks_[next_mark_++ % kMarks];
  mark.position = position_;
  return error_of(cudaEventRecord(mark.event, compute_));
}

// By the earliest mark behind that position, so that a copy need not wait for what came later.
const char* Gpu::copies_wait_for(uint64_t position) {
  const Mark* found = nullptr;
  for (const Mark& mark : marks_)
    if (mark.position >= position && (!found || mark.position < found->position)) found = &mark;
  if (!found) {
    LEVIN_TRY(mark());
    found = &marks_[(next_mark_ - 1) % kMarks];
  }
  return error_of(cudaStreamWaitEvent(copies_, found->event, 0));
}

const char* Gpu::write(const void* from, Block& to, std::size_t offset, std::size_t bytes) {
  if (capturing_) return "cannot take values from the host while a graph is captured";
  const uint64_t used = to.in_graph && last_replay_ > to.used_at ? last_replay_ : to.used_at;
  if (used) LEVIN_TRY(copies_wait_for(used));
  const auto* source = static_cast<const char*>(from);
  auto* target = static_cast<char*>(to.data) + offset;
  for (std::size_t done = 0; done < bytes; done += kSlotBytes) {
    const std::size_t count = bytes - done < kSlotBytes ? bytes - done : kSlotBytes;
    Slot& slot = slots_[next_slot_++ % kSlots];
    if (slot.in_flight) LEVIN_TRY(error_of(cudaEventSynchronize(slot.copied)));
    std::memcpy(slot.memory, source + done, count);
    LEVIN_TRY(error_of(
        cudaMemcpyAsync(target + done, slot.memory, count, cudaMemcpyHostToDevice, copies_)));
    LEVIN_TRY(error_of(cudaEventRecord(slot.copied, copies_)));
    slot.in_flight = true;
  }
  LEVIN_TRY(error_of(cudaEventRecord(written_, copies_)));
  LEVIN_TRY(error_of(cudaStreamWaitEvent(compute_, written_, 0)));
  return mark();  // for the next copies
}

const char* Gpu::read(const Block& from, std::size_t offset, void* to, std::size_t bytes) {
  if (bytes == 0) return nullptr;
  if (capturing_) return "cannot give values to the host while a graph is captured";
  const auto* source = static_cast<const char*>(from.data) + offset;
  auto* target = static_cast<char*>(to);
  for (std::size_t done = 0; done < bytes; done += kSlotBytes) {
    const std::size_t count = bytes - done < kSlotBytes ? bytes - done : kSlotBytes;
    Slot& slot = slots_[next_slot_++ % kSlots];
    if (slot.in_flight) LEVIN_TRY(error_of(cudaEventSynchronize(slot.copied)));
    slot.in_flight = false;
    LEVIN_TRY(error_of(
        cudaMemcpyAsync(slot.memory, source + done, count, cudaMemcpyDeviceToHost, compute_)));
    LEVIN_TRY(synchronize());
    std::memcpy(target + done, slot.memory, count);
  }
  return nullptr;
}

const char* Gpu::synchronize() {
  ++synchronizations_;
  LEVIN_TRY(error_of(cudaStreamSynchronize(compute_)));
  const Fault found = *static_cast<volatile Fault*>(fault_);
  *fault_ = Fault::none;
  switch (found) {
    case Fault::none:
      break;
    case Fault::index:
      return "comes after an operation that had an index out of range";
    case Fault::target:
      return "comes after a cross_entropy that had a target that is no class";
  }
  return nullptr;
}

// ---- Graphs

const char* Gpu::begin_capture() {
  auto graph = std::make_unique<CapturedGraph>();
  LEVIN_TRY(allocate_own(kGraphNumbers, reinterpret_cast<void**>(&graph->on_device)));
  LEVIN_TRY(error_of(cudaStreamBeginCapture(compute_, cudaStreamCaptureModeThreadLocal)));
  capturing_ = std::move(graph);
  mutex_.lock();
  return nullptr;
}

const char* Gpu::add_numbers(std::function<void(void*)> compute, std::size_t bytes, char** place) {
  CapturedGraph& graph = *capturing_;
  *place = graph.on_device + graph.bytes;
  const std::size_t end = graph.bytes + (bytes + 15) / 16 * 16;
  if (end > kGraphNumbers) return "needs more numbers in a graph than there is room for";
  graph.numbers.push_back({std::move(compute), graph.bytes});
  graph.bytes = end;
  return nullptr;
}

const char* Gpu::end_capture(uint64_t* handle) {
  mutex_.unlock();
  std::unique_ptr<CapturedGraph> graph = std::move(capturing_);
  cudaGraph_t captured = nullptr;
  LEVIN_TRY(error_of(cudaStreamEndCapture(compute_, &captured)));
  const cudaError_t status = cudaGraphInstantiate(&graph->exec, captured, 0);
  cudaGraphDestroy(captured);
  LEVIN_TRY(error_of(status));
  if (graph->bytes) {
    LEVIN_TRY(error_of(cudaHostAlloc(reinterpret_cast<void**>(&graph->on_host),
                                     graph->bytes * CapturedGraph::kSlots, 0)));
    for (cudaEvent_t& event : graph->used)
      LEVIN_TRY(error_of(cudaEventCreateWithFlags(&event, cudaEventDisableTiming)));
  }
  *handle = reinterpret_cast<uint64_t>(graph.release());
  return nullptr;
}

const char* Gpu::replay(uint64_t handle) {
  auto& graph = *reinterpret_cast<CapturedGraph*>(handle);
  if (graph.bytes) {
    const uint64_t slot = graph.next % CapturedGraph::kSlots;
    if (graph.next >= CapturedGraph::kSlots)
      LEVIN_TRY(error_of(cudaEventSynchronize(graph.used[slot])));
    ++graph.next;
    char* numbers = graph.on_host + slot * graph.bytes;
    for (const CapturedGraph::Numbers& part : graph.numbers) part.compute(numbers + part.offset);
    LEVIN_TRY(error_of(
        cudaMemcpyAsync(graph.on_device, numbers, graph.bytes, cudaMemcpyHostToDevice, compute_)));
    LEVIN_TRY(error_of(cudaEventRecord(graph.used[slot], compute_)));
  }
  last_replay_ = ++position_;
  return error_of(cudaGraphLaunch(graph.exec, compute_));
}

void Gpu::free_graph(uint64_t handle) {
  // It may still run.
  ++synchronizations_;
  cudaStreamSynchronize(compute_);
  delete reinterpret_cast<CapturedGraph*>(handle);
}

}  // namespace levin::inline v0::cuda
