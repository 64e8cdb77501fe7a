#include "trainer_options.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "../kernels/check.h"
#include "callbacks/model_checkpoint.h"
#include "callbacks/progress_bar.h"
#include "files/text.h"
#include "precision.h"

namespace levin::inline v0 {
namespace {

// Those that a number, a truth value or a text can say.
#define LEVIN_OPTIONS(X)               \
  X(accelerator)                       \
  X(devices)                           \
  X(precision)                         \
  X(max_epochs)                        \
  X(min_epochs)                        \
  X(max_steps)                         \
  X(min_steps)                         \
  X(max_time)                          \
  X(fast_dev_run)                      \
  X(limit_train_batches)               \
  X(limit_val_batches)                 \
  X(limit_test_batches)                \
  X(limit_predict_batches)             \
  X(overfit_batches)                   \
  X(val_check_interval)                \
  X(check_val_every_n_epoch)           \
  X(num_sanity_val_steps)              \
  X(log_every_n_steps)                 \
  X(enable_checkpointing)              \
  X(enable_progress_bar)               \
  X(enable_model_summary)              \
  X(accumulate_grad_batches)           \
  X(gradient_clip_val)                 \
  X(gradient_clip_algorithm)           \
  X(deterministic)                     \
  X(benchmark)                         \
  X(inference_mode)                    \
  X(detect_anomaly)                    \
  X(compile)                           \
  X(barebones)                         \
  X(reload_dataloaders_every_n_epochs) \
  X(default_root_dir)                  \
  X(handle_signals)

// A number as Python would print it in an error.
std::string text_of(const BatchLimit& limit) {
  return limit.is_part() ? python_repr(limit.value())
                         : std::to_string(static_cast<int64_t>(limit.value()));
}

// PL_TRAINER_MAX_EPOCHS=3, PL_TRAINER_ENABLE_PROGRESS_BAR=False: Python's literals.
Value literal(const std::string& text) {
  if (text == "True" || text == "true") return true;
  if (text == "False" || text == "false") return false;
  if (text == "None") return {};
  int64_t integer = 0;
  double real = 0;
  const char *begin = text.data(), *end = begin + text.size();
  if (std::from_chars(begin, end, integer).ptr == end && !text.empty()) return integer;
  if (std::from_chars(begin, end, real).ptr == end && !text.empty()) return real;
  if (text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0])
    return text.substr(1, text.size() - 2);
  return text;
}

void set(int64_t* option, const Value& value) {
  *option = value.is_bool() ? value.as_bool() : value.as_integer();  // FAST_DEV_RUN=True
}
void set(LoggerOption* option, const Value& value) { *option = LoggerOption(value.as_bool()); }
void set(ProfilerOption* option, const Value& value) {
  if (!value.is_null()) *option = ProfilerOption(value.as_text().c_str());
}
void set(bool* option, const Value& value) { *option = value.as_bool(); }
void set(std::string* option, const Value& value) { *option = value.as_text(); }
void set(BatchLimit* option, const Value& value) {
  *option = value.is_integer() ? BatchLimit(value.as_integer()) : BatchLimit(value.as_real());
}
void set(double* option, const Value& value) { *option = value.as_real(); }
template <class T>
void set(std::optional<T>* option, const Value& value) {
  option->reset();
  if (value.is_null()) return;
  if constexpr (std::is_same_v<T, Duration>)
    *option = Duration(value.as_text());
  else
    set(&option->emplace(), value);
}

bool same(const LoggerOption& a, const LoggerOption& b) { return a.is_default() == b.is_default(); }
bool same(const ProfilerOption& a, const ProfilerOption& b) { return a.get() == b.get(); }
bool same(const BatchLimit& a, const BatchLimit& b) {
  return a.is_part() == b.is_part() && a.value() == b.value();
}
bool same(const std::optional<Duration>& a, const std::optional<Duration>& b) {
  return a.has_value() == b.has_value();
}
template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}

