// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "common/base/fault.h"

namespace mxfeed {

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

namespace {

std::string read_all(const Fd& fd, const std::filesystem::path& path, std::size_t most) {
  std::string content;
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0 && status.st_size > 0) {
    content.reserve(static_cast<std::size_t>(status.st_size) + 1);
  }
  constexpr std::size_t kStep = 64 * 1024;
  for (;;) {
    const std::size_t have = content.size();
    content.resize(have + kStep);
    const ssize_t got = ::read(fd.get(), content.data() + have, kStep);
    content.resize(have + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0) return content;
    if (got < 0 && errno != EINTR) throw Fault("read", path.string(), errno_text(errno));
    if (content.size() > most) {
      throw Fault("read", path.string(),
                  "larger than " + std::to_string(most) + " bytes");
    }
  }
}

}  // namespace

std::optional<std::string> read_file(const std::filesystem::path& path,
                                     std::size_t most) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd) return read_all(fd, path, most);
  if (errno == ENOENT) return std::nullopt;
  throw Fault("open", path.string(), errno_text(errno));
}

std::optional<std::string> read_regular_file(const std::filesystem::path& path,
                                             std::size_t most) {
  const auto refuse = [&] { throw Fault("open", path.string(), "not a regular file"); };
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;
    if (errno == ENXIO) refuse();  // a socket, open(2)
    throw Fault("open", path.string(), errno_text(errno));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    throw Fault("open", path.string(), errno_text(errno));
  }
  if (!S_ISREG(status.st_mode)) refuse();
  return read_all(fd, path, most);
}

std::optional<Fd> lock_file(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) throw Fault("lock", path.string(), errno_text(errno));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) throw Fault("lock", path.string(), errno_text(errno));
  return std::nullopt;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void sync_directory(const std::filesystem::path& directory) {
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    throw Fault("sync directory", directory.string(), errno_text(errno));
  }
}

void write_file(const std::filesystem::path& path, std::string_view content,
                unsigned mode) {
  std::string temporary = path.string() + ".XXXXXX";
  const Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) throw Fault("create", temporary, errno_text(errno));
  if (!write_all(fd.get(), content) || ::fchmod(fd.get(), mode) != 0 ||
      ::fsync(fd.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    throw Fault("write", path.string(), errno_text(error));
  }
  sync_directory(path.has_parent_path() ? path.parent_path() : ".");
}

bool create_file(const std::filesystem::path& path, std::string_view content,
                 unsigned mode) {
  std::string temporary = path.string() + ".XXXXXX";
  const Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) throw Fault("create", temporary, errno_text(errno));
  const bool is_written = write_all(fd.get(), content) && ::fchmod(fd.get(), mode) == 0 &&
                          ::fsync(fd.get()) == 0;
  // link(2) never replaces anything.
  const bool is_linked = is_written && ::link(temporary.c_str(), path.c_str()) == 0;
  const int error = errno;
  ::unlink(temporary.c_str());
  if (!is_linked && is_written && error == EEXIST) return false;
  if (!is_linked) throw Fault("write", path.string(), errno_text(error));
  sync_directory(path.has_parent_path() ? path.parent_path() : ".");
  return true;
}

void rewrite_file(const std::filesystem::path& path, std::string_view content) {
  std::error_code missing;
  const auto target = std::filesystem::canonical(path, missing);
  if (missing) throw Fault("open", path.string(), missing.message());
  struct stat status {};
  if (::stat(target.c_str(), &status) != 0) {
    throw Fault("open", path.string(), errno_text(errno));
  }
  if (!S_ISREG(status.st_mode)) throw Fault("open", path.string(), "not a regular file");
  // One name: what a crash leaves behind is used up by the next run.
  const std::string temporary = target.string() + ".mxfeed-new";
  ::unlink(temporary.c_str());
  const Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) throw Fault("create", temporary, errno_text(errno));
  if (!write_all(fd.get(), content) ||
      ::fchown(fd.get(), status.st_uid, status.st_gid) != 0 ||
      ::fchmod(fd.get(), status.st_mode & 07777) != 0 || ::fsync(fd.get()) != 0 ||
      ::rename(temporary.c_str(), target.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    throw Fault("write", path.string(), errno_text(error));
  }
  sync_directory(target.parent_path());
}

std::optional<std::string> read_link(const std::filesystem::path& path) {
  std::error_code error;
  auto target = std::filesystem::read_symlink(path, error);
  if (error == std::errc::no_such_file_or_directory) return std::nullopt;
  if (error) throw Fault("read link", path.string(), error.message());
  return target.string();
}

void replace_link(const std::filesystem::path& path, const std::string& target) {
  const std::string temporary = path.string() + ".new";
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    throw Fault("point link", path.string(), errno_text(error));
  }
  sync_directory(path.parent_path());
}

}  // namespace mxfeed
