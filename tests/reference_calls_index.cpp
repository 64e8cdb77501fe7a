// Indexing.
#include "reference_calls.h"

namespace levin {
namespace {

using Json = nlohmann::json;

std::optional<int64_t> bound(const Json& json) {
  if (json.is_null()) return {};
  return json.get<int64_t>();
}

Indices indices_of(const Argument& argument) {
  std::vector<TensorIndex> list;
  for (const Argument& index : argument.list) {
    const Json& json = index.json;
    if (index.tensor.defined())
      list.emplace_back(index.tensor);
    else if (json.is_null())
      list.emplace_back(None);
    else if (json.is_number())
      list.emplace_back(json.get<int64_t>());
    else if (json.contains("ellipsis"))
      list.emplace_back(Ellipsis);
    else
      list.emplace_back(
          Slice(bound(json["slice"][0]), bound(json["slice"][1]), bound(json["slice"][2])));
  }
  return list;
}

Tensor with_item(const Arguments& a) {
  const Indices indices = indices_of(a.positional[1]);
  const Tensor& x = a.tensor(0);
  return a.is_tensor(2) ? x.index_put(indices, a.tensor(2), a.flag("accumulate"))
                        : x.index_put(indices, a.number(2));
}

Tensor scatter_of(const Arguments& a) {
  const Tensor& x = a.tensor(0);
  return a.is_tensor(3) ? x.scatter(a.integer(1, 0), a.tensor(2), a.tensor(3))
                        : x.scatter(a.integer(1, 0), a.tensor(2), a.number(3));
}

Tensor masked_fill_of(const Arguments& a) {
  return a.is_tensor(2) ? a.tensor(0).masked_fill(a.tensor(1), a.tensor(2))
                        : a.tensor(0).masked_fill(a.tensor(1), a.number(2));
}

Tensor embedding_of(const Arguments& a) {
  std::optional<int64_t> padding;
  if (a.has("padding_idx")) padding = static_cast<int64_t>(a.number("padding_idx", 0).value);
  return embedding(a.tensor(0), a.tensor(1), padding);
}

}  // namespace

std::map<std::string, ReferenceCall> index_calls() {
  return {
      {"getitem", one([](const Arguments& a) { return a.tensor(0)[indices_of(a.positional[1])]; })},
      {"setitem", one(with_item)},
      {"index_put", one(with_item)},
      {"gather",
       one([](const Arguments& a) { return a.tensor(0).gather(a.integer(1, 0), a.tensor(2)); })},
      {"take_along_dim", one([](const Arguments& a) {
         return a.count() > 2 ? a.tensor(0).take_along_dim(a.tensor(1), a.integer(2, 0))
                              : a.tensor(0).take_along_dim(a.tensor(1));
       })},
      {"scatter", one(scatter_of)},
      {"scatter_add", one([](const Arguments& a) {
         return a.tensor(0).scatter_add(a.integer(1, 0), a.tensor(2), a.tensor(3));
       })},
      {"index_select", one([](const Arguments& a) {
         return a.tensor(0).index_select(a.integer(1, 0), a.tensor(2));
       })},
      {"masked_fill", one(masked_fill_of)},
      {"masked_select",
       one([](const Arguments& a) { return a.tensor(0).masked_select(a.tensor(1)); })},
      {"nonzero", unary(&Tensor::nonzero)},
      {"nn.functional.one_hot",
       one([](const Arguments& a) { return one_hot(a.tensor(0), a.integer(1, -1)); })},
      {"nn.functional.embedding", one(embedding_of)},
  };
}

}  // namespace levin
