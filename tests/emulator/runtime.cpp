// Memory, streams, events and graphs of the emulated device. What a stream is given runs only when
// somebody waits for it: so a result that is read without waiting is not there. With
// LEVIN_EMULATOR_STREAMS=early all streams but the first that was made run at once what they are
// given: so what does not wait for the first comes too early. Behind each block of device memory lies a
// guard that nobody may write to (AddressSanitizer has its own).
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "emulator.h"

#ifdef LEVIN_EMULATOR_ASAN
#include <sanitizer/asan_interface.h>
constexpr std::size_t kGuard = 0;
#else
constexpr std::size_t kGuard = 64;
#define ASAN_POISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#endif

using Work = std::function<void()>;

struct Event {
  struct Stream* stream = nullptr;
  uint64_t recorded = 0, reached = 0;
};

struct Graph {
  std::vector<Work> work;
};

struct Stream {
  struct Item {
    Work work;
    Event* event = nullptr;  // to be reached, or (wait) to be waited for
    uint64_t ticket = 0;
    bool wait = false;
  };
  std::deque<Item> queue;
  bool early = false;
  std::unique_ptr<Graph> captured;
  std::thread::id captured_by;
  bool spoilt = false;  // the capture
};

namespace {

// One thread at a time: the host's threads share the device.
std::recursive_mutex mutex;
using Lock = std::lock_guard<std::recursive_mutex>;

std::map<char*, std::size_t> device_memory, pinned_memory;
std::vector<std::unique_ptr<Stream>> streams;
int events = 0, graphs = 0;
bool running = false;

// The host must not touch the device's memory: the address sanitizer sees when it does.
void open_device_memory(bool open) {
  for (const auto& [memory, bytes] : device_memory)
    open ? ASAN_UNPOISON_MEMORY_REGION(memory, bytes) : ASAN_POISON_MEMORY_REGION(memory, bytes);
}

// A thread that captures may neither ask for memory nor give it back, for in CUDA that may wait.
bool spoils_capture() {
  for (const auto& stream : streams)
    if (stream->captured && stream->captured_by == std::this_thread::get_id())
      return stream->spoilt = true;
  return false;
}

std::size_t memory_taken() {
  std::size_t taken = 0;
  for (const auto& [memory, bytes] : device_memory) taken += bytes;
  return taken;
}

void check_guard(const char* memory, std::size_t bytes) {
  for (std::size_t i = 0; i < kGuard; ++i)
    if (memory[bytes + i] != '\xff') emulator::fail("something wrote behind a block of memory");
}

bool lies_in(const std::map<char*, std::size_t>& memory, const void* at, std::size_t bytes) {
  auto* first = static_cast<char*>(const_cast<void*>(at));
  auto block = memory.upper_bound(first);
  if (block == memory.begin()) return false;
  --block;
  return first + bytes <= block->first + block->second;
}

void drain(Stream& stream, const Event* until, uint64_t ticket) {
  while (!stream.queue.empty() && (!until || until->reached < ticket)) {
    const Stream::Item item = std::move(stream.queue.front());
    stream.queue.pop_front();
    if (item.wait) {
      if (item.event->reached < item.ticket) drain(*item.event->stream, item.event, item.ticket);
    } else if (item.event) {
      item.event->reached = item.ticket;
    } else {
      item.work();
    }
  }
}

void run(Stream& stream, const Event* until = nullptr, uint64_t ticket = 0) {
  if (stream.queue.empty()) return;
  const bool outermost = !running;
  if (outermost) running = true, open_device_memory(true);
  drain(stream, until, ticket);
  if (!outermost) return;
  running = false, open_device_memory(false);
  for (const auto& [memory, bytes] : device_memory) check_guard(memory, bytes);
}

void add(Stream* its_stream, Stream::Item item) {
  if (!its_stream) emulator::fail("the default stream is used, which waits for no other");
  Stream& stream = *its_stream;
  if (stream.captured) {
    if (item.event) emulator::fail("an event is used in a stream that is captured");
    stream.captured->work.push_back(std::move(item.work));
    return;
  }
  stream.queue.push_back(std::move(item));
  if (stream.early) run(stream);
}

}  // namespace

namespace emulator {

void enqueue_grid(Stream* stream, bool together, dim3 blocks, dim3 threads, Work body) {
  const Lock lock(mutex);
  add(stream, {[=] { run_grid(together, blocks, threads, body); }});
}

bool is_device_memory(const void* at, std::size_t bytes) {
  const Lock lock(mutex);
  return lies_in(device_memory, at, bytes);
}

void enqueue(Stream* stream, Work work) {
  const Lock lock(mutex);
  add(stream, {std::move(work)});
}

}  // namespace emulator

