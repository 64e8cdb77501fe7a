// Are all files of a run whole? For tests of runs that are killed, or that find no room on the disk.
#pragma once

#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/loggers/event_file.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace levin {

// A PNG's chunks follow each other up to the last, which ends the file.
inline bool is_whole_png(const std::string& bytes) {
  if (!bytes.starts_with("\x89PNG\r\n\x1a\n")) return false;
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    std::size_t size = 0;
    for (int i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(bytes[at + i]);
    const bool last = bytes.compare(at + 4, 4, "IEND") == 0;
    at += 12 + size;
    if (last) return at == bytes.size();
  }
  return false;
}

// Rows have as many cells as the header and an end, and each epoch's row comes once.
inline bool is_whole_csv(const std::string& bytes) {
  if (!bytes.ends_with("\r\n")) return false;
  const auto commas = [](const std::string& row) {
    return std::count(row.begin(), row.end(), ',');
  };
  const std::string header = bytes.substr(0, bytes.find('\r'));
  const auto cell = [](std::string row, std::ptrdiff_t number) {
    for (; number > 0; --number) row.erase(0, row.find(',') + 1);
    return row.substr(0, row.find(','));
  };
  const auto column = [&](const std::string& name) {
    const std::size_t at = ("," + header + ",").find("," + name + ",");
    return at == std::string::npos ? -1 : commas(header.substr(0, at));
  };
  std::set<std::string> epochs;
  for (std::size_t at = header.size() + 2; at < bytes.size();) {
    const std::size_t end = bytes.find("\r\n", at);
    const std::string row = bytes.substr(at, end - at);
    if (commas(row) != commas(header)) return false;
    const bool of_epoch = column("loss") >= 0 && !cell(row, column("loss")).empty();
    if (of_epoch && !epochs.insert(cell(row, column("epoch"))).second) return false;
    at = end + 2;
  }
  return true;
}

inline bool are_whole_json_lines(const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = bytes.find('\n', at);
    if (end == std::string::npos || !nlohmann::json::accept(bytes.substr(at, end - at)))
      return false;
    at = end + 1;
  }
  return true;
}

inline bool is_whole(const std::filesystem::path& path) {
  const std::string kind = path.extension().string();
  if (kind == ".draft") return true;  // of a writer that was killed: no reader takes it for a file
  const std::string bytes = read_whole(path.string());
  if (kind == ".json") return nlohmann::json::accept(bytes);
  if (kind == ".jsonl") return are_whole_json_lines(bytes);
  if (kind == ".csv") return is_whole_csv(bytes);
  if (kind == ".png") return is_whole_png(bytes);
  if (kind == ".html") return bytes.ends_with("</html>\n");
  if (kind == ".yaml") return bytes.ends_with("\n");
  if (path.filename().string().starts_with("events.")) return whole_records(bytes) == bytes;
  if (kind != ".ckpt") return false;    // nothing else belongs into a run's folder
  load_checkpoint_file(path.string());  // checks its sum
  return true;
}

// What is wrong with the files below `folder`, "" for nothing; counts them.
inline std::string torn_file(const std::string& folder, int* count) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    ++*count;
    try {
      if (!is_whole(entry.path())) return entry.path().string() + " is torn";
    } catch (const std::exception& error) {
      return error.what();
    }
  }
  return "";
}

}  // namespace levin
