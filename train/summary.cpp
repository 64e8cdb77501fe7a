#include "summary.h"

#include <algorithm>
#include <vector>

#include "../nn/module.h"
#include "files/text.h"

namespace levin::inline v0 {
namespace {

constexpr int kDeepest = 3;
constexpr std::size_t kLayerColumn = 40, kParamColumn = 25;

struct Row {
  std::string label, count;
};

bool has_children(const nn::Module& module) { return !module.named_children().empty(); }

// Parameters of the module that none of its parts has.
std::vector<Tensor> own_parameters(const nn::Module& module) {
  std::vector<Tensor> own;
  for (const auto& [name, tensor] : module.named_parameters())
    if (name.find('.') == std::string::npos) own.push_back(tensor);
  return own;
}

int64_t elements(const std::vector<Tensor>& tensors) {
  int64_t count = 0;
  for (const Tensor& tensor : tensors) count += tensor.numel();
  return count;
}

class LayerRows {
 public:
  std::vector<Row> rows;

  void add(const nn::Module& module, int depth) {
    Row row{indent(depth) + module.type_name(), count_text(module, depth)};
    if (depth > 0)
      row.label += ": " + std::to_string(depth) + "-" + std::to_string(++numbers_[depth]);
    rows.push_back(row);
    if (depth == kDeepest || row.count == "(recursive)") return;
    for (const auto& [name, child] : module.named_children()) add(*child, depth + 1);
  }

 private:
  static std::string indent(int depth) {
    if (depth == 0) return "";
    if (depth == 1) return "├─";
    std::string text;
    for (int i = 1; i < depth; ++i) text += "│    ";
    return text + "└─";
  }

  // A layer that shares the parameters of one that stands above is shown, but not counted again.
  bool seen_before(const nn::Module& module) {
    const std::vector<Tensor> parameters = module.parameters();
    if (parameters.empty()) return false;
    const bool known = std::all_of(parameters.begin(), parameters.end(), [&](const Tensor& tensor) {
      return std::any_of(seen_.begin(), seen_.end(),
                         [&](const Tensor& other) { return other.is_same(tensor); });
    });
    if (!known && !has_children(module))
      seen_.insert(seen_.end(), parameters.begin(), parameters.end());
    return known;
  }

  std::string count_text(const nn::Module& module, int depth) {
    if (seen_before(module)) return "(recursive)";
    const bool leaf = !has_children(module);
    const std::vector<Tensor> counted =
        leaf || depth == kDeepest ? module.parameters() : own_parameters(module);
    const int64_t count = elements(counted);
    if (count == 0) return "--";
    const bool frozen = std::none_of(counted.begin(), counted.end(),
                                     [](const Tensor& tensor) { return tensor.requires_grad(); });
    return leaf && frozen ? "(" + with_commas(count) + ")" : with_commas(count);
  }

  std::vector<Tensor> seen_;
  int numbers_[kDeepest + 1] = {};
};

// Characters, not bytes: box-drawing characters take three.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, width_of(text)), ' ');
}

int64_t trainable(const nn::Module& model) {
  int64_t count = 0;
  for (const Tensor& parameter : model.parameters())
    if (parameter.requires_grad()) count += parameter.numel();
  return count;
}

int count_modules(const nn::Module& module, bool training) {
  int count = module.is_training() == training;
  for (const auto& [name, child] : module.named_children())
    count += count_modules(*child, training);
  return count;
}

}  // namespace

std::string layer_table(const nn::Module& model) {
  LayerRows layers;
  layers.add(model, 0);
  std::size_t column = kLayerColumn;
  for (const Row& row : layers.rows)
    if (width_of(row.label) + 1 > column) column = (width_of(row.label) + 5) / 5 * 5;
  const std::string rule = std::string(column + kParamColumn, '=') + "\n";
  std::string text = rule + padded("Layer (type:depth-idx)", column) + " Param #\n" + rule;
  for (const Row& row : layers.rows) text += padded(row.label, column) + " " + row.count + "\n";
  const int64_t total = model.num_parameters(), trained = trainable(model);
  text += rule + "Total params: " + with_commas(total) +
          "\nTrainable params: " + with_commas(trained) +
          "\nNon-trainable params: " + with_commas(total - trained) + "\n";
  return text + rule.substr(0, rule.size() - 1);
}

std::string short_count(int64_t count) {
  if (count < 1000) return std::to_string(count) + "  ";
  double scaled = static_cast<double>(count);
  int unit = 0;
  for (; scaled >= 1000 && unit < 4; ++unit) scaled /= 1000;
  const std::string number = unit == 4 && scaled >= 1000 ? with_commas(static_cast<int64_t>(scaled))
                                                         : fixed_text(scaled, scaled < 100 ? 1 : 0);
  return number + " " + " KMBT"[unit];
}

std::string model_summary_table(const nn::Module& base_model) {
  const int64_t total = base_model.num_parameters(), trained = trainable(base_model);
  const std::vector<std::pair<std::string, std::string>> columns = {
      {" ", "0"},
      {"Name", "base_model"},
      {"Type", base_model.type_name()},
      {"Params", short_count(total)},
      {"Mode", base_model.is_training() ? "train" : "eval"}};
  std::string head, row;
  std::size_t rule = 0;
  for (const auto& [title, cell] : columns) {
    const std::size_t width = std::max(title.size(), cell.size());
    head += (head.empty() ? "" : " | ") + padded(title, width);
    row += (row.empty() ? "" : " | ") + padded(cell, width);
    rule += width + 3;
  }
  const std::string line = std::string(rule, '-') + "\n";
  const auto fact = [](const std::string& value, const char* what) {
    return padded(value, 9) + " " + what + "\n";
  };
  return head + "\n" + line + row + "\n" + line + fact(short_count(trained), "Trainable params") +
         fact(short_count(total - trained), "Non-trainable params") +
         fact(short_count(total), "Total params") +
         fact(fixed_text(static_cast<double>(total) * 4e-6, 3),
              "Total estimated model params size (MB)") +
         fact(std::to_string(count_modules(base_model, true)), "Modules in train mode") +
         fact(std::to_string(count_modules(base_model, false)), "Modules in eval mode");
}

}  // namespace levin::inline v0
