// LME's helpers for lists and for data that holds tensors somewhere inside.
#pragma once

#include <concepts>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "../autograd/ops.h"
#include "algorithm.h"
#include "files/value.h"

namespace levin::inline v0 {

/// The only element of a list of one, else the list. Throws std::invalid_argument for what is no
/// list.
Value flat_if_one(const Value& list);
/// A list as it is, anything else as a list of one.
Value make_list(Value value);

/// A copy of `data` with change(tensor) in the place of every tensor that is defined: in a Tensor, a
/// data::Batch, metric results, an AlgorithmOutput, and vectors, maps, pairs and tuples of these,
/// nested as they like. Anything else stays.
template <class T, class Change>
T with_tensors(const T& data, const Change& change);

/// The same data without history.
template <class T>
T tr_detach_data(const T& data) {
  return with_tensors(data, [](const Tensor& tensor) { return tensor.detach(); });
}

/// The same data on `device`.
template <class T>
T to_device(const T& data, Device device) {
  return with_tensors(data, [device](const Tensor& tensor) { return tensor.to(device); });
}

/// Host data as a tensor: a number as one float32 [1]; a vector as [n] of its element type (integers
/// of other sizes as int64); a vector of vectors, all of one shape (else std::invalid_argument), as
/// [n, ..]; a tensor as it is.
inline Tensor to_tensor(const Tensor& tensor) { return tensor; }
template <class T>
requires std::is_arithmetic_v<T> Tensor to_tensor(T number) {
  return full({1}, static_cast<double>(number), kFloat32);
}
template <class T>
Tensor to_tensor(const std::vector<T>& list);

// ---- How they are done

template <class T, class Change>
std::vector<T> with_tensors_of(const std::vector<T>& list, const Change& change) {
  std::vector<T> result;
  for (const T& item : list) result.push_back(with_tensors(item, change));
  return result;
}
template <class Key, class T, class Change>
std::map<Key, T> with_tensors_of(const std::map<Key, T>& map, const Change& change) {
  std::map<Key, T> result;
  for (const auto& [key, item] : map) result.emplace(key, with_tensors(item, change));
  return result;
}
template <class A, class B, class Change>
std::pair<A, B> with_tensors_of(const std::pair<A, B>& pair, const Change& change) {
  return {with_tensors(pair.first, change), with_tensors(pair.second, change)};
}
template <class... T, class Change>
std::tuple<T...> with_tensors_of(const std::tuple<T...>& tuple, const Change& change) {
  return std::apply(
      [&](const T&... item) { return std::tuple<T...>(with_tensors(item, change)...); }, tuple);
}
template <class Change>
Tensor with_tensors_of(const Tensor& tensor, const Change& change) {
  return tensor.defined() ? change(tensor) : tensor;
}
template <class Change>
data::Batch with_tensors_of(const data::Batch& batch, const Change& change) {
  data::Batch result = batch;
  for (Tensor& tensor : result) tensor = with_tensors(tensor, change);
  return result;
}
template <class Change>
MetricResult with_tensors_of(const MetricResult& result, const Change& change) {
  if (result.is_list()) return with_tensors(result.list(), change);
  return with_tensors(result.tensor(), change);
}
template <class Change>
MetricResults with_tensors_of(const MetricResults& results, const Change& change) {
  MetricResults changed;
  for (const auto& [name, result] : results) changed[name] = with_tensors(result, change);
  return changed;
}
template <class Change>
AlgorithmOutput with_tensors_of(const AlgorithmOutput& output, const Change& change) {
  return {with_tensors(output.y, change), with_tensors(output.metrics, change),
          with_tensors(output.x, change), with_tensors(output.gt, change)};
}

template <class T, class Change>
T with_tensors(const T& data, const Change& change) {
  if constexpr (requires {
                  { with_tensors_of(data, change) } -> std::same_as<T>;
                })
    return with_tensors_of(data, change);
  else
    return data;
}

template <class T>
Tensor to_tensor(const std::vector<T>& list) {
  if constexpr (std::is_same_v<T, bool>) {
    return from_vector(std::vector<uint8_t>(list.begin(), list.end())).to(kBool);
  } else if constexpr (requires { DTypeOf<T>::value; }) {
    return from_vector(list);
  } else if constexpr (std::is_integral_v<T>) {
    return from_vector(std::vector<int64_t>(list.begin(), list.end()));
  } else {
    std::vector<Tensor> rows;
    for (const T& row : list) rows.push_back(to_tensor(row));
    return stack(rows);
  }
}

}  // namespace levin::inline v0
