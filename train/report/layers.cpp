#include <algorithm>

#include "../files/text.h"
#include "../lme.h"
#include "run_report.h"

namespace levin::inline v0 {
namespace {

std::string shape_text(const Tensor& tensor) {
  std::string text = "[";
  for (int i = 0; i < tensor.dim(); ++i)
    text += (i > 0 ? ", " : "") + std::to_string(tensor.shape()[i]);
  return text + "]";
}

class LayerTable {
 public:
  ReportTable table{{{"layer"}, {"type"}, {"parameters"}, {"count", true}, {"trained", true}}, {}};

  void add(const std::string& path, const nn::Module& module) {
    const std::string extra = module.extra_text();
    std::string shapes;
    int64_t count = 0, trained = 0;
    for (const auto& [name, tensor] : module.named_parameters()) {
      if (name.find('.') != name.npos) continue;  // a part's
      const bool shared = known(tensor);
      shapes += (shapes.empty() ? "" : "  ") + name + " " + shape_text(tensor) +
                (shared ? " (shared)" : "");
      if (shared) continue;
      count += tensor.numel();
      if (tensor.requires_grad()) trained += tensor.numel();
    }
    table.rows.push_back({path.empty() ? "model" : path,
                          module.type_name() + (extra.empty() ? "" : "  " + extra), shapes,
                          shapes.empty() ? "" : with_commas(count),
                          shapes.empty() ? "" : with_commas(trained)});
    for (const auto& [name, child] : module.named_children())
      add(path.empty() ? name : path + "." + name, *child);
  }

 private:
  bool known(const Tensor& tensor) {
    if (std::any_of(counted_.begin(), counted_.end(),
                    [&](const Tensor& other) { return other.is_same(tensor); }))
      return true;
    counted_.push_back(tensor);
    return false;
  }

  std::vector<Tensor> counted_;
};

}  // namespace

ReportTable layers_of(const LME& model) {
  LayerTable layers;
  layers.add("", model.base_model());
  layers.table.rows.push_back({"total", "", "", with_commas(model.num_params()),
                               with_commas(model.num_trainable_params())});
  return layers.table;
}

}  // namespace levin::inline v0