// How much of CUDA's there is: blocks of memory, events and graphs.
extern "C" [[gnu::visibility("default")]] int levin_emulator_count() {
  const Lock lock(mutex);
  return static_cast<int>(device_memory.size() + pinned_memory.size()) + events + graphs;
}

// Bytes of device memory that are taken.
extern "C" [[gnu::visibility("default")]] std::size_t levin_emulator_memory() {
  const Lock lock(mutex);
  return memory_taken();
}

const char* cudaGetErrorString(cudaError_t status) {
  switch (status) {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorNotReady:
      return "device not ready";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
      return "operation failed due to a previous error during capture";
    case cudaErrorInvalidValue:
      break;
  }
  return "invalid argument";
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidValue; }
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  *value = attribute == cudaDevAttrMultiProcessorCount ? 4 : 9;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  const Lock lock(mutex);
  if (spoils_capture()) return cudaErrorStreamCaptureUnsupported;
  const char* most = std::getenv("LEVIN_EMULATOR_MEMORY");
  if (most && memory_taken() + bytes > std::strtoull(most, nullptr, 10))
    return cudaErrorMemoryAllocation;
  if (posix_memalign(memory, 256, bytes + kGuard + !bytes)) return cudaErrorMemoryAllocation;
  std::memset(*memory, 0xff, bytes + kGuard);
  device_memory[static_cast<char*>(*memory)] = bytes;
  if (!running) ASAN_POISON_MEMORY_REGION(*memory, bytes);
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  const Lock lock(mutex);
  if (spoils_capture()) return cudaErrorStreamCaptureUnsupported;
  for (const auto& stream : streams) run(*stream);  // it waits for all
  const auto found = device_memory.find(static_cast<char*>(memory));
  if (found == device_memory.end()) return cudaErrorInvalidValue;
  ASAN_UNPOISON_MEMORY_REGION(memory, found->second);
  device_memory.erase(found);
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  const Lock lock(mutex);
  if (spoils_capture()) return cudaErrorStreamCaptureUnsupported;
  *memory = std::malloc(bytes);
  pinned_memory[static_cast<char*>(*memory)] = bytes;
  return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}
cudaError_t cudaFreeHost(void* memory) {
  const Lock lock(mutex);
  if (spoils_capture()) return cudaErrorStreamCaptureUnsupported;
  pinned_memory.erase(static_cast<char*>(memory));
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const Lock lock(mutex);
  const bool reads_host = kind == cudaMemcpyHostToDevice,
             writes_host = kind == cudaMemcpyDeviceToHost;
  if (!lies_in(reads_host ? pinned_memory : device_memory, from, bytes) ||
      !lies_in(writes_host ? pinned_memory : device_memory, to, bytes))
    emulator::fail("a copy reads or writes what is neither device memory nor pinned");
  add(stream, {[=] { std::memcpy(to, from, bytes); }});
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  const Lock lock(mutex);
  add(stream, {[=] { std::memset(to, value, bytes); }});
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const Lock lock(mutex);
  const char* mode = std::getenv("LEVIN_EMULATOR_STREAMS");
  const bool early = mode && std::strcmp(mode, "early") == 0 && !streams.empty();
  *stream = streams.emplace_back(std::make_unique<Stream>()).get();
  (*stream)->early = early;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Lock lock(mutex);
  if (stream->captured) return cudaErrorStreamCaptureUnsupported;
  run(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const Lock lock(mutex);
  if (event->recorded) add(stream, {{}, event, event->recorded, true});
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  const Lock lock(mutex);
  *event = new Event;
  ++events;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Lock lock(mutex);
  event->stream = stream;
  add(stream, {{}, event, ++event->recorded, false});
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Lock lock(mutex);
  if (event->reached < event->recorded) run(*event->stream, event, event->recorded);
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  const Lock lock(mutex);
  return event->reached < event->recorded ? cudaErrorNotReady : cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const Lock lock(mutex);
  delete event;
  --events;
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const Lock lock(mutex);
  stream->captured = std::make_unique<Graph>();
  stream->captured_by = std::this_thread::get_id();
  stream->spoilt = false;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Lock lock(mutex);
  std::unique_ptr<Graph> captured = std::move(stream->captured);
  *graph = nullptr;
  if (stream->spoilt) return cudaErrorStreamCaptureInvalidated;
  *graph = captured.release();
  ++graphs;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  const Lock lock(mutex);
  *exec = new Graph(*graph);
  ++graphs;
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const Lock lock(mutex);
  delete graph;
  --graphs;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const Lock lock(mutex);
  delete exec;
  --graphs;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const Lock lock(mutex);
  for (const Work& work : exec->work) add(stream, {work});
  return cudaSuccess;
}
