// The cases of tests/reference/ops: values, gradients and second derivatives as PyTorch has them.
#include <gtest/gtest.h>
#include <levin/tensor/file.h>
#include <levin/tensor/safetensors.h>

#include <algorithm>
#include <iostream>

#include "array.h"
#include "reference_calls.h"

namespace levin {
namespace {

using Json = nlohmann::json;
using Tensors = std::vector<Tensor>;

const std::string kFolder = LEVIN_TEST_DIR "/reference/ops/";

// The tensors of a group, by name.
const std::map<std::string, Tensor>& group_named(const std::string& name) {
  static std::map<std::string, std::map<std::string, Tensor>> groups;
  auto& group = groups[name];
  if (group.empty())
    for (const auto& [key, tensor] : load_safetensors(kFolder + name + ".safetensors").tensors)
      group[key] = tensor;
  return group;
}

struct Tolerance {
  double rtol, atol;
};

// One case, with its arguments in one arrangement; float64 inputs may be rounded to float32.
class Case {
 public:
  Case(const Json& json, Arrangement arrangement, bool rounded)
      : json_(json),
        group_(group_named(json["group"])),
        arrangement_(arrangement),
        rounded_(rounded) {
    const Json& args = json["args"];
    for (std::size_t i = 0; i < args.size(); ++i)
      arguments_.positional.push_back(argument(args[i], std::to_string(i)));
    for (const auto& [name, value] : json["kwargs"].items())
      arguments_.keywords[name] = argument(value, name);
  }

  Tensors run() {
    Tensors outputs = reference_calls().at(json_["op"])(arguments_);
    for (const std::string& name : arguments_.unused()) throw NotThere{"with " + name};
    return outputs;
  }

  void expect_values(const Tensors& outputs, const char* key) const {
    const Json& names = json_[key];
    ASSERT_EQ(outputs.size(), names.size());
    for (std::size_t o = 0; o < names.size(); ++o) {
      const Tensor& expected = stored(names[o]);
      EXPECT_STREQ(name_of(outputs[o].dtype()), name_of(expected.dtype()));
      const auto [rtol, atol] = tolerance(expected.dtype(), 0, 0);
      EXPECT_EQ(difference(read(outputs[o]), read(expected), rtol, atol), "") << key << " " << o;
    }
  }

  void expect_derivatives(const Tensors& outputs, bool second) {
    Tensors roots, upstream;
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      if (json_["upstream"][o].is_null()) continue;
      upstream.push_back(stored(json_["upstream"][o]).clone().requires_grad_());
      roots.push_back(outputs[o]);
    }
    Tensors wanted;
    for (const auto& [key, name] : json_["grads"].items()) wanted.push_back(leaves_.at(key));
    const Tensors grads = grad(roots, wanted, upstream, true, second, true);
    int i = 0;
    for (const auto& [key, name] : json_["grads"].items())
      expect_gradient("gradient " + key, grads[i++], name, leaves_.at(key));
    if (second) expect_second(grads, upstream);
  }

 private:
  const Tensor& stored(const Json& name) const { return group_.at(name.get<std::string>()); }

  // `key` is the argument's place as the gradients name it: "0", "2.1", "weight".
  Argument argument(const Json& json, const std::string& key) {
    Argument result{json, {}, {}};
    if (json.is_object() && json.contains("tensor")) {
      const Tensor& tensor = stored(json["tensor"]);
      const bool round = rounded_ && tensor.dtype() == kFloat64;
      result.tensor = place(read(tensor), round ? kFloat32 : tensor.dtype(), arrangement_);
      if (!rounded_ && json_.contains("grads") && json_["grads"].contains(key))
        leaves_[key] = result.tensor.requires_grad_();
    }
    if (json.is_array())
      for (std::size_t i = 0; i < json.size(); ++i)
        result.list.push_back(argument(json[i], key + "." + std::to_string(i)));
    return result;
  }

  Tolerance tolerance(DType dtype, double rtol, double atol) const {
    if (!is_floating(dtype)) return {0, 0};
    const Json& given = json_["tolerance"];
    const char* key = given.contains(name_of(dtype)) ? name_of(dtype) : "float64";
    return {std::max(rtol, given[key]["rtol"].get<double>()),
            std::max(atol, given[key]["atol"].get<double>())};
  }

