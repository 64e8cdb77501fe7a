#include "jsonl_logger.h"

#include "../../tensor/file.h"
#include "../files/text.h"

namespace levin::inline v0 {

JsonLinesLogger::JsonLinesLogger(std::string save_dir, JsonLinesLoggerOptions options)
    : FileLogger("JsonLinesLogger", std::move(save_dir), std::move(options)) {}

AnyLogger JsonLinesLogger::in_folder(const std::string& folder) const {
  auto [parent, options] = options_for(folder);
  return JsonLinesLogger(std::move(parent), std::move(options));
}

void JsonLinesLogger::start(const std::vector<std::string>& run_folders) {
  if (!log_dir().empty()) return;
  FileLogger::start(run_folders);
  for (const LogTable table : {LogTable::metrics, LogTable::test, LogTable::validate})
    tables_[static_cast<int>(table)] = LogFile(path_of(table_name(table) + ".jsonl"));
}

void JsonLinesLogger::write(const Value::Map& row, LogTable table) {
  tables_[static_cast<int>(table)].append(to_json(row, -1, NonFinite::null) + "\n");
}

void JsonLinesLogger::log_hyperparams(const Value& hparams) {
  check_started();
  const Value map = hparams.is_null() ? Value(Value::Map()) : hparams;
  write_whole(path_of("hparams.json"), to_json(map, 4, NonFinite::null) + "\n");
}

void JsonLinesLogger::save() {
  for (LogFile& table : tables_) table.sync();
}

void JsonLinesLogger::close() {
  for (LogFile& table : tables_) table.close();
}

Value JsonLinesLogger::state_dict() const {
  Value state;
  state["jsonl_offset"] = tables_[0].size();
  return state;
}

void JsonLinesLogger::resume(const Value& state, const std::string& old_dir) {
  check_started();
  const std::string rows = lines_before(state, "jsonl_offset", old_dir + "/metrics.jsonl");
  tables_[0] = LogFile(path_of("metrics.jsonl"));
  if (!rows.empty()) tables_[0].begin_with(rows);
}

}  // namespace levin::inline v0
