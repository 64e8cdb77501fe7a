#include "csv_logger.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "../../kernels/check.h"
#include "../../tensor/file.h"
#include "../files/text.h"
#include "../log.h"

namespace levin::inline v0 {
namespace {

namespace fs = std::filesystem;

// Python's csv "excel" dialect: quotes where they are needed, CRLF at the end.
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string csv_line(const std::vector<std::string>& cells) {
  if (cells.size() == 1 && cells[0].empty()) return "\"\"\r\n";  // readers skip empty lines
  std::string line;
  for (const std::string& cell : cells) line += (&cell == &cells[0] ? "" : ",") + csv_cell(cell);
  return line + "\r\n";
}

std::string cell_text(const Value& value) {
  if (value.is_null()) return "";
  if (value.is_integer()) return std::to_string(value.as_integer());
  return value.is_text() ? value.as_text() : python_repr(value.as_real());
}

// The lines of a file that this class wrote: no cell of its own holds a line break.
std::vector<std::vector<std::string>> parsed(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string cell;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      cell += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ',' || c == '\n')) {
      row.push_back(std::move(cell));
      cell.clear();
      if (c == '\n') rows.push_back(std::move(row)), row.clear();
    } else if (quoted || c != '\r') {
      cell += c;
    }
  }
  return rows;  // a last line without its end was torn: it is left out
}

// k of "version_k" and of "version_k_old"; -1 for other names.
int64_t version_of(const std::string& name) {
  if (!name.starts_with("version_")) return -1;
  const std::string digits = name.substr(8, name.find('_', 8) - 8);
  const bool number =
      !digits.empty() && digits.size() < 18 &&
      std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c); });
  return number ? std::stoll(digits) : -1;
}

void make_folders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error)
    fail(Fault::world, {"CSVLogger: the folder '", path, "' cannot be made: ", error.message()});
}

}  // namespace

CSVLogger::CSVLogger(std::string save_dir, CSVLoggerOptions options)
    : save_dir_(std::move(save_dir)), options_(std::move(options)) {
  check(options_.version.is_null() || options_.version.is_integer() || options_.version.is_text(),
        {"CSVLogger: a version is an integer or text"});
}
CSVLogger::~CSVLogger() = default;
CSVLogger::CSVLogger(CSVLogger&&) noexcept = default;

std::string CSVLogger::in_root(const std::string& folder) const {
  return (fs::path(save_dir_) / options_.name / folder).string();
}

void CSVLogger::start() {
  if (!log_dir_.empty()) return;  // a second fit goes on in the same folder
  if (options_.version.is_null()) return make_next_version();
  version_ = cell_text(options_.version);
  const std::string name = options_.version.is_integer() ? "version_" + version_ : version_;
  const std::string folder = in_root(name);
  make_folders(folder);
  log_dir_ = folder;
  if (fs::is_empty(folder)) return;
  log_warning({"Experiment logs directory ", folder,
               " exists and is not empty. An old metrics.csv is renamed."});
  for (int n = 1; fs::exists(metrics_path()); ++n) {
    renamed_ = folder + "/metrics_old" + std::to_string(n) + ".csv";
    if (!fs::exists(renamed_)) fs::rename(metrics_path(), renamed_);
  }
}

void CSVLogger::make_next_version() {
  const fs::path parent = fs::path(save_dir_) / options_.name;
  const std::string root = parent.empty() ? "." : parent.string();
  make_folders(root);
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
      fail(Fault::world,
           {"CSVLogger: the folder '", folder, "' cannot be made: ", error.message()});
  }
}

void CSVLogger::log_metrics(const Value::Map& row) {
  check_started();
  widen(row);
  std::vector<std::string> cells(columns_.size());
  for (const auto& [name, value] : row) {
    const auto column = std::lower_bound(columns_.begin(), columns_.end(), name);
    cells[column - columns_.begin()] = cell_text(value);
  }
  append(csv_line(cells));
}

// New columns: the header is written, or the whole file again with the old rows' new cells empty.
void CSVLogger::widen(const Value::Map& row) {
  std::vector<std::string> columns = columns_;
  for (const auto& [name, value] : row)
    if (!std::binary_search(columns.begin(), columns.end(), name))
      columns.insert(std::lower_bound(columns.begin(), columns.end(), name), name);
  if (columns == columns_) return;
  const auto old = written_ ? parsed(read_whole(metrics_path())) : parsed("");
  std::string text = csv_line(columns);
  for (std::size_t i = 1; i < old.size(); ++i) {
    std::vector<std::string> cells(columns.size());
    for (std::size_t k = 0; k < columns_.size() && k < old[i].size(); ++k)
      cells[std::lower_bound(columns.begin(), columns.end(), columns_[k]) - columns.begin()] =
          old[i][k];
    text += csv_line(cells);
  }
  file_.reset();
  write_whole(metrics_path(), text);
  columns_ = std::move(columns);
  written_ = static_cast<int64_t>(text.size());
}

void CSVLogger::append(const std::string& text) {
  if (!file_) file_ = std::make_unique<AppendFile>(metrics_path());
  file_->append(text);
  written_ += static_cast<int64_t>(text.size());
}

void CSVLogger::check_started() const {
  if (log_dir_.empty()) fail(Fault::order, {"CSVLogger: start() must come first"});
}

void CSVLogger::log_hyperparams(const Value& hparams) {
  check_started();
  write_whole(log_dir_ + "/hparams.yaml", to_yaml(hparams));
}

void CSVLogger::save() {
  if (file_) file_->sync();
}

void CSVLogger::finalize(const std::string&) {
  save();
  file_.reset();
}

Value CSVLogger::state_dict() const {
  Value state;
  state["csv_offset"] = written_;
  return state;
}

void CSVLogger::resume(const Value& state, const std::string& old_dir) {
  std::error_code error;
  const bool same_dir = !renamed_.empty() && fs::equivalent(old_dir, log_dir_, error);
  const std::string old_path = same_dir ? renamed_ : old_dir + "/metrics.csv";
  const Value* offset = state.find("csv_offset");
  if (!offset || offset->as_integer() == 0 || !fs::exists(old_path)) return;
  std::string text = read_whole(old_path);
  text.resize(std::min<std::size_t>(text.size(), offset->as_integer()));
  text.resize(text.rfind('\n') + 1);  // what is left of a torn row
  const auto rows = parsed(text);
  if (rows.empty()) fail(Fault::world, {"CSVLogger: '", old_path, "' has no header"});
  if (!std::is_sorted(rows[0].begin(), rows[0].end()))
    fail(Fault::world, {"CSVLogger: '", old_path,
                        "' was not written by a CSVLogger: its columns are not sorted"});
  columns_ = rows[0];
  file_.reset();
  write_whole(metrics_path(), text);
  written_ = static_cast<int64_t>(text.size());
}

}  // namespace levin::inline v0
