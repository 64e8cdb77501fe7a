#include "file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "../kernels/check.h"

namespace levin::inline v0 {
namespace {

[[noreturn]] void fail_with_errno(const char* operation, const std::string& path) {
  // Not strerror: its text belongs to the whole process.
  const std::string reason = std::generic_category().message(errno);
  fail(Fault::world, {operation, " ", path, ": ", reason});
}

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

// A new name is on the disk only once its folder is.
bool sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor file{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (file.number < 0) return false;
  return ::fsync(file.number) == 0 || errno == EINVAL;  // EINVAL: a file system without it
}

}  // namespace

void Descriptor::close() {
  if (number >= 0) ::close(number);
  number = -1;
}

DraftFile::DraftFile(const std::string& path)
    : path_(path),
      draft_(path + ".draft"),
      file_(::open(draft_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (file_.number < 0) fail_with_errno("writing", path_);
  struct stat status = {};
  if (::stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode) &&
      !S_ISDIR(status.st_mode)) {  // a folder: rename says so
    ::unlink(draft_.c_str());
    fail(Fault::world, {"writing ", path_, ": it is no regular file"});
  }
}

DraftFile::~DraftFile() {
  file_.close();
  if (!draft_.empty()) ::unlink(draft_.c_str());
}

void DraftFile::append(std::string_view bytes) {
  if (!write_all(file_.number, bytes)) fail_with_errno("writing", path_);
}

void DraftFile::commit() {
  if (::fsync(file_.number) != 0 || ::rename(draft_.c_str(), path_.c_str()) != 0)
    fail_with_errno("writing", path_);
  draft_.clear();
  if (!sync_folder_of(path_)) fail_with_errno("writing the folder of", path_);
}

void write_whole(const std::string& path, std::string_view bytes) {
  DraftFile file(path);
  file.append(bytes);
  file.commit();
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

Source::Source(const std::string& path)
    : name_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status = {};
  if (file_.number < 0 || ::fstat(file_.number, &status) != 0) fail_with_errno("reading", path);
  file_size_ = static_cast<uint64_t>(status.st_size);
  if (S_ISREG(status.st_mode)) return;
  file_.close();
  own_ = read_whole(path);
  bytes_ = own_;
}

void Source::read(uint64_t at, void* to, std::size_t count) const {
  const auto fail_short = [&] { fail(Fault::world, {"reading ", name_, ": it ends too early"}); };
  if (at > size() || count > size() - at) fail_short();
  if (file_.number < 0) {
    if (count > 0) std::memcpy(to, bytes_.data() + at, count);
    return;
  }
  for (auto* next = static_cast<char*>(to); count > 0;) {
    const ssize_t got = ::pread(file_.number, next, count, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with_errno("reading", name_);
    if (got == 0) fail_short();  // somebody has cut it meanwhile
    next += got;
    at += static_cast<uint64_t>(got);
    count -= static_cast<std::size_t>(got);
  }
}

AppendFile::AppendFile(const std::string& path)
    : path_(path), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  if (file_.number < 0) fail_with_errno("opening", path);
}

void AppendFile::append(std::string_view rows) {
  const off_t end = ::lseek(file_.number, 0, SEEK_END);
  dirty_ = true;
  if (write_all(file_.number, rows)) return;
  const int reason = errno;
  const bool cut = end >= 0 && ::ftruncate(file_.number, end) == 0;
  errno = reason;
  fail_with_errno(cut ? "appending to" : "appending to (and a torn row stays in)", path_);
}

void AppendFile::sync() {
  if (dirty_ && ::fsync(file_.number) != 0) fail_with_errno("writing", path_);
  if (!name_on_disk_ && !sync_folder_of(path_)) fail_with_errno("writing the folder of", path_);
  dirty_ = false;
  name_on_disk_ = true;
}

}  // namespace levin::inline v0
