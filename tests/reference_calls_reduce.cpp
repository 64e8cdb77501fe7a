// Reductions, running results and order.
#include "reference_calls.h"

namespace levin {
namespace {

// What PyTorch's keyword dtype does: the argument is converted first.
Tensor converted(const Arguments& a) {
  const std::string name = a.text("dtype", "");
  for (int d = 0; d < kDTypes; ++d)
    if (name == name_of(static_cast<DType>(d))) return a.tensor(0).to(static_cast<DType>(d));
  return a.tensor(0);
}

using Over = Tensor (Tensor::*)(const Shape&, bool) const;

// Over everything, or over the dimensions of the keyword dim.
ReferenceCall reduction(Over over) {
  return one(
      [=](const Arguments& a) { return (converted(a).*over)(a.shape("dim"), a.flag("keepdim")); });
}

ReferenceCall deviation(Tensor (Tensor::*over)(const Shape&, double, bool) const) {
  return one([=](const Arguments& a) {
    return (a.tensor(0).*over)(a.shape("dim"), a.number("correction", 1).value, a.flag("keepdim"));
  });
}

ReferenceCall norm(const char* order) {
  return one([=](const Arguments& a) {
    const double p = a.count() > 1 ? a.number(1).value : a.number(order, 2).value;
    return a.tensor(0).norm(p, a.shape("dim"), a.flag("keepdim"));
  });
}

ReferenceCall extreme(Tensor (Tensor::*whole)() const,
                      std::pair<Tensor, Tensor> (Tensor::*along)(int64_t, bool) const) {
  return [=](const Arguments& a) {
    if (!a.has("dim")) return std::vector<Tensor>{(a.tensor(0).*whole)()};
    const auto [values, index] = (a.tensor(0).*along)(a.shape("dim")[0], a.flag("keepdim"));
    return std::vector<Tensor>{values, index};
  };
}

ReferenceCall position(Tensor (Tensor::*whole)() const,
                       Tensor (Tensor::*along)(int64_t, bool) const) {
  return one([=](const Arguments& a) {
    return a.has("dim") ? (a.tensor(0).*along)(a.shape("dim")[0], a.flag("keepdim"))
                        : (a.tensor(0).*whole)();
  });
}

ReferenceCall running(Tensor (Tensor::*along)(int64_t) const) {
  return one([=](const Arguments& a) { return (a.tensor(0).*along)(a.integer(1, 0)); });
}

int64_t dim_of(const Arguments& a) { return static_cast<int64_t>(a.number("dim", -1).value); }

std::vector<Tensor> sort_of(const Arguments& a) {
  a.flag("stable");  // levin's order is always stable
  const auto [values, index] = a.tensor(0).sort(dim_of(a), a.flag("descending"));
  return {values, index};
}

Tensor argsort_of(const Arguments& a) {
  a.flag("stable");
  return a.tensor(0).argsort(dim_of(a), a.flag("descending"));
}

std::vector<Tensor> topk_of(const Arguments& a) {
  const bool largest = a.has("largest") ? a.flag("largest") : true;
  const auto [values, index] = a.tensor(0).topk(a.integer(1, 0), dim_of(a), largest);
  return {values, index};
}

}  // namespace

std::map<std::string, ReferenceCall> reduction_calls() {
  return {
      {"sum", reduction(&Tensor::sum)},
      {"mean", reduction(&Tensor::mean)},
      {"prod", reduction(&Tensor::prod)},
      {"amax", reduction(&Tensor::amax)},
      {"amin", reduction(&Tensor::amin)},
      {"all", reduction(&Tensor::all)},
      {"any", reduction(&Tensor::any)},
      {"logsumexp", reduction(&Tensor::logsumexp)},
      {"var", deviation(&Tensor::var)},
      {"std", deviation(&Tensor::std)},
      {"norm", norm("p")},
      {"linalg.vector_norm", norm("ord")},
      {"max", extreme(&Tensor::max, &Tensor::max)},
      {"min", extreme(&Tensor::min, &Tensor::min)},
      {"argmax", position(&Tensor::argmax, &Tensor::argmax)},
      {"argmin", position(&Tensor::argmin, &Tensor::argmin)},
      {"softmax", one([](const Arguments& a) { return softmax(a.tensor(0), a.integer(1, 0)); })},
      {"log_softmax",
       one([](const Arguments& a) { return log_softmax(a.tensor(0), a.integer(1, 0)); })},
      {"cumsum", running(&Tensor::cumsum)},
      {"cumprod", running(&Tensor::cumprod)},
      {"sort", sort_of},
      {"argsort", one(argsort_of)},
      {"topk", topk_of},
  };
}

}  // namespace levin
