#include "summary.h"

#include <algorithm>
#include <array>
#include <vector>

#include "../../autograd/node.h"
#include "../../kernels/check.h"
#include "../../nn/module.h"
#include "../../tensor/generator.h"
#include "../files/text.h"

namespace levin::inline v0 {
namespace {

constexpr int kDeepest = 3;
constexpr std::size_t kLayerColumn = 40, kColumn = 25;

struct Row {
  std::string label, count;
  const nn::Module* module;
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
    rows.push_back({indent(depth) + name, count_text(module, depth), &module,
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

struct Calls : nn::CallObserver {
  struct Call {
    const nn::Module* module;
    std::string input, output;
  };
  std::vector<Call> calls;

  static std::string shape_text(const Tensor& tensor) {
    return tensor.dim() == 0 ? "--" : tensor.shape().text();
  }
  void called(const nn::Module& module, const Tensor& x, const Tensor& y) override {
    calls.push_back({&module, shape_text(x), shape_text(y)});
  }
  const Call* find(const nn::Module* module) const {
    for (const Call& call : calls)
      if (call.module == module) return &call;
    return nullptr;
  }
};

// While it lives, all parts of a model are watched and in eval mode.
class Rehearsal {
 public:
  Rehearsal(nn::Module& model, nn::CallObserver* observer) {
    add(model);
    model.eval();
    for (const auto& [module, training] : modes_) module->set_call_observer(observer);
  }
  ~Rehearsal() {
    for (const auto& [module, training] : modes_) {  // parts after wholes
      module->train(training);
      module->set_call_observer(nullptr);
    }
  }
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

 private:
  void add(nn::Module& module) {
    modes_.emplace_back(&module, module.is_training());
    for (const auto& [name, child] : module.named_children()) add(*child);
  }
  std::vector<std::pair<nn::Module*, bool>> modes_;
};

// Blanks at the end are left out.
std::string table_row(const std::vector<std::string>& cells, std::size_t column) {
  std::string row = padded(cells[0], column);
  for (std::size_t i = 1; i < cells.size(); ++i) row += " " + padded(cells[i], kColumn);
  row.resize(row.find_last_not_of(' ') + 1);
  return row + "\n";
}

// With shapes where there are calls.
std::string table_of(const nn::Module& model, const Calls* calls) {
  LayerRows layers;
  layers.add(model, 0);
  std::size_t widest = 0;
  for (const Row& row : layers.rows) widest = std::max(widest, row.width);
  const std::size_t column = widest < kLayerColumn ? kLayerColumn : (widest + 4) / 5 * 5;
  const auto cells = [&](const std::string& layer, const std::string& input,
                         const std::string& output, const std::string& count) {
    return table_row(calls ? std::vector<std::string>{layer, input, output, count}
                           : std::vector<std::string>{layer, count},
                     column);
  };
  const std::string rule = std::string(column + kColumn * (calls ? 3 : 1), '=') + "\n";
  std::string text =
      rule + cells("Layer (type:depth-idx)", "Input Shape", "Output Shape", "Param #") + rule;
  for (const Row& row : layers.rows) {
    const Calls::Call* call = calls ? calls->find(row.module) : nullptr;
    text += cells(row.label, call ? call->input : "--", call ? call->output : "--", row.count);
  }
  const int64_t total = model.num_parameters(), trained = trainable_parameters(model);
  text += rule + "Total params: " + with_commas(total) +
          "\nTrainable params: " + with_commas(trained) +
          "\nNon-trainable params: " + with_commas(total - trained) + "\n";
  return text + rule.substr(0, rule.size() - 1);
}

}  // namespace

int64_t trainable_parameters(const nn::Module& model) {
  int64_t count = 0;
  for (const Tensor& parameter : model.parameters())
    if (parameter.requires_grad()) count += parameter.numel();
  return count;
}

std::string layer_table(const nn::Module& model) { return table_of(model, nullptr); }

std::string layer_table(nn::Module& model, const Tensor& example_input) {
  Calls calls;
  {
    Generator generator = default_generator();
    const GeneratorGuard own(generator);
    const NoGrad no_grad;
    const Rehearsal rehearsal(model, &calls);
    model(example_input);
  }
  return table_of(model, &calls);
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

using SummaryRow = std::array<std::string, 5>;

// The rows of a model's parts, and how many modules below it are in training mode and not.
struct PartRows {
  std::vector<SummaryRow> rows;
  int64_t shown_parameters = 0, modes[2] = {};

  void add_parts(const nn::Module& module, const std::string& prefix, int depth) {
    for (const auto& [own_name, part] : module.named_children()) {
      const std::string name = prefix + (own_name.empty() ? "base_model" : own_name);
      ++modes[part->is_training()];
      if (depth != 0) {
        const int64_t count = part->num_parameters();
        shown_parameters += count;
        rows.push_back({std::to_string(rows.size()), name, part->type_name(), short_count(count),
                        part->is_training() ? "train" : "eval"});
      }
      add_parts(*part, name + ".", depth > 0 ? depth - 1 : depth);
    }
  }
};

}  // namespace

std::string model_summary_table(const nn::Module& model, int max_depth) {
  check(max_depth >= -1, {"`max_depth` can be -1, 0 or > 0, got ", max_depth, "."});
  PartRows parts;
  parts.add_parts(model, "", max_depth);
  const int64_t total = model.num_parameters(), trained = trainable_parameters(model);
  if (const int64_t others = total - parts.shown_parameters; others > 0)
    parts.rows.push_back({" ", "other params", "n/a", short_count(others), "n/a"});
  parts.rows.insert(parts.rows.begin(), {" ", "Name", "Type", "Params", "Mode"});
  std::array<std::size_t, 5> widths{};
  for (const SummaryRow& row : parts.rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], character_count(row[i]));
  std::size_t length = 3 * (widths.size() + 1);
  for (const std::size_t width : widths) length += width;
  const std::string rule = std::string(length, '-') + "\n";
  std::string text;
  for (const SummaryRow& row : parts.rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      text += (i == 0 ? "" : " | ") + padded(row[i], widths[i]);
    text += "\n" + (&row == &parts.rows[0] ? rule : "");
  }
  const auto fact = [](const std::string& value, const char* what) {
    return padded(value, 9) + " " + what + "\n";
  };
  return text + rule + fact(short_count(trained), "Trainable params") +
         fact(short_count(total - trained), "Non-trainable params") +
         fact(short_count(total), "Total params") +
         fact(megabytes(model), "Total estimated model params size (MB)") +
         fact(std::to_string(parts.modes[1]), "Modules in train mode") +
         fact(std::to_string(parts.modes[0]), "Modules in eval mode");
}

}  // namespace levin::inline v0
