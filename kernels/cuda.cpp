// Loads the CUDA module when a GPU is first asked for: a program runs with and without one.
#include "cuda.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "backend.h"
#include "check.h"
#include "cpu/cpu_backend.h"
#include "cuda/module.h"

namespace levin::inline v0 {
namespace cuda {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModule = "liblevin_cuda.so";

struct Gpus {
  std::string why;
  int count = 0;
  Backend* backends[kMostGpus] = {};
};

// Asks the driver, which costs little, before the module and its libraries are loaded. "" where there
// is a device.
std::string look_for_device() {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!driver) return std::string("there is no NVIDIA driver: ") + dlerror();
  using Init = int (*)(unsigned);
  using Count = int (*)(int*);
  const auto init = reinterpret_cast<Init>(dlsym(driver, "cuInit"));
  const auto count = reinterpret_cast<Count>(dlsym(driver, "cuDeviceGetCount"));
  if (!init || !count) return "libcuda.so.1 is not NVIDIA's driver";
  if (const int error = init(0))
    return "the NVIDIA driver found no GPU (its error " + std::to_string(error) + ")";
  int devices = 0;
  if (const int error = count(&devices))
    return "the NVIDIA driver does not count its GPUs (its error " + std::to_string(error) + ")";
  return devices > 0 ? "" : "the NVIDIA driver has no GPU";
}

// The folder of the program or shared library that levin is part of.
fs::path own_folder() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<void*>(&look_for_device), &info) || !info.dli_fname) return {};
  std::error_code ignored;
  const fs::path file = fs::canonical(info.dli_fname, ignored);
  return ignored ? fs::canonical("/proc/self/exe", ignored).parent_path() : file.parent_path();
}

// Beside the program or library, where a build or an installation puts the module; at last wherever the
// system looks.
std::vector<fs::path> places() {
  if (const char* given = std::getenv("LEVIN_CUDA_PATH")) {
    std::error_code ignored;
    const fs::path path(given);
    return {fs::is_directory(path, ignored) ? path / kModule : path};
  }
  const fs::path own = own_folder(), above = own.parent_path();
  return {own / kModule, above / kModule, above / "lib" / kModule, kModule};
}

// "" or what is wrong.
std::string open_module(void* module, Gpus* gpus) {
  const auto open = reinterpret_cast<OpenModule>(dlsym(module, kOpenModule));
  if (!open) return std::string("has no ") + kOpenModule;
  const Host host{kBuild, &cpu_backend(), release_memory};
  const char* error = open(&host, gpus->backends, &gpus->count);
  if (error) gpus->count = 0;
  return error ? error : "";
}

Gpus load() {
  Gpus gpus;
  gpus.why = look_for_device();
  if (!gpus.why.empty()) return gpus;
  std::error_code ignored;
  std::string looked;
  for (const fs::path& path : places()) {
    looked += (looked.empty() ? "" : ", ") + path.string();
    if (path.is_absolute() && !fs::exists(path, ignored)) continue;
    void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!module && !path.is_absolute()) continue;
    const std::string error = module ? open_module(module, &gpus) : dlerror();
    if (!error.empty()) gpus.why = "levin's CUDA module " + path.string() + ": " + error;
    return gpus;
  }
  gpus.why =
      "levin's CUDA module is not there (is levin built without CUDA?); looked for: " + looked;
  return gpus;
}

constinit std::atomic<int> loaded{0};

const Gpus& gpus() {
  static const Gpus* made = [] {
    const auto* gpus = new Gpus(load());  // never destroyed: memory may come back after main
    loaded = gpus->count;
    return gpus;
  }();
  return *made;
}

}  // namespace

bool available() { return gpus().count > 0; }
const std::string& why() { return gpus().why; }
int device_count() { return gpus().count; }

void synchronize(Device device) {
  if (const char* error = backend(device).synchronize())
    fail(Fault::world, {"synchronize of ", device, " ", error});
}

Statistics statistics(Device device) {
  const DeviceCounts counts = backend(device).counts();
  return {levin::memory_taken(device), levin::memory_free(device), counts.raw_allocations,
          counts.synchronizations};
}

}  // namespace cuda

int gpus_loaded() { return cuda::loaded; }

Backend& load_gpu(Device device) {
  const cuda::Gpus& gpus = cuda::gpus();
  if (device.index < 0 || device.index >= gpus.count) [[unlikely]] {
    if (gpus.count == 0) fail(Fault::world, {"device ", device, ": ", gpus.why});
    fail(Fault::world, {"device ", device, ": there are ", gpus.count, " GPUs"});
  }
  return *(thread_state().gpus[device.index] = gpus.backends[device.index]);
}

}  // namespace levin::inline v0