  void expect_gradient(const std::string& what, const Tensor& gradient, const Json& name,
                       const Tensor& of) const {
    const Array expected = name.is_null() ? read(zeros_like(of)) : read(stored(name));
    const Array actual = gradient.defined() ? read(gradient) : read(zeros_like(of));
    const double slack = imprecise() ? 100 : 1;
    const auto [rtol, atol] = tolerance(kFloat64, slack * 1e-8, slack * 1e-10);
    EXPECT_EQ(difference(actual, expected, rtol, atol), "") << what;
  }

  // PyTorch computes 1 / 6 (hardsigmoid) and 1 / alpha (celu) in float32, and softplus's second
  // derivative at the threshold is that of the line.
  bool imprecise() const {
    const std::string op = json_["op"];
    return op.ends_with("hardsigmoid") || op.ends_with("celu") || op.ends_with("softplus");
  }

  // Of the sum over keys of sum(gradient * v).
  void expect_second(const Tensors& grads, const Tensors& upstream) const {
    Tensors roots, starts;
    int i = 0;
    for (const auto& [key, name] : json_["grads"].items()) {
      const Tensor& gradient = grads[i++];
      if (!gradient.defined() || !gradient.requires_grad()) continue;
      roots.push_back(gradient);
      starts.push_back(stored(json_["v"][key]));
    }
    Tensors inputs, results;
    for (const auto& [key, name] : json_["gradgrad"].items()) inputs.push_back(leaves_.at(key));
    inputs.insert(inputs.end(), upstream.begin(), upstream.end());
    results.resize(inputs.size());
    if (!roots.empty()) results = grad(roots, inputs, starts, false, false, true);
    std::size_t at = 0;
    for (const auto& [key, name] : json_["gradgrad"].items()) {
      expect_gradient("second derivative " + key, results[at], name, inputs[at]);
      ++at;
    }
    for (const Json& name : json_["gradgrad_upstream"])
      if (at < inputs.size() && !name.is_null()) {
        expect_gradient("second derivative by the upstream gradient", results[at], name,
                        inputs[at]);
        ++at;
      }
  }

  const Json& json_;
  const std::map<std::string, Tensor>& group_;
  const Arrangement arrangement_;
  const bool rounded_;
  Arguments arguments_;
  std::map<std::string, Tensor> leaves_;
};

struct Counts {
  int cases = 0, first = 0, second = 0;
  std::map<std::string, int> operations, not_there, forms;
};

void run_case(const Json& json, Counts* counts) {
  for (const Arrangement arrangement :
       {Arrangement::contiguous, Arrangement::transposed, Arrangement::sliced}) {
    SCOPED_TRACE(name_of(arrangement));
    Case exact(json, arrangement, false);
    const Tensors outputs = exact.run();
    exact.expect_values(outputs, "output");
    if (json.contains("output32")) {
      Case rounded(json, arrangement, true);
      rounded.expect_values(rounded.run(), "output32");
    }
    if (!json.contains("grads")) continue;
    const bool second = json.contains("gradgrad");
    exact.expect_derivatives(outputs, second);
    if (arrangement != Arrangement::contiguous) continue;
    ++counts->first;
    counts->second += second;
  }
  ++counts->cases;
  ++counts->operations[json["op"]];
}

void print(const char* title, const std::map<std::string, int>& counts) {
  std::cout << title;
  for (const auto& [name, count] : counts) std::cout << " " << name << ":" << count;
  std::cout << "\n";
}

TEST(ReferenceOps, ValuesAndDerivativesOfPyTorch) {
  const Json index = Json::parse(read_whole(kFolder + "index.json"));
  Counts counts;
  for (const Json& json : index["cases"]) {
    const std::string op = json["op"];
    SCOPED_TRACE(json["id"].get<std::string>() + json.value("note", " "));
    if (!reference_calls().count(op)) {
      ++counts.not_there[op];
      continue;
    }
    try {
      run_case(json, &counts);
    } catch (const NotThere& what) {
      ++counts.forms[op + " " + what.form];
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  std::cout << counts.cases << " cases of " << counts.operations.size() << " operations of PyTorch "
            << index["torch"].get<std::string>() << ", with " << counts.first << " gradients and "
            << counts.second << " second derivatives\n";
  print("forms that levin does not have:", counts.forms);
  print("operations that levin does not have:", counts.not_there);
  EXPECT_GT(counts.cases, 450);
}

}  // namespace
}  // namespace levin
