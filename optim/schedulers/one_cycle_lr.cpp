#include "one_cycle_lr.h"

#include <cmath>
#include <numbers>

#include "../../kernels/check.h"

namespace levin::inline v0::optim {

void OneCycleLR::check_options(const OneCycleLROptions& o) const {
  check(o.total_steps != 0 || (o.epochs != 0 && o.steps_per_epoch != 0),
        {"OneCycleLR: You must define either total_steps OR (epochs AND steps_per_epoch)"});
  check(total_steps_ > 0 && o.epochs >= 0,
        {"OneCycleLR: Expected positive integer total_steps, but got ", total_steps_});
  check(o.pct_start >= 0 && o.pct_start <= 1,
        {"OneCycleLR: Expected float between 0 and 1 pct_start, but got ", o.pct_start});
  check(o.anneal_strategy == "cos" || o.anneal_strategy == "linear",
        {"OneCycleLR: anneal_strategy must be one of 'cos' or 'linear', instead got ",
         o.anneal_strategy});
  for (int group = 0; group < group_count(); ++group)
    check(!o.cycle_momentum || optimizer_->momentum(group),
          {"OneCycleLR: optimizer must support momentum or beta1 with `cycle_momentum` option "
           "enabled"});
}

OneCycleLR::OneCycleLR(AnyOptimizer optimizer, const OneCycleLROptions& o)
    : LRScheduler(std::move(optimizer)),
      total_steps_(o.total_steps ? o.total_steps : o.epochs * o.steps_per_epoch),
      linear_(o.anneal_strategy == "linear"),
      cycle_momentum_(o.cycle_momentum) {
  check_options(o);
  const std::vector<double> most = o.max_lr.of(group_count(), "max_lr");
  const std::vector<double> low = o.base_momentum.of(group_count(), "base_momentum");
  const std::vector<double> high = o.max_momentum.of(group_count(), "max_momentum");
  std::vector<double> last;
  for (int group = 0; group < group_count(); ++group) {
    base_lrs_[group] = most[group] / o.div_factor;
    optimizer_->set_initial_lr(group, base_lrs_[group]);
    last.push_back(base_lrs_[group] / o.final_div_factor);
  }
  const auto total = static_cast<double>(total_steps_);
  const double peak = o.pct_start * total - 1;
  if (o.three_phase)
    phases_ = {{peak, {base_lrs_, most}, {high, low}},
               {2 * o.pct_start * total - 2, {most, base_lrs_}, {low, high}},
               {total - 1, {base_lrs_, last}, {high, high}}};
  else
    phases_ = {{peak, {base_lrs_, most}, {high, low}}, {total - 1, {most, last}, {low, high}}};
  start();
}

void OneCycleLR::step(std::optional<double> metric) {
  check(last_epoch_ < total_steps_,
        {"Tried to step ", last_epoch_ + 1, " times. The specified number of total steps is ",
         total_steps_});
  LRScheduler::step(metric);
}

double OneCycleLR::value(int group, std::vector<double> (Phase::*numbers)[2]) const {
  const auto now = static_cast<double>(last_epoch_);
  std::size_t i = 0;
  while (i + 1 < phases_.size() && now > phases_[i].end) ++i;
  const double begin = i == 0 ? 0 : phases_[i - 1].end;
  const double part = (now - begin) / (phases_[i].end - begin);
  const auto& [first, second] = phases_[i].*numbers;
  const double from = first[group], to = second[group];
  return linear_ ? (to - from) * part + from
                 : to + (from - to) / 2 * (std::cos(std::numbers::pi * part) + 1);
}

double OneCycleLR::next_lr(int group) const { return value(group, &Phase::lrs); }

std::optional<double> OneCycleLR::next_momentum(int group) const {
  return cycle_momentum_ ? std::optional(value(group, &Phase::momenta)) : std::nullopt;
}

void OneCycleLR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("total_steps", total_steps_);
  fields("linear", linear_);
  fields("cycle_momentum", cycle_momentum_);
  for (std::size_t i = 0; i < phases_.size(); ++i) {
    const std::string phase = "phases." + std::to_string(i) + ".";
    fields(phase + "end_step", phases_[i].end);
    fields(phase + "start_lr", phases_[i].lrs[0]);
    fields(phase + "end_lr", phases_[i].lrs[1]);
    fields(phase + "start_momentum", phases_[i].momenta[0]);
    fields(phase + "end_momentum", phases_[i].momenta[1]);
  }
}

}  // namespace levin::inline v0::optim
