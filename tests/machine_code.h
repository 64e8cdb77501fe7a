// Reads the machine code of a CUDA module's kernels out of its file, without CUDA's tools.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace levin::machine_code {

/// What an instruction does: the low 9 bits of its code. (The 3 above them tell its kind of operands.)
/// Generic: to whatever memory an address is of.
enum Operation : int {
  kLoadGlobal = 0x181,
  kStoreGlobal = 0x186,
  kLoadLocal = 0x183,
  kStoreLocal = 0x187,
  kLoadGeneric = 0x180,
  kStoreGeneric = 0x185,
  kMultiplyAdd = 0x023,  // FFMA
  kMultiplyAddDouble = 0x02b,
};

struct Instruction {
  int operation;
  int bytes;  ///< of each thread, for instructions that go to memory
};

struct Kernel {
  std::string name;  ///< as in C++, without "(anonymous namespace)::" and parameters
  int architecture;  ///< 90
  int registers;     ///< of each thread
  int local_bytes;   ///< of each thread, in memory: arrays, and registers that did not suffice
  int threads;       ///< that its __launch_bounds__ tell; 0 where it has none
  std::vector<Instruction> code;

  int count(int operation) const;
  int count(int operation, int bytes) const;
  int count_local() const;    ///< loads from a thread's own memory and stores to it
  int count_atomics() const;  ///< in any memory
};

/// The kernels of a shared library, object file or cubin. Throws std::runtime_error where there is
/// something else than it knows, which compressed code is too.
std::vector<Kernel> kernels_of(const std::string& file);

}  // namespace levin::machine_code
