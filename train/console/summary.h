// Tables of a model's layers and parameters.
#pragma once

#include <cstdint>
#include <string>

namespace levin::inline v0 {

class Tensor;
namespace nn {
class Module;
}

/// Elements of the parameters that require a gradient.
int64_t trainable_parameters(const nn::Module& model);

/// torchinfo's table without an input, three levels deep: each layer with its number of parameters
/// (in parentheses where frozen), and the totals. Ends without a newline.
std::string layer_table(const nn::Module& model);

/// The same with the shapes that go into and come out of each part when the model is called with the
/// example: "--" for parts that are not called, those of the first call for others. torchinfo's
/// columns input_size, output_size, num_params; its rows are in the order of calls, these in that of
/// the parts, and its sums of operations and memory are left out. The call is made in eval mode
/// without recording; modes and random numbers are then as before.
std::string layer_table(nn::Module& model, const Tensor& example_input);

/// Lightning's summary of an LME's parts (its base model has the name "base_model"), down to
/// `max_depth`; -1: all. Parameters that no part has stand under "other params". Ends with a newline.
/// Throws std::invalid_argument for a depth below -1.
std::string model_summary_table(const nn::Module& model, int max_depth = 1);

/// "60  ", "1.2 K", "123 K", "4.5 M": as Lightning shortens counts; it rounds only below 100.
std::string short_count(int64_t count);

}  // namespace levin::inline v0
