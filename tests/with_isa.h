// What a test of this program prints when the instruction set is forced to a lower one.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace levin {

/// The lines that start with "bits " of the tests that `name` picks, with LEVIN_ISA=isa.
inline std::string bits_printed_with(const std::string& isa, const std::string& name) {
  char self[4096] = {};
  EXPECT_GT(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
  const std::string command =
      "LEVIN_ISA=" + isa + " '" + self + "' --gtest_filter='" + name + "' | grep '^bits '";
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  char part[4096];
  while (std::fgets(part, sizeof(part), pipe)) text += part;
  EXPECT_EQ(pclose(pipe), 0);
  return text;
}

}  // namespace levin