// The environment's value for an option that the program left at its default.
template <class T>
void take_default(const char* name, T* option, const T& ordinary) {
  std::string variable = "PL_TRAINER_";
  for (const char* c = name; *c; ++c)
    variable += static_cast<char>(std::toupper(static_cast<unsigned char>(*c)));
  const char* text = std::getenv(variable.c_str());
  if (!text || !same(*option, ordinary)) return;
  try {
    set(option, literal(text));
  } catch (const std::invalid_argument& error) {
    fail({variable, "=", text, ": ", error.what()});
  }
}

void take_defaults(TrainerOptions* options) {
  const TrainerOptions ordinary;
#define LEVIN_OPTION(name) take_default(#name, &options->name, ordinary.name);
  LEVIN_OPTIONS(LEVIN_OPTION)
  LEVIN_OPTION(logger)
  LEVIN_OPTION(profiler)
#undef LEVIN_OPTION
}

Value value_of(const BatchLimit& limit) {
  return limit.is_part() ? Value(limit.value()) : Value(static_cast<int64_t>(limit.value()));
}
Value value_of(const Duration& duration) { return duration_text(duration.seconds()); }
template <class T>
Value value_of(const T& option) {
  return Value(option);
}
template <class T>
Value value_of(const std::optional<T>& option) {
  return option ? value_of(*option) : Value();
}

void check_counts(const TrainerOptions& o) {
  check(o.max_epochs.value_or(0) >= -1,
        {"`max_epochs` must be a non-negative integer or -1. You passed in ", *o.max_epochs, "."});
  check(o.max_steps >= -1,
        {"`max_steps` must be a non-negative integer or -1 (infinite steps). You passed in ",
         o.max_steps, "."});
  check(o.fast_dev_run >= 0,
        {"fast_dev_run=", o.fast_dev_run, " is not a valid configuration. It should be >= 0."});
  const auto at_least = [](const char* name, int64_t value, int64_t least) {
    check(value >= least, {"Trainer: ", name, " ", value, ": at least ", least});
  };
  at_least("min_epochs", o.min_epochs.value_or(0), 0);
  at_least("min_steps", o.min_steps.value_or(0), 0);
  at_least("num_sanity_val_steps", o.num_sanity_val_steps, -1);
  at_least("check_val_every_n_epoch", o.check_val_every_n_epoch.value_or(1), 1);
  at_least("log_every_n_steps", o.log_every_n_steps, 0);
  at_least("accumulate_grad_batches", o.accumulate_grad_batches, 1);
  at_least("reload_dataloaders_every_n_epochs", o.reload_dataloaders_every_n_epochs, 0);
  o.limit_train_batches.check_valid("limit_train_batches");
  o.limit_val_batches.check_valid("limit_val_batches");
  o.limit_test_batches.check_valid("limit_test_batches");
  o.limit_predict_batches.check_valid("limit_predict_batches");
  o.overfit_batches.check_valid("overfit_batches");
  o.val_check_interval.check_valid("val_check_interval");
  check(o.val_check_interval.value() > 0, {"Trainer: val_check_interval 0: above 0 is needed"});
  check(o.check_val_every_n_epoch || !o.val_check_interval.is_part(),
        {"`val_check_interval` should be an integer when `check_val_every_n_epoch=None`, found "
         "`val_check_interval=",
         text_of(o.val_check_interval), "`."});
}

