#include "file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "../kernels/check.h"

namespace levin::inline v0 {
namespace {

[[noreturn]] void fail_with_errno(const char* operation, const std::string& path) {
  // Not strerror: its text belongs to the whole process.
  const std::string reason = std::generic_category().message(errno);
  fail(Fault::world, {operation, " ", path, ": ", reason});
}

// Closes itself.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

// False with errno set where not all bytes could be written.
bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool write_draft(const std::string& draft, std::string_view bytes) {
  const Descriptor file{::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  return file.number >= 0 && write_all(file.number, bytes) && ::fsync(file.number) == 0;
}

// A new name is on the disk only once its folder is.
bool sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor file{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (file.number < 0) return false;
  return ::fsync(file.number) == 0 || errno == EINVAL;  // EINVAL: a file system without it
}

}  // namespace

void write_whole(const std::string& path, std::string_view bytes) {
  const std::string draft = path + ".draft";
  if (!write_draft(draft, bytes) || ::rename(draft.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(draft.c_str());
    errno = reason;
    fail_with_errno("writing", path);
  }
  if (!sync_folder_of(path)) fail_with_errno("writing the folder of", path);
}

std::string read_whole(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status = {};
  if (file.number < 0 || ::fstat(file.number, &status) != 0) fail_with_errno("reading", path);
  // The size is a guess only: devices and pipes say 0, and a file may grow meanwhile.
  std::string bytes(static_cast<std::size_t>(status.st_size) + 1, '\0');
  for (std::size_t size = 0;;) {
    if (size == bytes.size()) bytes.resize(size + 65536);
    const ssize_t got = ::read(file.number, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with_errno("reading", path);
    size += static_cast<std::size_t>(got);
    if (got > 0) continue;
    bytes.resize(size);
    return bytes;
  }
}

AppendFile::AppendFile(const std::string& path)
    : path_(path),
      descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) fail_with_errno("opening", path);
}

AppendFile::~AppendFile() { ::close(descriptor_); }

void AppendFile::append(std::string_view rows) {
  const off_t end = ::lseek(descriptor_, 0, SEEK_END);
  dirty_ = true;
  if (write_all(descriptor_, rows)) return;
  const int reason = errno;
  const bool cut = end >= 0 && ::ftruncate(descriptor_, end) == 0;
  errno = reason;
  fail_with_errno(cut ? "appending to" : "appending to (and a torn row stays in)", path_);
}

void AppendFile::sync() {
  if (dirty_ && ::fsync(descriptor_) != 0) fail_with_errno("writing", path_);
  if (!name_on_disk_ && !sync_folder_of(path_)) fail_with_errno("writing the folder of", path_);
  dirty_ = false;
  name_on_disk_ = true;
}

}  // namespace levin::inline v0
