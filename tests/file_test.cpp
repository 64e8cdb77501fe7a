#include <gtest/gtest.h>
#include <levin/tensor/file.h>

#include "full_disk.h"
#include "scratch.h"

namespace levin {
namespace {

namespace fs = std::filesystem;

std::string write_error(const std::string& path, const std::string& bytes) {
  return error_of<std::runtime_error>([&] { write_whole(path, bytes); });
}

int files_in(const Scratch& folder) {
  return static_cast<int>(
      std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

TEST(WriteWhole, MakesAndReplaces) {
  const Scratch folder;
  const std::string path = folder / "a.bin", binary("a\0b\r\n\xff", 6);
  write_whole(path, binary);
  EXPECT_EQ(read_whole(path), binary);
  write_whole(path, "");
  EXPECT_EQ(read_whole(path), "");
  const std::string large(3 << 20, 'x');
  write_whole(path, large);
  EXPECT_EQ(read_whole(path), large);
  EXPECT_EQ(files_in(folder), 1);
}

TEST(WriteWhole, ReplacesADraftThatACrashLeft) {
  const Scratch folder;
  write_whole(folder / "a.json.draft", "a torn draft that is longer than the file");
  write_whole(folder / "a.json", "{}");
  EXPECT_EQ(read_whole(folder / "a.json"), "{}");
  EXPECT_EQ(files_in(folder), 1);
}

TEST(WriteWhole, InTheWorkingFolder) {
  const Scratch folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_whole("plain", "1");
  fs::current_path(before);
  EXPECT_EQ(read_whole(folder / "plain"), "1");
}

TEST(WriteWhole, FailsWithPathAndReason) {
  const Scratch folder;
  EXPECT_EQ(write_error(folder / "none/a", "1"),
            "writing " + (folder / "none/a") + ": No such file or directory");
  write_whole(folder / "file", "1");
  EXPECT_EQ(write_error(folder / "file/a", "1"),
            "writing " + (folder / "file/a") + ": Not a directory");
}

TEST(WriteWhole, FailedRenameRemovesTheDraft) {
  const Scratch folder;
  fs::create_directory(folder / "target");
  EXPECT_EQ(write_error(folder / "target", "1"),
            "writing " + (folder / "target") + ": Is a directory");
  EXPECT_EQ(files_in(folder), 1);
}

TEST(WriteWhole, FullDiskKeepsTheOldFile) {
  const Scratch folder;
  const std::string path = folder / "a";
  write_whole(path, "old");
  fs::create_symlink("/dev/full", path + ".draft");
  EXPECT_EQ(write_error(path, "new"), "writing " + path + ": No space left on device");
  EXPECT_EQ(read_whole(path), "old");
  EXPECT_EQ(files_in(folder), 1);
}

TEST(WriteWhole, FullAfterAPartKeepsTheOldFile) {
  const Scratch folder;
  const std::string path = folder / "a";
  write_whole(path, "old");
  std::string error;
  {
    const FullDisk disk(1000);
    error = write_error(path, std::string(5000, 'x'));
  }
  EXPECT_EQ(error, "writing " + path + ": File too large");
  EXPECT_EQ(read_whole(path), "old");
  EXPECT_EQ(files_in(folder), 1);
}

TEST(DraftFile, AppearsByCommitOnly) {
  const Scratch folder;
  const std::string path = folder / "a";
  write_whole(path, "old");
  {
    DraftFile file(path);
    file.append("half");
    EXPECT_EQ(read_whole(path), "old");
  }
  EXPECT_EQ(files_in(folder), 1);
  {
    DraftFile file(path);
    file.append("wh");
    file.append("ole");
    EXPECT_EQ(read_whole(path), "old");
    file.commit();
  }
  EXPECT_EQ(read_whole(path), "whole");
  EXPECT_EQ(files_in(folder), 1);
}

TEST(Source, ReadsPiecesOfFilesAndMemory) {
  const Scratch folder;
  const std::string bytes = "0123456789";
  write_whole(folder / "a", bytes);
  const Source file(folder / "a"), memory(bytes, "memory");
  for (const Source* source : {&file, &memory}) {
    std::string piece(3, '\0');
    EXPECT_EQ(source->size(), 10u);
    source->read(7, piece.data(), 3);
    EXPECT_EQ(piece, "789");
    source->read(10, nullptr, 0);
    for (const auto& [at, count] : {std::pair{8u, 3u}, {11u, 0u}, {0u, 11u}})
      EXPECT_EQ(error_of<std::runtime_error>(
                    [&, at = at, count = count] { source->read(at, piece.data(), count); }),
                "reading " + source->name() + ": it ends too early");
  }
  fs::resize_file(folder / "a", 5);  // after it was opened
  std::string piece(8, '\0');
  EXPECT_EQ(error_of<std::runtime_error>([&] { file.read(0, piece.data(), 8); }),
            "reading " + (folder / "a") + ": it ends too early");
}

TEST(Source, WhatIsNoPlainFileIsReadWhole) {
  EXPECT_EQ(Source("/dev/null").size(), 0u);
  const Scratch folder;
  EXPECT_EQ(error_of<std::runtime_error>([&] { Source file(folder / "none"); }),
            "reading " + (folder / "none") + ": No such file or directory");
  EXPECT_EQ(error_of<std::runtime_error>([&] { Source file(folder.path()); }),
            "reading " + folder.path() + ": Is a directory");
}

TEST(ReadWhole, WhatSaysNoSize) {
  EXPECT_NE(read_whole("/proc/self/status").find("VmRSS"), std::string::npos);
  EXPECT_EQ(read_whole("/dev/null"), "");
}

TEST(ReadWhole, FailsWithPathAndReason) {
  const Scratch folder;
  EXPECT_EQ(error_of<std::runtime_error>([&] { read_whole(folder / "none"); }),
            "reading " + (folder / "none") + ": No such file or directory");
  EXPECT_EQ(error_of<std::runtime_error>([&] { read_whole(folder.path()); }),
            "reading " + folder.path() + ": Is a directory");
}

TEST(AppendFile, GoesOnAtTheEnd) {
  const Scratch folder;
  {
    AppendFile file(folder / "log");
    file.append("1\n");
    file.append("2\n");
    file.sync();
  }
  AppendFile(folder / "log").append("3\n");
  EXPECT_EQ(read_whole(folder / "log"), "1\n2\n3\n");
}

TEST(AppendFile, FailureKeepsTheRowsBefore) {
  const Scratch folder;
  AppendFile file(folder / "log");
  file.append("whole\n");
  std::string error;
  {
    const FullDisk disk(1000);
    error = error_of<std::runtime_error>([&] { file.append(std::string(5000, 'x') + "\n"); });
  }
  EXPECT_EQ(error, "appending to " + (folder / "log") + ": File too large");
  file.append("next\n");
  EXPECT_EQ(read_whole(folder / "log"), "whole\nnext\n");
}

TEST(AppendFile, FailsWithPathAndReason) {
  const Scratch folder;
  EXPECT_EQ(error_of<std::runtime_error>([&] { AppendFile file(folder / "none/log"); }),
            "opening " + (folder / "none/log") + ": No such file or directory");
  AppendFile full("/dev/full");
  EXPECT_NE(error_of<std::runtime_error>([&] {
              full.append("1\n");
            }).find("/dev/full: No space left on device"),
            std::string::npos);
}

}  // namespace
}  // namespace levin
