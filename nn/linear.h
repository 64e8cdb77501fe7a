// Linear: y = x weight^T + bias.
#pragma once

#include "module.h"

namespace levin::inline v0::nn {

/// x [.., in] -> y [.., out] with weight [out, in], bias [out]. Both start uniform in +-1 /
/// sqrt(in), as PyTorch's do, drawn from stream "init" of the default generator.
class Linear : public Module {
 public:
  Linear(int64_t in_features, int64_t out_features, bool bias = true);

  Tensor forward(const Tensor& x) override { return linear(x, weight, bias); }
  void members(Members& m) override { m("weight", weight)("bias", bias); }
  void reset_parameters() override;
  std::string extra_text() const override;

  Tensor weight, bias;
};

}  // namespace levin::inline v0::nn
