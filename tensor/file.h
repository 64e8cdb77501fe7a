// Files: written whole or not at all, read whole, or grown by whole rows. Everything that the
// library puts on a disk goes through here.
#pragma once

#include <string>
#include <string_view>

namespace levin::inline v0 {

/// Replaces the file, or makes it in a folder that exists. Other programs, and a later one after a
/// crash, see all of the old bytes or all of the new ones: they are written to `<path>.draft` and
/// that is renamed once they are on the disk. Throws std::runtime_error with path and reason; the
/// old file is then whole and no draft is left. One writer at a time for each path.
void write_whole(const std::string& path, std::string_view bytes);

/// All bytes of the file. Throws std::runtime_error with path and reason.
std::string read_whole(const std::string& path);

/// A log that grows: opened at its end, made where it does not exist. Throws std::runtime_error
/// with path and reason. Not for several threads at once.
class AppendFile {
 public:
  explicit AppendFile(const std::string& path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// Adds whole rows by one write; where that fails the file keeps the rows before.
  void append(std::string_view rows);
  /// Returns once all rows are on the disk.
  void sync();

 private:
  std::string path_;
  int descriptor_;
  bool dirty_ = false, name_on_disk_ = false;
};

}  // namespace levin::inline v0
