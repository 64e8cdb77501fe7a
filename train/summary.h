// Tables of a model's layers and parameters.
#pragma once

#include <cstdint>
#include <string>

namespace levin::inline v0 {

namespace nn {
class Module;
}

/// Elements of the parameters that require a gradient.
int64_t trainable_parameters(const nn::Module& model);

/// torchinfo's table without an input, three levels deep: each layer with its number of parameters
/// (in parentheses where frozen), and the totals. Ends without a newline.
std::string layer_table(const nn::Module& model);

/// Lightning's summary of the direct parts: one row, "base_model". Ends with a newline.
std::string model_summary_table(const nn::Module& base_model);

/// "60  ", "1.2 K", "123 K", "4.5 M": as Lightning shortens counts; it rounds only below 100.
std::string short_count(int64_t count);

}  // namespace levin::inline v0
