// The CPU's Backend. Each operation has a file of its own name in this folder.
#pragma once

#include "../backend.h"

namespace levin::inline v0 {

Backend& cpu_backend();

namespace cpu {
const char* fill(double value, Arg out);
const char* copy(Arg in, Arg out);
const char* elementwise(const ElementwiseCall&);
const char* reduce(const ReduceCall&);
const char* scan(const ScanCall&);
const char* sort(const SortCall&);
const char* mse(const MseCall&);
const char* mse_backward(const MseBackwardCall&);
const char* cross_entropy(const CrossEntropyCall&);
const char* cross_entropy_backward(const CrossEntropyBackwardCall&);
const char* layer_norm(const LayerNormCall&);
const char* layer_norm_backward(const LayerNormBackwardCall&);
const char* matmul(const MatmulCall&);
const char* linalg(const LinalgCall&);
const char* softmax(const SoftmaxCall&);
const char* index(const IndexCall&);
const char* random(const RandomCall&);
const char* optimizer(const OptimizerCall&);
const char* accumulate(const AccumulateCall&);
}  // namespace cpu

}  // namespace levin::inline v0
