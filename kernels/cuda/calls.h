// The calls of a GPU's backend; each has a file of its own name in this folder.
#pragma once

#include "gpu.h"

namespace levin::inline v0::cuda {

const char* fill(Gpu&, double value, const Arg& out);
const char* copy(Gpu&, const Arg& in, const Arg& out);
const char* elementwise(Gpu&, const ElementwiseCall&);
const char* reduce(Gpu&, const ReduceCall&);
const char* scan(Gpu&, const ScanCall&);
const char* mse(Gpu&, const MseCall&);
const char* mse_backward(Gpu&, const MseBackwardCall&);
const char* cross_entropy(Gpu&, const CrossEntropyCall&);
const char* cross_entropy_backward(Gpu&, const CrossEntropyBackwardCall&);
const char* layer_norm(Gpu&, const LayerNormCall&);
const char* layer_norm_backward(Gpu&, const LayerNormBackwardCall&);
const char* matmul(Gpu&, const MatmulCall&);
const char* softmax(Gpu&, const SoftmaxCall&);
const char* index(Gpu&, const IndexCall&);
const char* random(Gpu&, const RandomCall&);
const char* optimizer(Gpu&, const OptimizerCall&);
const char* accumulate(Gpu&, const AccumulateCall&);

// Through the host.
const char* sort(Gpu&, Backend& cpu, const SortCall&);
const char* linalg(Gpu&, Backend& cpu, const LinalgCall&);

}  // namespace levin::inline v0::cuda
