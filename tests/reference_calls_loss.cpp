// Losses, normalisation.
#include "reference_calls.h"

namespace levin {
namespace {

LossReduction reduction_of(const Arguments& a) {
  const std::string name = a.text("reduction", "mean");
  return name == "none"        ? LossReduction::none
         : name == "mean"      ? LossReduction::mean
         : name == "batchmean" ? LossReduction::batchmean
                               : LossReduction::sum;
}

double parameter(const Arguments& a, const char* name, double otherwise) {
  return a.number(name, otherwise).value;
}

int64_t ignored(const Arguments& a) {
  return static_cast<int64_t>(parameter(a, "ignore_index", -100));
}

Tensor cross_entropy_of(const Arguments& a) {
  return cross_entropy(a.tensor(0), a.tensor(1),
                       {.weight = a.tensor("weight"),
                        .ignore_index = ignored(a),
                        .reduction = reduction_of(a),
                        .label_smoothing = parameter(a, "label_smoothing", 0)});
}

Tensor nll_of(const Arguments& a) {
  return nll_loss(
      a.tensor(0), a.tensor(1),
      {.weight = a.tensor("weight"), .ignore_index = ignored(a), .reduction = reduction_of(a)});
}

Tensor optional_tensor(const Arguments& a, int i) { return i < a.count() ? a.tensor(i) : Tensor(); }

}  // namespace

std::map<std::string, ReferenceCall> loss_calls() {
  return {
      {"nn.functional.mse_loss",
       one([](const Arguments& a) { return mse_loss(a.tensor(0), a.tensor(1), reduction_of(a)); })},
      {"nn.functional.l1_loss",
       one([](const Arguments& a) { return l1_loss(a.tensor(0), a.tensor(1), reduction_of(a)); })},
      {"nn.functional.smooth_l1_loss", one([](const Arguments& a) {
         return smooth_l1_loss(a.tensor(0), a.tensor(1), reduction_of(a), parameter(a, "beta", 1));
       })},
      {"nn.functional.huber_loss", one([](const Arguments& a) {
         return huber_loss(a.tensor(0), a.tensor(1), reduction_of(a), parameter(a, "delta", 1));
       })},
      {"nn.functional.hinge_embedding_loss", one([](const Arguments& a) {
         return hinge_embedding_loss(a.tensor(0), a.tensor(1), parameter(a, "margin", 1),
                                     reduction_of(a));
       })},
      {"nn.functional.cosine_similarity", one([](const Arguments& a) {
         return cosine_similarity(a.tensor(0), a.tensor(1),
                                  static_cast<int64_t>(parameter(a, "dim", 1)),
                                  parameter(a, "eps", 1e-8));
       })},
      {"nn.functional.cross_entropy", one(cross_entropy_of)},
      {"nn.functional.nll_loss", one(nll_of)},
      {"nn.functional.binary_cross_entropy", one([](const Arguments& a) {
         return binary_cross_entropy(a.tensor(0), a.tensor(1), a.tensor("weight"), reduction_of(a));
       })},
      {"nn.functional.binary_cross_entropy_with_logits", one([](const Arguments& a) {
         return binary_cross_entropy_with_logits(a.tensor(0), a.tensor(1), a.tensor("weight"),
                                                 reduction_of(a), a.tensor("pos_weight"));
       })},
      {"nn.functional.kl_div", one([](const Arguments& a) {
         return kl_div(a.tensor(0), a.tensor(1), reduction_of(a), a.flag("log_target"));
       })},
      {"nn.functional.softmin",
       one([](const Arguments& a) { return softmax(-a.tensor(0), a.integer(1, 0)); })},
      {"nn.functional.layer_norm", one([](const Arguments& a) {
         return layer_norm(a.tensor(0), a.shape(1), optional_tensor(a, 2), optional_tensor(a, 3),
                           parameter(a, "eps", 1e-5));
       })},
  };
}

}  // namespace levin
