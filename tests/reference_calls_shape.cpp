// PyTorch's shape operations as calls of levin.
#include "reference_calls.h"

namespace levin {
namespace {

std::vector<int64_t> numbers_of(const Arguments& a, int i) {
  return a.positional[i].json.get<std::vector<int64_t>>();
}
bool is_list(const Arguments& a, int i) { return a.positional[i].json.is_array(); }

Tensor padded(const Arguments& a) {
  const std::string mode = a.text("mode", "constant");
  if (mode != "constant") throw NotThere{"with mode " + mode};
  return pad(a.tensor(0), a.shape(1), a.number("value", 0));
}

std::vector<Tensor> parts_of(const Arguments& a) {
  const int64_t dim = a.integer(2, 0);
  return is_list(a, 1) ? a.tensor(0).split_with_sizes(numbers_of(a, 1), dim)
                       : a.tensor(0).split(a.integer(1, 0), dim);
}

std::map<std::string, ReferenceCall> views() {
  return {
      {"reshape", one([](const Arguments& a) { return a.tensor(0).reshape(a.shape(1)); })},
      {"flatten", one([](const Arguments& a) {
         return a.tensor(0).flatten(a.integer(1, 0), a.integer(2, -1));
       })},
      {"unflatten",
       one([](const Arguments& a) { return a.tensor(0).unflatten(a.integer(1, 0), a.shape(2)); })},
      {"transpose", one([](const Arguments& a) {
         return a.tensor(0).transpose(a.integer(1, 0), a.integer(2, 0));
       })},
      {"permute", one([](const Arguments& a) { return a.tensor(0).permute(a.shape(1)); })},
      {"movedim",
       one([](const Arguments& a) { return a.tensor(0).movedim(a.shape(1), a.shape(2)); })},
      {"Tensor.expand", one([](const Arguments& a) { return a.tensor(0).expand(a.shape(1)); })},
      {"squeeze", one([](const Arguments& a) {
         return a.count() == 1 ? a.tensor(0).squeeze() : a.tensor(0).squeeze(a.shape(1));
       })},
      {"unsqueeze", one([](const Arguments& a) { return a.tensor(0).unsqueeze(a.integer(1, 0)); })},
      {"narrow", one([](const Arguments& a) {
         return a.tensor(0).narrow(a.integer(1, 0), a.integer(2, 0), a.integer(3, 0));
       })},
      {"select", one([](const Arguments& a) {
         return a.tensor(0).select(a.integer(1, 0), a.integer(2, 0));
       })},
      {"diagonal", one([](const Arguments& a) {
         return a.tensor(0).diagonal(a.integer(1, 0), a.integer(2, 0), a.integer(3, 1));
       })},
      {"trace", one([](const Arguments& a) { return a.tensor(0).diagonal().sum(); })},
      {"split", parts_of},
      {"chunk",
       [](const Arguments& a) { return a.tensor(0).chunk(a.integer(1, 0), a.integer(2, 0)); }},
      {"unbind", [](const Arguments& a) { return a.tensor(0).unbind(a.integer(1, 0)); }},
      {"meshgrid",
       [](const Arguments& a) {
         return meshgrid({a.tensor(0), a.tensor(1)}, a.text("indexing", "ij"));
       }},
  };
}

std::map<std::string, ReferenceCall> copies() {
  return {
      {"cat", one([](const Arguments& a) { return cat(a.tensors(0), a.integer(1, 0)); })},
      {"stack", one([](const Arguments& a) { return stack(a.tensors(0), a.integer(1, 0)); })},
      {"Tensor.repeat", one([](const Arguments& a) { return a.tensor(0).repeat(a.shape(1)); })},
      {"tile", one([](const Arguments& a) { return a.tensor(0).tile(a.shape(1)); })},
      {"flip", one([](const Arguments& a) { return a.tensor(0).flip(a.shape(1)); })},
      {"roll", one([](const Arguments& a) {
         return a.tensor(0).roll(a.shape(1), a.count() > 2 ? a.shape(2) : Shape());
       })},
      {"nn.functional.pad", one(padded)},
      {"tril", one([](const Arguments& a) { return a.tensor(0).tril(a.integer(1, 0)); })},
      {"triu", one([](const Arguments& a) { return a.tensor(0).triu(a.integer(1, 0)); })},
      {"diag", one([](const Arguments& a) { return a.tensor(0).diag(a.integer(1, 0)); })},
  };
}

}  // namespace

std::map<std::string, ReferenceCall> shape_calls() {
  std::map<std::string, ReferenceCall> all = views();
  all.merge(copies());
  return all;
}

}  // namespace levin
