// Losses and metrics that LME computed: reference/lme/facts/losses_and_metrics.json.
#pragma once

#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/files/text.h>

#include <string>
#include <vector>

namespace levin {

inline Value lme_facts() {
  const std::string path =
      std::string(LEVIN_TEST_DIR) + "/reference/lme/facts/losses_and_metrics.json";
  return from_json(read_whole(path), path);
}

/// Nested lists of numbers as a float32 tensor.
inline Tensor floats_of(const Value& value) {
  if (!value.is_list()) return tensor(value.as_real());
  std::vector<Tensor> rows;
  for (const Value& row : value.as_list()) rows.push_back(floats_of(row));
  return stack(rows);
}

inline void expect_near(const Tensor& tensor, const std::vector<double>& expected, double within) {
  const std::vector<double> numbers = tensor.to_vector<double>();
  ASSERT_EQ(numbers.size(), expected.size()) << tensor.text();
  for (std::size_t i = 0; i < numbers.size(); ++i)
    EXPECT_NEAR(numbers[i], expected[i], within) << "element " << i << " of " << tensor.text();
}

}  // namespace levin