void check_choices(const TrainerOptions& o) {
  if (o.accelerator != "auto") device_of(o.accelerator);
  check(o.devices == 1 || o.devices == -1, {"Trainer: devices ", o.devices, ": a trainer uses 1"});
  check(o.gradient_clip_algorithm == "norm" || o.gradient_clip_algorithm == "value",
        {"Trainer: gradient_clip_algorithm '", o.gradient_clip_algorithm,
         "': 'norm' or 'value' is needed"});
  check(o.gradient_clip_val.value_or(0) >= 0,
        {"Trainer: gradient_clip_val ", *o.gradient_clip_val, ": at least 0 is needed"});
  for (const AnyLogger& logger : o.logger.list())
    check(static_cast<bool>(logger), {"Trainer: an empty logger"});
  for (const AnyCallback& callback : o.callbacks) {
    check(static_cast<bool>(callback), {"Trainer: an empty callback"});
    check(
        o.enable_checkpointing || !dynamic_cast<const ModelCheckpoint*>(callback.get()),
        {"Trainer was configured with `enable_checkpointing=False` but found `ModelCheckpoint` in "
         "callbacks list."});
    check(o.enable_progress_bar || !dynamic_cast<const ProgressBar*>(callback.get()),
          {"Trainer was configured with `enable_progress_bar=False` but found `ProgressBar` in "
           "callbacks list."});
  }
}

}  // namespace

void BatchLimit::check_valid(const char* name) const {
  const bool valid = value_ >= 0 && (!is_part_ || value_ <= 1);
  check(valid, {"You have passed invalid value ", text_of(*this), " for ", name,
                ", it has to be in [0.0, 1.0] or an int."});
}

int64_t BatchLimit::of(int64_t batches, const char* name) const {
  if (!is_part_) return std::min(batches, static_cast<int64_t>(value_));
  const auto part = static_cast<int64_t>(static_cast<double>(batches) * value_);
  check(part > 0 || value_ == 0 || batches == 0,
        {"You requested to check ", python_repr(value_), " of the batches (", name, "), but ",
         python_repr(value_), " * ", batches, " < 1. Please increase it. Try at least ", name, "=",
         python_repr(1.0 / static_cast<double>(std::max<int64_t>(batches, 1)))});
  return part;
}

Duration::Duration(const std::string& text) : seconds_(0) {
  static constexpr double kUnits[] = {86400, 3600, 60, 1};
  std::size_t at = 0, part = 0;
  bool valid = true;
  for (; valid && part < 4; ++part) {
    int64_t number = 0;
    const std::size_t end = std::min(text.find(':', at), text.size());
    const auto [rest, error] = std::from_chars(text.data() + at, text.data() + end, number);
    valid = error == std::errc() && rest == text.data() + end && number >= 0 &&
            (part < 3) == (end < text.size());
    seconds_ += static_cast<double>(number) * kUnits[part];
    at = end + 1;
  }
  check(valid, {"`Timer(duration='", text,
                "')` is not a valid duration. Expected a string in the format DD:HH:MM:SS."});
}

Value described(const TrainerOptions& options) {
  Value all;
#define LEVIN_OPTION(name) all[#name] = value_of(options.name);
  LEVIN_OPTIONS(LEVIN_OPTION)
#undef LEVIN_OPTION
  return all;
}

TrainerOptions checked(TrainerOptions options) {
  take_defaults(&options);
  check_counts(options);
  check_choices(options);
  options.precision = Precision::checked_name(options.precision);
  if (options.overfit_batches.value() > 0)
    options.limit_train_batches = options.limit_val_batches = options.overfit_batches;
  if (const int64_t n = options.fast_dev_run; n > 0) {
    options.limit_train_batches = options.limit_val_batches = options.limit_test_batches =
        options.limit_predict_batches = BatchLimit(n);
    options.max_epochs = 1;
    options.max_steps = n;
    options.num_sanity_val_steps = 0;
    options.val_check_interval = 1.0;
    options.check_val_every_n_epoch = 1;
  }
  if (options.barebones) options.num_sanity_val_steps = 0;
  if (options.fast_dev_run > 0 || options.barebones) {
    options.logger = false;
    options.enable_checkpointing = false;
  }
  if (options.barebones) options.enable_progress_bar = options.enable_model_summary = false;
  return options;
}

}  // namespace levin::inline v0
