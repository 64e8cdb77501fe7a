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
  std::size_t width;  // what torchinfo takes for the label's
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
    std::string name = module.type_name();
    if (depth > 0) name += ": " + std::to_string(depth) + "-" + std::to_string(++numbers_[depth]);
    rows.push_back({indent(depth) + name, count_text(module, depth),
                    name.size() + 5 * static_cast<std::size_t>(depth) + 1});
    if (depth == kDeepest) return;
    for (const auto& [part, child] : module.named_children()) add(*child, depth + 1);
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
  bool seen_before(const nn::Module& module, const std::vector<Tensor>& parameters) {
    if (std::find(modules_.begin(), modules_.end(), &module) != modules_.end()) return true;
    modules_.push_back(&module);
    if (has_children(module)) return false;
    const bool known = std::all_of(parameters.begin(), parameters.end(), [&](const Tensor& tensor) {
      return std::any_of(tensors_.begin(), tensors_.end(),
                         [&](const Tensor& other) { return other.is_same(tensor); });
    });
    if (!known) tensors_.insert(tensors_.end(), parameters.begin(), parameters.end());
    return known;
  }

  std::string count_text(const nn::Module& module, int depth) {
    const std::vector<Tensor> all = module.parameters();
    if (elements(all) == 0) return "--";
    if (seen_before(module, all)) return "(recursive)";
    if (has_children(module) && depth < kDeepest) {
      const int64_t own = elements(own_parameters(module));
      return own > 0 ? with_commas(own) : "--";
    }
    const bool frozen = std::none_of(all.begin(), all.end(),
                                     [](const Tensor& tensor) { return tensor.requires_grad(); });
    const std::string count = with_commas(elements(all));
    return frozen ? "(" + count + ")" : count;
  }

  std::vector<const nn::Module*> modules_;
  std::vector<Tensor> tensors_;
  int numbers_[kDeepest + 1] = {};
};

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, character_count(text)), ' ');
}

int count_modules(const nn::Module& module, bool training) {
  int count = module.is_training() == training;
  for (const auto& [name, child] : module.named_children())
    count += count_modules(*child, training);
  return count;
}

}  // namespace

int64_t trainable_parameters(const nn::Module& model) {
  int64_t count = 0;
  for (const Tensor& parameter : model.parameters())
    if (parameter.requires_grad()) count += parameter.numel();
  return count;
}

std::string layer_table(const nn::Module& model) {
  LayerRows layers;
  layers.add(model, 0);
  std::size_t widest = 0;
  for (const Row& row : layers.rows) widest = std::max(widest, row.width);
  const std::size_t column = widest < kLayerColumn ? kLayerColumn : (widest + 4) / 5 * 5;
  const std::string rule = std::string(column + kParamColumn, '=') + "\n";
  std::string text = rule + padded("Layer (type:depth-idx)", column) + " Param #\n" + rule;
  for (const Row& row : layers.rows) text += padded(row.label, column) + " " + row.count + "\n";
  const int64_t total = model.num_parameters(), trained = trainable_parameters(model);
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
  const std::string number =
      scaled < 100 ? fixed_text(scaled, 1) : with_commas(static_cast<int64_t>(scaled));
  return number + " " + " KMBT"[unit];
}

namespace {

// "1,234.567"
std::string megabytes(const nn::Module& model) {
  double bytes = 0;
  for (const Tensor& tensor : model.parameters())
    bytes += static_cast<double>(tensor.numel()) * static_cast<double>(item_size(tensor.dtype()));
  const std::string text = fixed_text(bytes / 1e6, 3);
  return with_commas(std::stoll(text)) + text.substr(text.find('.'));
}

}  // namespace

std::string model_summary_table(const nn::Module& base_model) {
  const int64_t total = base_model.num_parameters(), trained = trainable_parameters(base_model);
  const std::vector<std::pair<std::string, std::string>> columns = {
      {" ", "0"},
      {"Name", "base_model"},
      {"Type", base_model.type_name()},
      {"Params", short_count(total)},
      {"Mode", base_model.is_training() ? "train" : "eval"}};
  std::string head, row;
  std::size_t rule = 3;
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
         fact(megabytes(base_model), "Total estimated model params size (MB)") +
         fact(std::to_string(count_modules(base_model, true)), "Modules in train mode") +
         fact(std::to_string(count_modules(base_model, false)), "Modules in eval mode");
}

}  // namespace levin::inline v0
