#include "utils.h"

#include "../kernels/check.h"

namespace levin::inline v0 {

Value flat_if_one(const Value& list) {
  check(list.is_list(), {"flat_if_one: a list is needed"});
  return list.size() == 1 ? list.as_list()[0] : list;
}

Value make_list(Value value) {
  if (value.is_list()) return value;
  Value list = Value::List();
  list.push_back(std::move(value));
  return list;
}

}  // namespace levin::inline v0
