// SPDX-License-Identifier: GPL-2.0-or-later
//
// Descriptors and whole files.

#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mxfeed {

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// The whole file; nothing if it does not exist.  Throws Fault on any other error, and if
// the file has more than `most` bytes.
std::optional<std::string> read_file(const std::filesystem::path& path,
                                     std::size_t most = std::size_t{1} << 30);

// The same for a regular file only: throws Fault for a directory, a FIFO, a socket or a
// device, without waiting for anything.
std::optional<std::string> read_regular_file(const std::filesystem::path& path,
                                             std::size_t most = std::size_t{1} << 30);

// Replaces the file in one step: temporary file beside it, fsync, rename, fsync of the
// directory.  A crash leaves the old or the new content.
void write_file(const std::filesystem::path& path, std::string_view content,
                unsigned mode = 0644);

// Writes a new file in one step; false, and nothing is changed, if there is something of
// that name, be it a dangling link.  A crash leaves the whole file or none.
bool create_file(const std::filesystem::path& path, std::string_view content,
                 unsigned mode = 0644);

// Like write_file(), for a regular file that exists: its owner, group and mode stay, and
// a symbolic link still points at it.  A hard link keeps the old content.  Two writers at
// once need a lock.  Throws Fault.
void rewrite_file(const std::filesystem::path& path, std::string_view content);

// Locks the file, which is created if necessary, for this process and those that get the
// descriptor; nothing if another process has the lock.  Throws Fault.
std::optional<Fd> lock_file(const std::filesystem::path& path);

// Writes all bytes, continuing after short writes and EINTR; false with errno set on an
// error.
bool write_all(int fd, std::string_view bytes);

// Makes what was created, renamed or removed in the directory survive a crash.  Throws
// Fault.
void sync_directory(const std::filesystem::path& directory);

// Reads the target of a symbolic link; nothing if there is nothing of that name.  Throws
// Fault.
std::optional<std::string> read_link(const std::filesystem::path& path);

// Points the symbolic link at `target` in one step (temporary link, rename).  Throws
// Fault.
void replace_link(const std::filesystem::path& path, const std::string& target);

}  // namespace mxfeed
