#include "linear_lr.h"

#include <cmath>

#include "../../kernels/check.h"

namespace levin::inline v0::optim {

ConstantLR::ConstantLR(AnyOptimizer optimizer, const ConstantLROptions& options)
    : LRScheduler(std::move(optimizer)), options_(options) {
  check(options.factor >= 0 && options.factor <= 1,
        {"ConstantLR: Constant multiplicative factor expected to be between 0 and 1."});
  start();
}

double ConstantLR::next_lr(int group) const {
  if (last_epoch_ == 0) return lr(group) * options_.factor;
  return last_epoch_ == options_.total_iters ? lr(group) * (1 / options_.factor) : lr(group);
}

void ConstantLR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("factor", options_.factor);
  fields("total_iters", options_.total_iters);
}

LinearLR::LinearLR(AnyOptimizer optimizer, const LinearLROptions& options)
    : LRScheduler(std::move(optimizer)), options_(options) {
  check(options.start_factor > 0 && options.start_factor <= 1,
        {"LinearLR: Starting multiplicative factor expected to be greater than 0 and less or equal "
         "to 1."});
  check(options.end_factor >= 0 && options.end_factor <= 1,
        {"LinearLR: Ending multiplicative factor expected to be between 0 and 1."});
  start();
}

double LinearLR::next_lr(int group) const {
  const double first = options_.start_factor, change = options_.end_factor - first;
  if (last_epoch_ == 0) return lr(group) * first;
  if (last_epoch_ > options_.total_iters) return lr(group);
  const auto total = static_cast<double>(options_.total_iters);
  return lr(group) * (1 + change / (total * first + static_cast<double>(last_epoch_ - 1) * change));
}

void LinearLR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("start_factor", options_.start_factor);
  fields("end_factor", options_.end_factor);
  fields("total_iters", options_.total_iters);
}

PolynomialLR::PolynomialLR(AnyOptimizer optimizer, const PolynomialLROptions& options)
    : LRScheduler(std::move(optimizer)), options_(options) {
  start();
}

double PolynomialLR::next_lr(int group) const {
  if (last_epoch_ == 0 || last_epoch_ > options_.total_iters) return lr(group);
  const auto total = static_cast<double>(options_.total_iters);
  const auto epoch = static_cast<double>(last_epoch_);
  return lr(group) * std::pow((1 - epoch / total) / (1 - (epoch - 1) / total), options_.power);
}

void PolynomialLR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("total_iters", options_.total_iters);
  fields("power", options_.power);
}

}  // namespace levin::inline v0::optim
