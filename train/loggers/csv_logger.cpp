#include "csv_logger.h"

#include <algorithm>
#include <filesystem>

#include "../../kernels/check.h"
#include "../../tensor/file.h"
#include "../files/text.h"

namespace levin::inline v0 {
namespace {

// Python's csv "excel" dialect: quotes where they are needed, CRLF at the end.
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) line += (&cell == &cells[0] ? "" : ",") + csv_cell(cell);
  return line + "\r\n";
}

std::string cell_text(const Value& value) {
  if (value.is_null()) return "";
  if (value.is_bool()) return value.as_bool() ? "True" : "False";
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

// The header and up to `rows` whole lines below it.
std::string first_lines(const std::string& text, int64_t rows) {
  bool quoted = false;
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size() && rows >= 0; ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == '\n' && !quoted) end = i + 1, --rows;
  }
  return text.substr(0, end);
}

// The old rows that a checkpoint knows; empty where there are none. One without `csv_rows` says bytes.
std::string rows_before(const Value& state, const std::string& path) {
  const Value* rows = state.find("csv_rows");
  if (!rows) return lines_before(state, "csv_offset", path);
  if (rows->as_integer() <= 0 || !std::filesystem::exists(path)) return "";
  const std::string text = first_lines(read_whole(path), rows->as_integer());
  if (text.empty()) fail(Fault::world, {"resume: '", path, "' holds no whole line"});
  return text;
}

}  // namespace

CSVLogger::CSVLogger(std::string save_dir, CSVLoggerOptions options)
    : FileLogger("CSVLogger", std::move(save_dir), std::move(options)) {}

AnyLogger CSVLogger::in_folder(const std::string& folder) const {
  auto [parent, options] = options_for(folder);
  return CSVLogger(std::move(parent), std::move(options));
}

void CSVLogger::start(const std::vector<std::string>& run_folders) {
  if (!log_dir().empty()) return;
  FileLogger::start(run_folders);
  for (const LogTable table : {LogTable::metrics, LogTable::test, LogTable::validate})
    tables_[static_cast<int>(table)].file = LogFile(path_of(table_name(table) + ".csv"));
}

void CSVLogger::write(const Value::Map& row, LogTable which) {
  for (const auto& [name, value] : row)
    check(!value.is_list() && !value.is_map(),
          {"CSVLogger: '", name, "' is a list or a map, a number or text is needed"});
  Table& table = tables_[static_cast<int>(which)];
  table.widen(row);
  std::vector<std::string> cells(table.columns.size());
  for (const auto& [name, value] : row) {
    const auto column = std::lower_bound(table.columns.begin(), table.columns.end(), name);
    cells[column - table.columns.begin()] = cell_text(value);
  }
  table.file.append(csv_line(cells));
  ++table.rows;
}

// New columns: the header is written, or the whole file again with the old rows' new cells empty.
void CSVLogger::Table::widen(const Value::Map& row) {
  std::vector<std::string> wider = columns;
  for (const auto& [name, value] : row)
    if (!std::binary_search(wider.begin(), wider.end(), name))
      wider.insert(std::lower_bound(wider.begin(), wider.end(), name), name);
  if (wider == columns) return;
  const auto old = file.size() > 0 ? parsed(read_whole(file.path())) : parsed("");
  std::string text = csv_line(wider);
  for (std::size_t i = 1; i < old.size(); ++i) {
    std::vector<std::string> cells(wider.size());
    for (std::size_t k = 0; k < columns.size() && k < old[i].size(); ++k)
      cells[std::lower_bound(wider.begin(), wider.end(), columns[k]) - wider.begin()] = old[i][k];
    text += csv_line(cells);
  }
  file.replace(text);
  columns = std::move(wider);
}

void CSVLogger::log_hyperparams(const Value& hparams) {
  check_started();
  write_whole(path_of("hparams.yaml"), to_yaml(hparams));
}

void CSVLogger::save() {
  for (Table& table : tables_) table.file.sync();
}

void CSVLogger::close() {
  for (Table& table : tables_) table.file.close();
}

Value CSVLogger::state_dict() const {
  Value state;
  state["csv_rows"] = tables_[0].rows;
  return state;
}

void CSVLogger::resume(const Value& state, const std::string& old_dir) {
  check_started();
  const std::string old_path = old_dir + "/metrics.csv";
  const std::string text = rows_before(state, old_path);
  tables_[0] = {};
  tables_[0].file = LogFile(path_of("metrics.csv"));
  if (text.empty()) return;
  const auto rows = parsed(text);
  if (rows.empty() || !std::is_sorted(rows[0].begin(), rows[0].end()))
    fail(Fault::world, {"CSVLogger: '", old_path,
                        "' was not written by a CSVLogger: its columns are not sorted"});
  tables_[0].file.begin_with(text);
  tables_[0].columns = rows[0];
  tables_[0].rows = static_cast<int64_t>(rows.size()) - 1;
}

}  // namespace levin::inline v0
