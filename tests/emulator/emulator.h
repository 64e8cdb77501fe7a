// The parts of the emulator among themselves.
#pragma once

#include <string>

#include "cuda_runtime.h"

namespace emulator {

/// Says what is wrong with the program that is emulated, and ends it.
[[noreturn]] void fail(const std::string& what);

/// Runs every thread of every block; those of a block wait for each other only where `together`.
/// `work` runs when the stream comes to it.
void enqueue(struct Stream* stream, std::function<void()> work);

bool is_device_memory(const void* at, std::size_t bytes);

void run_grid(bool together, dim3 blocks, dim3 threads, const std::function<void()>& body);

}  // namespace emulator
