#include "reference_calls.h"

namespace levin {
namespace {

using Json = nlohmann::json;

Number number_of(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_object() && json.contains("float"))
    return std::stod(json["float"].get<std::string>());
  throw NotThere{"with " + json.dump() + " where a number is meant"};
}

Shape shape_of(const Json& json) {
  return json.is_array() ? Shape(json.get<std::vector<int64_t>>()) : Shape{json.get<int64_t>()};
}

std::map<std::string, ReferenceCall> factories() {
  return {
      {"eye", one([](const Arguments& a) { return eye(a.integer(0, 0), a.integer(1, -1)); })},
      {"full", one([](const Arguments& a) { return full(a.shape(0), a.number(1)); })},
      {"arange", one([](const Arguments& a) {
         return a.count() == 1 ? arange(a.number(0))
                               : arange(a.number(0), a.number(1), a.number(2));
       })},
      {"linspace", one([](const Arguments& a) {
         const DType dtype = a.text("dtype", "float32") == "float64" ? kFloat64 : kFloat32;
         return linspace(a.number(0).value, a.number(1).value, a.integer(2, 0), dtype);
       })},
  };
}

}  // namespace

const Argument& Arguments::keyword(const char* name) const {
  used_.insert(name);
  return keywords.at(name);
}

const Tensor& Arguments::tensor(int i) const {
  if (!is_tensor(i)) throw NotThere{"with " + positional[i].json.dump() + " for a tensor"};
  return positional[i].tensor;
}

Tensor Arguments::tensor(const char* name) const {
  return has(name) ? keyword(name).tensor : Tensor();
}

std::vector<Tensor> Arguments::tensors(int i) const {
  std::vector<Tensor> result;
  for (const Argument& one : positional[i].list) result.push_back(one.tensor);
  return result;
}

Number Arguments::number(int i) const { return number_of(positional[i].json); }

Number Arguments::number(const char* name, Number otherwise) const {
  if (!has(name)) return otherwise;
  if (keyword(name).tensor.defined()) throw NotThere{"with a tensor for " + std::string(name)};
  return number_of(keyword(name).json);
}

int64_t Arguments::integer(int i, int64_t otherwise) const {
  return i < count() ? positional[i].json.get<int64_t>() : otherwise;
}

bool Arguments::flag(const char* name) const { return has(name) && keyword(name).json.get<bool>(); }

std::string Arguments::text(const char* name, const char* otherwise) const {
  if (!has(name)) return otherwise;
  const Json& json = keyword(name).json;
  return json.is_object() ? json.begin()->get<std::string>() : json.get<std::string>();
}

Shape Arguments::shape(int i) const { return shape_of(positional[i].json); }

Shape Arguments::shape(const char* name) const {
  return has(name) ? shape_of(keyword(name).json) : Shape();
}

std::vector<std::string> Arguments::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, argument] : keywords)
    if (!used_.count(name)) names.push_back(name);
  return names;
}

const std::map<std::string, ReferenceCall>& reference_calls() {
  static const std::map<std::string, ReferenceCall> calls = [] {
    std::map<std::string, ReferenceCall> all;
    for (const auto& part : {elementwise_calls(), reduction_calls(), linalg_calls(), loss_calls(),
                             index_calls(), shape_calls(), factories()})
      all.insert(part.begin(), part.end());
    return all;
  }();
  return calls;
}

}  // namespace levin
