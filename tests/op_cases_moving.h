// Rows of operations that only move elements.
#pragma once

#include "op_cases.h"

namespace levin {

// The result takes its element at index i from x at from(i).
inline OpCase moving(const char* name, const Sample& sample, Shape result,
                     std::function<Index(const Index&)> from, Call call,
                     std::vector<WrongCall> wrong) {
  return {.name = name,
          .samples = {sample},
          .call = std::move(call),
          .reference =
              [=](const Arrays& x) {
                return make_array(result, [&](const Index& i) { return x[0].at(from(i)); });
              },
          .wrong = std::move(wrong)};
}

// The same elements in row-major order under another shape.
inline OpCase renamed(const char* name, const Shape& from, const Shape& to, Call call,
                      std::vector<WrongCall> wrong = {}) {
  return {.name = name,
          .samples = {{{from}}},
          .call = std::move(call),
          .reference =
              [=](const Arrays& x) {
                return Array{to, x[0].numbers};
              },
          .wrong = std::move(wrong)};
}

}  // namespace levin
