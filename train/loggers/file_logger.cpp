#include "file_logger.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "../../kernels/check.h"
#include "../../tensor/file.h"
#include "../console/log.h"

namespace levin::inline v0 {
namespace {

namespace fs = std::filesystem;

// k of "version_k" and of "version_k_old"; -1 for other names.
int64_t version_of(const std::string& name) {
  if (!name.starts_with("version_")) return -1;
  const std::string digits = name.substr(8, name.find('_', 8) - 8);
  const bool number =
      !digits.empty() && digits.size() < 18 &&
      std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c); });
  return number ? std::stoll(digits) : -1;
}

[[noreturn]] void fail_to_make(const char* type, const std::string& path,
                               const std::error_code& error) {
  fail(Fault::world, {type, ": the folder '", path, "' cannot be made: ", error.message()});
}

void make_folders(const char* type, const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail_to_make(type, path, error);
}

std::string here_if_empty(const fs::path& path) { return path.empty() ? "." : path.string(); }

bool same_folder(const std::string& a, const std::string& b) {
  std::error_code error;
  return fs::equivalent(a, b, error);
}

}  // namespace

void start_loggers(const std::vector<AnyLogger>& loggers) {
  for (std::size_t i = 0; i < loggers.size(); ++i) {
    std::vector<std::string> folders;
    for (std::size_t k = 0; k < i; ++k)
      if (loggers[k]->type_name() != loggers[i]->type_name() && !loggers[k]->log_dir().empty())
        folders.push_back(loggers[k]->log_dir());
    loggers[i]->start(folders);
  }
}

FileLogger::FileLogger(const char* type, std::string save_dir, FileLoggerOptions options)
    : type_(type), save_dir_(std::move(save_dir)), options_(std::move(options)) {
  check(options_.version.is_null() || options_.version.is_integer() || options_.version.is_text(),
        {type_, ": a version is an integer or text"});
  check(options_.flush_logs_every_n_steps >= 0,
        {type_, ": flush_logs_every_n_steps is ", options_.flush_logs_every_n_steps,
         ", it must be at least 0"});
}

std::string FileLogger::in_root(const std::string& folder) const {
  return (fs::path(save_dir_) / options_.name / folder).string();
}

std::string FileLogger::root_dir() const { return (fs::path(save_dir_) / options_.name).string(); }

std::pair<std::string, FileLoggerOptions> FileLogger::options_for(const std::string& folder) const {
  FileLoggerOptions options = options_;
  options.name = "";
  options.version = fs::path(folder).filename().string();
  return {fs::path(folder).parent_path().string(), std::move(options)};
}

void FileLogger::start(const std::vector<std::string>& run_folders) {
  if (!log_dir_.empty()) return;  // a second fit goes on in the same folder
  if (!options_.version.is_null()) return take_given_version(run_folders);
  if (!joins(run_folders)) make_next_version();
}

bool FileLogger::joins(const std::vector<std::string>& run_folders) {
  for (const std::string& folder : run_folders) {
    const fs::path path(folder);
    const int64_t version = version_of(path.filename().string());
    if (version < 0 || !same_folder(here_if_empty(path.parent_path()), here_if_empty(root_dir())))
      continue;
    log_dir_ = folder;
    version_ = std::to_string(version);
    return true;
  }
  return false;
}

void FileLogger::take_given_version(const std::vector<std::string>& run_folders) {
  const bool number = options_.version.is_integer();
  version_ = number ? std::to_string(options_.version.as_integer()) : options_.version.as_text();
  const std::string folder = in_root(number ? "version_" + version_ : version_);
  make_folders(type_, here_if_empty(folder));
  log_dir_ = here_if_empty(folder);
  const bool shared = std::any_of(run_folders.begin(), run_folders.end(),
                                  [&](const auto& other) { return same_folder(other, log_dir_); });
  if (!shared && !fs::is_empty(log_dir_))
    log_warning({"Experiment logs directory ", log_dir_,
                 " exists and is not empty. Old log files in it are renamed."});
}

