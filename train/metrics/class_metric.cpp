#include "class_metric.h"

#include <stdexcept>

#include "../../autograd/ops.h"
#include "../../kernels/check.h"

namespace levin::inline v0 {

ClassMetric::ClassMetric(const char* name, int64_t num_classes, const Shape& sums,
                         bool higher_is_better, Device device)
    : SummedMetric(higher_is_better, false, device),
      name_(name),
      num_classes_(num_classes),
      sums_shape_(sums) {
  check(num_classes > 0, {name, ": ", num_classes, " classes: at least one is needed"});
}

void ClassMetric::add(const Tensor& value, double) {
  check(value.shape() == sums_shape_, {name_, ": a batch result of shape ", value.shape(),
                                       ", where forward() gives ", sums_shape_});
  SummedMetric::add(value, 1);
}

void ClassMetric::load_state(const std::vector<std::pair<std::string, Tensor>>& state) {
  for (const auto& [name, tensor] : state)
    check(name != "sums" || tensor.shape() == sums_shape_,
          {name_, ": a state of shape ", tensor.shape(), ", where ", sums_shape_, " is needed"});
  SummedMetric::load_state(state);
}

Tensor ClassMetric::totals() const {
  return sums().defined() ? sums().clone() : zeros(sums_shape_, kFloat64);
}

ClassLabels ClassMetric::labels(const Tensor& y, const Tensor& gt, int64_t class_axis) const {
  const bool scores = is_floating(y.dtype());
  const auto read = [&](const char* what, const Tensor& x, bool by_class) {
    check(by_class || x.dtype() == kInt64,
          {name_, ": ", what, " of ", x.dtype(), ": int64 or a floating type is needed"});
    if (!by_class) return x;
    const bool has_axis = class_axis < x.dim() && class_axis >= -x.dim();
    check(has_axis && x.size(class_axis) == num_classes_,
          {"Expected ", num_classes_, " classes on axis ", class_axis, ", got ", x.shape(), " (",
           name_, ", ", what, ")"});
    return x.argmax(class_axis);
  };
  const ClassLabels labels{
      read("y", y, scores),
      read("gt", gt, is_floating(gt.dtype()) || (scores && gt.shape() == y.shape()))};
  check(labels.y.shape() == labels.gt.shape(),
        {name_, ": y ", y.shape(), " gives classes of shape ", labels.y.shape(), ", gt ",
         gt.shape(), " of ", labels.gt.shape()});
  return labels;
}

Tensor ClassMetric::count(const Tensor& labels, const Tensor& amounts) const {
  const Tensor nothing = zeros({labels.size(0), num_classes_}, kInt64, labels.device());
  try {
    return nothing.scatter_add(1, labels, amounts);
  } catch (const std::out_of_range&) {
    fail(Fault::index, {name_, ": class indices of shape ", labels.shape(), " must lie in [0, ",
                        num_classes_, ")"});
  }
}

Tensor ClassMetric::outcomes(const ClassLabels& labels) const {
  const Tensor ones_each = ones({1, 1}, kInt64, labels.y.device()).expand(labels.y.shape());
  const Tensor hits = count(labels.y, labels.y.eq(labels.gt).to(kInt64));
  const Tensor predicted = count(labels.y, ones_each), actual = count(labels.gt, ones_each);
  const Tensor neither = labels.y.size(1) - predicted - actual + hits;
  return stack({hits, predicted - hits, neither, actual - hits}, -1);
}

}  // namespace levin::inline v0
