// Files: written whole or not at all, read whole, or grown by whole rows. Everything that the
// library puts on a disk goes through here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace levin::inline v0 {

/// An open file's number; closes it.
struct Descriptor {
  int number = -1;
  explicit Descriptor(int open_file) : number(open_file) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void close();
};

/// Replaces the file, or makes it in a folder that exists. Other programs, and a later one after a
/// crash, see all of the old bytes or all of the new ones: they are written to `<path>.draft` and
/// that is renamed once they are on the disk. Throws std::runtime_error with path and reason; the
/// old file is then whole and no draft is left. One writer at a time for each path.
void write_whole(const std::string& path, std::string_view bytes);

/// The same piece by piece, for what should not stand in memory twice. Destroyed before commit(), it
/// leaves the old file and no draft. Errors as above.
class DraftFile {
 public:
  explicit DraftFile(const std::string& path);
  ~DraftFile();
  DraftFile(const DraftFile&) = delete;
  DraftFile& operator=(const DraftFile&) = delete;

  void append(std::string_view bytes);
  /// Puts all that was appended in the place of the old file.
  void commit();

 private:
  std::string path_, draft_;
  Descriptor file_;
};

/// All bytes of the file. Throws std::runtime_error with path and reason.
std::string read_whole(const std::string& path);

/// Bytes to read from: those of a file, which stay there until they are asked for, or some in
/// memory.
class Source {
 public:
  /// Opens a file. What is no plain file (a pipe) is read whole. Throws std::runtime_error with path
  /// and reason.
  explicit Source(const std::string& path);
  /// `bytes` must outlive it; `name` stands for the path in errors.
  Source(std::string_view bytes, const std::string& name) : name_(name), bytes_(bytes), file_(-1) {}

  const std::string& name() const { return name_; }
  uint64_t size() const { return file_.number < 0 ? bytes_.size() : file_size_; }
  /// Throws std::runtime_error where there are fewer bytes from `at` on, or they cannot be read.
  void read(uint64_t at, void* to, std::size_t count) const;

 private:
  std::string name_, own_;
  std::string_view bytes_;
  Descriptor file_;
  uint64_t file_size_ = 0;
};

/// A log that grows: opened at its end, made where it does not exist. Throws std::runtime_error
/// with path and reason. Not for several threads at once.
class AppendFile {
 public:
  explicit AppendFile(const std::string& path);

  /// Adds whole rows by one write; where that fails the file keeps the rows before.
  void append(std::string_view rows);
  /// Returns once all rows are on the disk.
  void sync();

 private:
  std::string path_;
  Descriptor file_;
  bool dirty_ = false, name_on_disk_ = false;
};

}  // namespace levin::inline v0