void FileLogger::make_next_version() {
  const std::string root = here_if_empty(root_dir());
  make_folders(type_, root);
  int64_t next = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root))
    if (entry.is_directory(error))
      next = std::max(next, version_of(entry.path().filename().string()) + 1);
  for (;; ++next) {
    const std::string folder = in_root("version_" + std::to_string(next));
    if (fs::create_directory(folder, error)) {
      log_dir_ = folder;
      version_ = std::to_string(next);
      return;
    }
    if (error && error != std::errc::file_exists)  // it may be a file
      fail_to_make(type_, folder, error);
  }
}

void FileLogger::check_started() const {
  if (log_dir_.empty()) fail(Fault::order, {type_, ": start() must come first"});
}

void FileLogger::log_metrics(const Value::Map& row, LogTable table) {
  check_started();
  Value::Map whole;
  const auto set = [&](const std::string& name, const Value& value) {
    const auto same = [&](const auto& entry) { return entry.first == name; };
    if (const auto entry = std::find_if(whole.begin(), whole.end(), same); entry != whole.end())
      entry->second = value;
    else
      whole.emplace_back(name, value);
  };
  Value step = 0;
  for (const auto& [name, value] : row) {
    if (name == "step" && !value.is_null()) step = value;
    const bool prefixed = !options_.prefix.empty() && name != "step";
    set(prefixed ? options_.prefix + "-" + name : name, value);
  }
  set("step", step);
  write(whole, table);
  const int64_t n = options_.flush_logs_every_n_steps;
  if (n > 0 && step.is_integer() && (step.as_integer() + 1) % n == 0) save();
}

void FileLogger::finalize(const std::string&) {
  save();
  close();
}

LogFile::LogFile(std::string path) : path_(std::move(path)) {}
LogFile::~LogFile() = default;
LogFile::LogFile(LogFile&&) noexcept = default;
LogFile& LogFile::operator=(LogFile&&) noexcept = default;

std::string LogFile::free_name() const {
  const fs::path path(path_);
  for (int n = 1;; ++n) {
    const fs::path name = path.stem().string() + "_old" + std::to_string(n);
    const fs::path other = path.parent_path() / name.string().append(path.extension());
    if (!fs::exists(other)) return other.string();
  }
}

void LogFile::append(std::string_view rows) {
  if (!ours_ && fs::exists(path_)) fs::rename(path_, free_name());
  ours_ = true;
  if (!file_) file_ = std::make_unique<AppendFile>(path_);
  file_->append(rows);
  size_ += static_cast<int64_t>(rows.size());
}

void LogFile::replace(std::string_view bytes) {
  if (!ours_ && fs::exists(path_)) fs::rename(path_, free_name());
  ours_ = true;
  file_.reset();
  write_whole(path_, bytes);
  size_ = static_cast<int64_t>(bytes.size());
}

// A copy, not renamed: should the run be killed here, another one can still begin with the rows.
void LogFile::begin_with(std::string_view bytes) {
  if (fs::exists(path_))
    if (const std::string old = read_whole(path_); old != bytes) write_whole(free_name(), old);
  ours_ = true;
  replace(bytes);
}

void LogFile::sync() {
  if (file_) file_->sync();
}

void LogFile::close() { file_.reset(); }

std::string lines_before(const Value& state, const char* key, const std::string& path) {
  const Value* offset = state.find(key);
  if (!offset || offset->as_integer() <= 0 || !fs::exists(path)) return "";
  std::string text = read_whole(path);
  text.resize(std::min<std::size_t>(text.size(), offset->as_integer()));
  text.resize(text.rfind('\n') + 1);
  if (text.empty()) fail(Fault::world, {"resume: '", path, "' holds no whole line"});
  return text;
}

std::string table_name(LogTable table) {
  static constexpr const char* kNames[] = {"metrics", "test_metrics", "validate_metrics"};
  return kNames[static_cast<int>(table)];
}

}  // namespace levin::inline v0
