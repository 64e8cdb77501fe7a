#include "lambda_callback.h"

namespace levin::inline v0 {

std::string LambdaCallback::state_key() const {
  return "LambdaCallback " + std::to_string(reinterpret_cast<uintptr_t>(this));
}

}  // namespace levin::inline v0
