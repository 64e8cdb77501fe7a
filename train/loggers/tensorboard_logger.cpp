#include "tensorboard_logger.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "../../kernels/check.h"
#include "../../tensor/file.h"
#include "../files/text.h"
#include "event_file.h"

namespace levin::inline v0 {
namespace {

namespace fs = std::filesystem;

// "events.out.tfevents.1727178567.host.4711.0"; a name that the folder does not have yet.
std::string new_event_file(const std::string& folder) {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  char time[32];
  std::snprintf(time, sizeof time, "%010lld", static_cast<long long>(seconds_now()));
  for (int n = 0;; ++n) {
    const std::string path = folder + "/events.out.tfevents." + time + "." + host + "." +
                             std::to_string(getpid()) + "." + std::to_string(n);
    if (!fs::exists(path)) return path;
  }
}

float scalar_of(const std::string& name, const Value& value) {
  if (value.is_bool()) return value.as_bool() ? 1 : 0;
  check(value.is_integer() || value.is_real(),
        {"TensorBoardLogger: '", name, "' is no number: only these are shown"});
  return static_cast<float>(value.as_real());
}

// YAML in a block that Markdown leaves as it is.
std::string as_code(const std::string& yaml) {
  std::string text = "    ";
  for (const char c : yaml.substr(0, yaml.size() - 1))
    text += c == '\n' ? "\n    " : std::string(1, c);
  return text;
}

}  // namespace

TensorBoardLogger::TensorBoardLogger(std::string save_dir, TensorBoardLoggerOptions options)
    : FileLogger("TensorBoardLogger", std::move(save_dir), std::move(options)) {}

AnyLogger TensorBoardLogger::in_folder(const std::string& folder) const {
  auto [parent, options] = options_for(folder);
  return TensorBoardLogger(std::move(parent), std::move(options));
}

void TensorBoardLogger::append(const std::string& record) {
  if (!file_.path().empty()) return file_.append(record);
  LogFile file(new_event_file(log_dir()));
  file.append(version_record(seconds_now()) + record);
  file_ = std::move(file);
}

void TensorBoardLogger::write(const Value::Map& row, LogTable table) {
  static constexpr const char* kGroups[] = {"", "test/", "validate/"};
  std::vector<std::pair<std::string, float>> scalars;
  int64_t step = 0;
  for (const auto& [name, value] : row)
    if (name == "step")
      step = value.as_integer();
    else if (!value.is_null())
      scalars.emplace_back(kGroups[static_cast<int>(table)] + name, scalar_of(name, value));
  if (!scalars.empty()) append(scalars_record(seconds_now(), step, scalars));
  if (table == LogTable::metrics) next_step_ = std::max(next_step_, step + 1);
}

void TensorBoardLogger::log_hyperparams(const Value& hparams) {
  check_started();
  const std::string yaml = to_yaml(hparams);
  write_whole(path_of("hparams.yaml"), yaml);
  append(text_record(seconds_now(), 0, "hparams/text_summary", as_code(yaml)));
}

void TensorBoardLogger::save() { file_.sync(); }
void TensorBoardLogger::close() { file_.close(); }

Value TensorBoardLogger::state_dict() const {
  Value state;
  state["event_files"] = earlier_;
  if (!file_.path().empty())
    state["event_files"][fs::path(file_.path()).filename().string()] = file_.size();
  state["next_step"] = next_step_;
  return state;
}

void TensorBoardLogger::resume(const Value& state, const std::string& old_dir) {
  check_started();
  const Value *files = state.find("event_files"), *step = state.find("next_step");
  if (!files || !step) return;
  next_step_ = step->as_integer();
  std::error_code error;
  const bool same_folder = fs::equivalent(old_dir, log_dir(), error);
  std::string events;
  earlier_ = {};
  if (same_folder) earlier_ = *files;
  if (!same_folder && files->is_map())
    for (const auto& [name, size] : files->as_map()) {
      const std::string path = old_dir + "/" + fs::path(name).filename().string();
      if (!fs::exists(path)) continue;
      const std::string old = read_whole(path);
      const auto kept = std::min<std::size_t>(old.size(), std::max<int64_t>(size.as_integer(), 0));
      events += whole_records(std::string_view(old).substr(0, kept));
    }
  if (events.empty()) events = version_record(seconds_now());
  file_ = LogFile(new_event_file(log_dir()));
  file_.replace(events + session_start_record(seconds_now(), next_step_));
}

}  // namespace levin::inline v0
