// PyTorch's operations by their names, as calls of levin: what the cases of tests/reference/ops are
// run with. A new operation is a line in reference_calls.cpp.
#pragma once

#include <levin/autograd/ops.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace levin {

/// Levin does not have the operation in this form.
struct NotThere {
  std::string form;
};

/// An argument of a case: a tensor, a list of arguments, or plain JSON.
struct Argument {
  nlohmann::json json;
  Tensor tensor;
  std::vector<Argument> list;
};

/// The arguments of a case, by position and by keyword.
class Arguments {
 public:
  std::vector<Argument> positional;
  std::map<std::string, Argument> keywords;

  int count() const { return static_cast<int>(positional.size()); }
  bool has(const char* keyword) const { return keywords.count(keyword) > 0; }
  bool is_tensor(int i) const { return positional[i].tensor.defined(); }

  const Tensor& tensor(int i) const;
  /// Undefined where it is not given.
  Tensor tensor(const char* keyword) const;
  std::vector<Tensor> tensors(int i) const;
  Number number(int i) const;
  Number number(const char* keyword, Number otherwise) const;
  int64_t integer(int i, int64_t otherwise) const;
  bool flag(const char* keyword) const;
  std::string text(const char* keyword, const char* otherwise) const;
  Shape shape(int i) const;
  Shape shape(const char* keyword) const;
  /// Keywords that no accessor has asked for.
  std::vector<std::string> unused() const;
  const Argument& keyword(const char* name) const;

 private:
  mutable std::set<std::string> used_;
};

using ReferenceCall = std::function<std::vector<Tensor>(const Arguments&)>;

/// A call that gives one tensor.
template <class F>
ReferenceCall one(F f) {
  return [=](const Arguments& a) { return std::vector<Tensor>{f(a)}; };
}
/// Of one tensor; of two, or of a tensor and a number.
inline ReferenceCall unary(Tensor (Tensor::*member)() const) {
  return one([=](const Arguments& a) { return (a.tensor(0).*member)(); });
}
inline ReferenceCall binary(Tensor (Tensor::*with_tensor)(const Tensor&) const,
                            Tensor (Tensor::*with_number)(Number) const = nullptr) {
  return one([=](const Arguments& a) {
    return with_number && !a.is_tensor(1) ? (a.tensor(0).*with_number)(a.number(1))
                                          : (a.tensor(0).*with_tensor)(a.tensor(1));
  });
}

/// Parts of reference_calls(), a file each.
std::map<std::string, ReferenceCall> elementwise_calls();
std::map<std::string, ReferenceCall> reduction_calls();
std::map<std::string, ReferenceCall> loss_calls();
std::map<std::string, ReferenceCall> shape_calls();
std::map<std::string, ReferenceCall> index_calls();
std::map<std::string, ReferenceCall> linalg_calls();

/// By PyTorch's name.
const std::map<std::string, ReferenceCall>& reference_calls();

}  // namespace levin
