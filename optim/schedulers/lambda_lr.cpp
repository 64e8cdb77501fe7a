#include "lambda_lr.h"

#include "../../kernels/check.h"

namespace levin::inline v0::optim {

static std::vector<LRFunction> checked(const char* name, std::vector<LRFunction> functions,
                                       int groups) {
  if (functions.size() != static_cast<std::size_t>(groups))
    fail({name, ": Expected ", groups, " lr_lambdas, but got ", functions.size()});
  for (const LRFunction& function : functions)
    check(static_cast<bool>(function), {name, ": an empty function"});
  return functions;
}

LambdaLR::LambdaLR(AnyOptimizer optimizer, LRFunction lr_lambda)
    : LRScheduler(std::move(optimizer)) {
  functions_ = checked("LambdaLR", std::vector(group_count(), std::move(lr_lambda)), group_count());
  start();
}

LambdaLR::LambdaLR(AnyOptimizer optimizer, std::vector<LRFunction> lr_lambdas)
    : LRScheduler(std::move(optimizer)),
      functions_(checked("LambdaLR", std::move(lr_lambdas), group_count())) {
  start();
}

double LambdaLR::next_lr(int group) const {
  return base_lr(group) * functions_[group](last_epoch_);
}

MultiplicativeLR::MultiplicativeLR(AnyOptimizer optimizer, LRFunction lr_lambda)
    : LRScheduler(std::move(optimizer)) {
  functions_ =
      checked("MultiplicativeLR", std::vector(group_count(), std::move(lr_lambda)), group_count());
  start();
}

MultiplicativeLR::MultiplicativeLR(AnyOptimizer optimizer, std::vector<LRFunction> lr_lambdas)
    : LRScheduler(std::move(optimizer)),
      functions_(checked("MultiplicativeLR", std::move(lr_lambdas), group_count())) {
  start();
}

double MultiplicativeLR::next_lr(int group) const {
  return last_epoch_ == 0 ? lr(group) : lr(group) * functions_[group](last_epoch_);
}

}  // namespace levin::inline v0::optim
