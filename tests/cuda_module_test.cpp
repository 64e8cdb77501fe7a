// The module that nvcc builds, on any machine: that it loads, whom it refuses, and what it says where
// there is no GPU. cuda_module.driver runs it with tests/emulator's driver in the place of NVIDIA's,
// which tells levin of a GPU that CUDA then does not take.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <levin/kernels/cpu/cpu_backend.h>
#include <levin/kernels/cuda.h>
#include <levin/kernels/cuda/module.h>

#include <cstdlib>
#include <string>

namespace levin {
namespace {

struct Opened {
  std::string error;  // "" where there is none
  int gpus = -1;
};

Opened open_as(const char* build) {
  void* module = dlopen(LEVIN_CUDA_MODULE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!module) return {dlerror()};
  const auto open = reinterpret_cast<cuda::OpenModule>(dlsym(module, cuda::kOpenModule));
  if (!open) return {dlerror()};
  const cuda::Host host{build, &cpu_backend(), release_memory};
  Backend* backends[kMostGpus] = {};
  Opened result;
  const char* error = open(&host, backends, &result.gpus);
  result.error = error ? error : "";
  return result;
}

TEST(CudaModule, RefusesAnotherBuild) {
  const Opened opened = open_as("another");
  EXPECT_EQ(opened.error, "the CUDA module belongs to another build of levin");
  EXPECT_EQ(opened.gpus, 0);
}

TEST(CudaModule, OpensOrSaysWhatStandsAgainstIt) {
  const Opened opened = open_as(cuda::kBuild);
  EXPECT_EQ(opened.gpus > 0, opened.error.empty()) << opened.error;
  if (!opened.error.empty()) std::printf("no GPU: %s\n", opened.error.c_str());
}

TEST(CudaModule, IsFoundAndAskedWhereThereIsADriver) {
  if (!std::getenv("LEVIN_CUDA_PATH")) GTEST_SKIP() << "run by cuda_module.driver";
  EXPECT_FALSE(cuda::available());
  EXPECT_EQ(cuda::why(), "levin's CUDA module " LEVIN_CUDA_MODULE
                         ": CUDA driver version is insufficient for CUDA runtime version");
}

}  // namespace
}  // namespace levin
