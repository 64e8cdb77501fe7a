// The element type of a result.
#include "elementwise.h"

namespace levin::inline v0 {

// PyTorch's rule: tensors with dimensions decide, then 0-d tensors, then numbers; a lower group
// only counts where it is of a higher category (bool < integer < floating).
DType result_type(std::span<const Operand> in) {
  if (const Tensor* first = in[0].tensor; first && is_floating(first->dtype())) {
    bool same = true;
    for (const Operand& operand : in)
      same &= !operand.tensor || operand.tensor->dtype() == first->dtype();
    if (same) return first->dtype();
  }
  int category[3] = {-1, -1, -1};
  DType types[3] = {};
  for (const Operand& operand : in) {
    const int group = !operand.tensor ? 2 : operand.tensor->dim() == 0 ? 1 : 0;
    const DType type = operand.tensor ? operand.tensor->dtype() : operand.number.dtype();
    types[group] = category[group] < 0 ? type : promote(types[group], type);
    category[group] = is_floating(types[group]) ? 2 : types[group] == kBool ? 0 : 1;
  }
  int best = -1;
  DType result = kFloat32;
  for (int group = 0; group < 3; ++group) {
    if (category[group] <= best) continue;
    result = types[group];
    best = category[group];
  }
  return result;
}

}  // namespace levin::inline v0
