// Whether the machine code of the GPU's kernels is what their sources promise: 16 bytes at a time, no
// memory of a thread's own, no contraction, no atomics, registers for the threads that are launched.
#include "machine_code.h"

#include <cxxabi.h>
#include <gtest/gtest.h>
#define LEVIN_GPU
#include <levin/kernels/formulas/evaluate.h>
#include <levin/kernels/formulas/math.h>
#include <levin/kernels/formulas/optimizers.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <regex>
#include <set>
#include <typeinfo>

namespace levin {
namespace {

using namespace machine_code;

using Kernels = std::map<std::string, Kernel>;

Kernels by_name(const char* file) {
  Kernels kernels;
  for (const Kernel& kernel : kernels_of(file))
    if (!kernels.emplace(kernel.name, kernel).second)
      throw std::runtime_error("two kernels are called " + kernel.name);
  return kernels;
}
const Kernels& module() {
  static const Kernels kernels = by_name(LEVIN_CUDA_MODULE);
  return kernels;
}
const Kernels& known() {
  static const Kernels kernels = by_name(LEVIN_KNOWN_KERNELS);
  return kernels;
}

template <class T>
std::string name_of_type() {
  char* text = abi::__cxa_demangle(typeid(T).name(), nullptr, nullptr, nullptr);
  const std::string name = text;
  std::free(text);
  return name;
}

// ---- What the reader sees, by kernels whose code is known

TEST(MachineCode, WidthsOfLoadsAndStoresAreSeen) {
  const std::map<std::string, int> bytes = {
      {"unsigned char", 1}, {"short", 2}, {"float", 4}, {"float2", 8}, {"float4", 16}};
  for (const auto& [type, size] : bytes) {
    const Kernel& kernel = known().at("move<" + type + ">");
    EXPECT_EQ(kernel.count(kLoadGlobal), 1) << type;
    EXPECT_EQ(kernel.count(kLoadGlobal, size), 1) << type;
    EXPECT_EQ(kernel.count(kStoreGlobal), 1) << type;
    EXPECT_EQ(kernel.count(kStoreGlobal, size), 1) << type;
    EXPECT_EQ(kernel.count_local(), 0) << type;
    EXPECT_EQ(kernel.count_atomics(), 0) << type;
    EXPECT_EQ(kernel.local_bytes, 0) << type;
  }
}

TEST(MachineCode, MemoryOfAThreadIsSeen) {
  const Kernel &array = known().at("array"), &spills = known().at("spills");
  EXPECT_EQ(array.local_bytes, 256);
  EXPECT_GT(array.count(kLoadLocal), 0);
  EXPECT_GT(array.count(kStoreLocal), 0);
  EXPECT_GT(spills.local_bytes, 0);
  EXPECT_GT(spills.count(kLoadLocal), 0);
  EXPECT_GT(spills.count(kStoreLocal), 0);
  EXPECT_EQ(spills.threads, 1024);
  EXPECT_LE(spills.registers, 64);
  EXPECT_EQ(array.threads, 0);
}

TEST(MachineCode, MemoryOfEitherKindIsSeen) {
  EXPECT_GT(known().at("either").count(kLoadGeneric), 0);
  EXPECT_GT(known().at("either").count(kStoreGeneric), 0);
}

TEST(MachineCode, AtomicsAreSeen) {
  for (const char* name : {"add", "add_double", "add_and_tell", "greatest", "exchange",
                           "compare_and_swap", "add_either", "add_shared", "add_shared_float"})
    EXPECT_GT(known().at(name).count_atomics(), 0) << name;
}

TEST(MachineCode, MultiplyAddsAreSeen) {
  EXPECT_EQ(known().at("multiply_add<float>").count(kMultiplyAdd), 1);
  EXPECT_EQ(known().at("multiply_add<double>").count(kMultiplyAddDouble), 1);
  EXPECT_EQ(known().at("move<float>").count(kMultiplyAdd), 0);
}

TEST(MachineCode, WhatCannotBeReadIsRefused) {
  EXPECT_THROW(kernels_of("/nowhere"), std::runtime_error);
  EXPECT_THROW(kernels_of(LEVIN_TEST_DIR "/machine_code.h"), std::runtime_error);
  EXPECT_THROW(kernels_of(LEVIN_COMPRESSED_KERNELS), std::runtime_error);
}

// ---- The module

// At least so many accesses of 16 bytes each.
void expect_wide(const std::string& name, int loads, int stores) {
  const auto found = module().find("levin::v0::cuda::" + name);
  ASSERT_NE(found, module().end()) << name;
  EXPECT_GE(found->second.count(kLoadGlobal, 16), loads) << name;
  EXPECT_GE(found->second.count(kStoreGlobal, 16), stores) << name;
}

int count_of(const std::string& part) {
  return std::ranges::count_if(module(), [&](const auto& kernel) {
    return kernel.first.find("::" + part + "<") != std::string::npos;
  });
}

// Derivatives that do without one of the operands that reads() tells, which then is not loaded.
const std::set<std::string> kDoWithoutOne = {
    "Sign d0",  "Floor d0", "Ceil d0", "Round d0",       "Trunc d0",
    "Hypot d0", "Hypot d1", "Pow d0",  "FloorDivide d0", "FloorDivide d1"};

template <class F, OpPart part>
void expect_packed(const std::string& name, std::set<std::string>* seen) {
  using V = One<float>;
  if constexpr (!requires { F::kIntegersOnly; }) {
    if constexpr (has_part<F, V, part>()) {
      const std::string kernel = "packed_kernel<" + name_of_type<F>() + ", (levin::v0::OpPart)" +
                                 std::to_string(static_cast<int>(part)) + ">";
      int operands = -static_cast<int>(kDoWithoutOne.count(name));
      for (int k = 0; k < 4; ++k) operands += reads<F, part, V>(k);
      // float32 takes two accesses for each operand, the narrow types one. bools are stored one by one.
      expect_wide(kernel, 3 * operands, gives_bool<F>() ? 0 : 3);
      seen->insert(kernel);
    }
  }
}

TEST(MachineCode, ContiguousElementsAreMoved16BytesAtATime) {
  std::set<std::string> seen;
#define OP(name, Struct, arguments, parameters)                     \
  expect_packed<formula::Struct, OpPart::f>(#Struct " f", &seen);   \
  expect_packed<formula::Struct, OpPart::d0>(#Struct " d0", &seen); \
  expect_packed<formula::Struct, OpPart::d1>(#Struct " d1", &seen); \
  expect_packed<formula::Struct, OpPart::d2>(#Struct " d2", &seen);
#define FORMULA OP
#include <levin/kernels/ops.def>
#undef FORMULA
#undef OP
  EXPECT_EQ(static_cast<int>(seen.size()), count_of("packed_kernel"));
  std::printf("%zu kernels of formulas move 16 bytes at a time\n", seen.size());
}

template <class... Rules>
void expect_updates(formula::RuleList<Rules...>) {
  const auto expect = [](const std::string& rule, int states) {
    for (const char* type : {"float", "double"})
      expect_wide("update_kernel<" + rule + ", " + type + ">", 2 * (2 + states), 2 * (1 + states));
  };
  (expect(name_of_type<Rules>(), Rules::kStates), ...);
  EXPECT_EQ(static_cast<int>(2 * sizeof...(Rules)), count_of("update_kernel"));
}

TEST(MachineCode, OptimizersAndOthersMove16BytesAtATime) {
  expect_updates(formula::Rules());
  expect_wide("gather_kernel<uint4>", 1, 1);
  expect_wide("random_kernel<float, false>", 0, 1);
  expect_wide("random_kernel<double, true>", 0, 1);
}

// Kernels that have memory of a thread's own, and why. Everything else works in registers.
struct Local {
  const char* names;  // a regular expression
  int kernels;
  int most_bytes, most_accesses;
};
constexpr Local kLocal[] = {
    // PairwiseSum: the partial sums of rows of more than 8 blocks of elements. (With 8 bytes more: a
    // register that does not suffice.)
    {R"(_kernel<float, .*Row<float, \d+, \(levin::v0::cuda::RowLength\)2>.*)", 7, 200, 16},
    {R"(_kernel<double, .*Row<double, \d+, \(levin::v0::cuda::RowLength\)2>.*)", 7, 400, 16},
    {R"(::add_pieces_kernel<float>)", 1, 200, 7},
    {R"(::add_pieces_kernel<double>)", 1, 392, 7},
    // CUDA's sin, cos and tan of great arguments; normal random numbers are made of them.
    {R"(_kernel<levin::v0::formula::(Sin|Cos|Tan), .*)", 15, 40, 5},
    {R"(::random_kernel<.*)", 18, 40, 5},
};

TEST(MachineCode, ThreadsWorkInRegistersButForTheseKernels) {
  int found[std::size(kLocal)] = {};
  for (const auto& [name, kernel] : module()) {
    if (kernel.local_bytes == 0 && kernel.count_local() == 0) continue;
    const Local* why = nullptr;
    for (const Local& local : kLocal)
      if (std::regex_search(name, std::regex(local.names))) why = &local;
    if (!why) {
      ADD_FAILURE() << name << ": " << kernel.local_bytes << " bytes of a thread's own, "
                    << kernel.count_local() << " accesses";
      continue;
    }
    ++found[why - kLocal];
    EXPECT_LE(kernel.local_bytes, why->most_bytes) << name;
    EXPECT_LE(kernel.count_local(), why->most_accesses) << name;
  }
  for (std::size_t i = 0; i < std::size(kLocal); ++i)
    EXPECT_EQ(found[i], kLocal[i].kernels) << kLocal[i].names;
}

// Formulas that multiply and add, but neither divide nor call functions, which have some of their own.
TEST(MachineCode, MultipliesAndAddsStayTwoOperations) {
  for (const std::string formula : {"AddScaled", "Addcmul", "Lerp"}) {
    const std::string arguments = "<levin::v0::formula::" + formula + ", (levin::v0::OpPart)0";
    const auto kernel = [&](const std::string& name) {
      return module().at("levin::v0::cuda::" + name);
    };
    EXPECT_EQ(kernel("packed_kernel" + arguments + ">").count(kMultiplyAdd), 0);
    EXPECT_EQ(kernel("strided_kernel" + arguments + ", float>").count(kMultiplyAdd), 0);
    EXPECT_EQ(kernel("strided_kernel" + arguments + ", double>").count(kMultiplyAddDouble), 0);
  }
}

TEST(MachineCode, NothingIsAtomic) {
  for (const auto& [name, kernel] : module()) EXPECT_EQ(kernel.count_atomics(), 0) << name;
  std::printf("%zu kernels\n", module().size());
}

// A multiprocessor has 65,536 registers, of which a thread gets a multiple of 8. A kernel without
// bounds is launched with at most 256 threads (kThreads), and two such blocks run at a time.
TEST(MachineCode, RegistersSufficeForTheThreadsThatAreLaunched) {
  for (const auto& [name, kernel] : module()) {
    const int threads = kernel.threads ? kernel.threads : 2 * 256;
    if (name.find("::columns_kernel<") != name.npos) {
      EXPECT_EQ(threads, 1024) << name;
    }
    EXPECT_LE((kernel.registers + 7) / 8 * 8 * threads, 65536) << name;
  }
}

}  // namespace
}  // namespace levin
