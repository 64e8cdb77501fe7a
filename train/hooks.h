// The hooks by name: what a callback and a model have for each.
#pragma once

#include "overrides.h"
#include "trainer.h"

namespace levin::inline v0 {

template <class... Parameters>
struct Hook {
  const char* name;
  void (Callback::*of_callbacks)(Trainer&, LME&, Parameters...);
  void (LME::*of_model)(Parameters...);  // null where models have none
};

/// The hooks of an evaluation: those of validation, of test, or of predict.
struct EvaluationHooks {
  Hook<> start, epoch_start;
  Hook<const data::Batch&, int64_t, int64_t> batch_start;
  Hook<const AlgorithmOutput*, const data::Batch&, int64_t, int64_t> batch_end;
  Hook<> epoch_end, end;
};

namespace hook {

#define LEVIN_HOOK(name, ...) \
  inline constexpr Hook<__VA_ARGS__> name{#name, &Callback::name, &LME::name};
#define LEVIN_CALLBACK_HOOK(name, ...) \
  inline constexpr Hook<__VA_ARGS__> name{#name, &Callback::name, nullptr};
LEVIN_HOOK(setup)
LEVIN_HOOK(teardown)
LEVIN_HOOK(on_fit_start)
LEVIN_HOOK(on_fit_end)
LEVIN_CALLBACK_HOOK(on_sanity_check_start)
LEVIN_CALLBACK_HOOK(on_sanity_check_end)
LEVIN_HOOK(on_train_start)
LEVIN_HOOK(on_train_end)
LEVIN_HOOK(on_train_epoch_start)
LEVIN_HOOK(on_train_epoch_end)
LEVIN_CALLBACK_HOOK(on_train_batch_start, const data::Batch&, int64_t)
LEVIN_HOOK(on_train_batch_end, const AlgorithmOutput*, const data::Batch&, int64_t)
LEVIN_HOOK(on_before_zero_grad, optim::Optimizer&)
LEVIN_HOOK(on_before_backward, const Tensor&)
LEVIN_HOOK(on_after_backward)
LEVIN_HOOK(on_before_optimizer_step, optim::Optimizer&)
LEVIN_CALLBACK_HOOK(on_epoch_logged)
LEVIN_HOOK(on_save_checkpoint, Value&)
LEVIN_HOOK(on_load_checkpoint, const Value&)
#undef LEVIN_HOOK
#undef LEVIN_CALLBACK_HOOK

#define LEVIN_HOOK(name) \
  { #name, &Callback::name, &LME::name }
#define LEVIN_EVALUATION_HOOKS(kind)                                            \
  inline constexpr EvaluationHooks kind{                                        \
      LEVIN_HOOK(on_##kind##_start),       LEVIN_HOOK(on_##kind##_epoch_start), \
      LEVIN_HOOK(on_##kind##_batch_start), LEVIN_HOOK(on_##kind##_batch_end),   \
      LEVIN_HOOK(on_##kind##_epoch_end),   LEVIN_HOOK(on_##kind##_end)};
LEVIN_EVALUATION_HOOKS(validation)
LEVIN_EVALUATION_HOOKS(test)
LEVIN_EVALUATION_HOOKS(predict)
#undef LEVIN_EVALUATION_HOOKS
#undef LEVIN_HOOK

}  // namespace hook

// Times a hook where there is a profiler.
class ProfiledHook {
 public:
  ProfiledHook(Profiler* profiler, const char* kind, const std::string& owner, const char* hook)
      : scope_(profiler, profiler ? std::string_view(action_ = kind + owner + "." + hook) : "") {}

 private:
  std::string action_;
  ProfileScope scope_;
};

template <class... Parameters, class... Arguments>
void Trainer::call(const Hook<Parameters...>& hook, Arguments&&... arguments) {
  call_callbacks(CallbackOrder::plain, CallbackOrder::checkpoint, hook, arguments...);
  call_model(hook, arguments...);
}

template <class... Parameters, class... Arguments>
void Trainer::call_callbacks(CallbackOrder first, CallbackOrder last,
                             const Hook<Parameters...>& hook, Arguments&&... arguments) {
  for (std::size_t i = 0; i < callbacks_.size(); ++i) {
    if (!profiler() && !overrides(*callbacks_[i], plain_callback_, hook.of_callbacks)) continue;
    if (const CallbackOrder order = callbacks_[i]->order(); first <= order && order <= last)
      call_one(i, hook, arguments...);
  }
}

template <class... Parameters, class... Arguments>
void Trainer::call_model(const Hook<Parameters...>& hook, Arguments&&... arguments) {
  if (!hook.of_model) return;
  const ProfiledHook profiled(profiler(), "[LightningModule]", "LME", hook.name);
  (model_->*hook.of_model)(arguments...);
}

template <class... Parameters, class... Arguments>
void Trainer::call_one(std::size_t callback, const Hook<Parameters...>& hook,
                       Arguments&&... arguments) {
  const Where where(callback_names_[callback], "callback");
  const ProfiledHook profiled(profiler(), "[Callback]", callback_names_[callback], hook.name);
  ((*callbacks_[callback]).*hook.of_callbacks)(*this, *model_, arguments...);
}

}  // namespace levin::inline v0
