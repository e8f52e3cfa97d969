// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/unix_socket.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

namespace mxfeed {
namespace {

using std::chrono::milliseconds;
using Monotonic = std::chrono::steady_clock;

void limit_sending(int fd, milliseconds limit) {
  // Zero would mean for ever.
  const auto micros = std::max<long long>(1, limit.count()) * 1000;
  const timeval value{micros / 1'000'000, micros % 1'000'000};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof value);
}

}  // namespace

std::string bound_path(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      address.sun_family != AF_UNIX || size <= offsetof(sockaddr_un, sun_path)) {
    return {};
  }
  const std::size_t most = size - offsetof(sockaddr_un, sun_path);
  return {address.sun_path, ::strnlen(address.sun_path, most)};
}

UnixAddress::UnixAddress(const std::filesystem::path& path) {
  address_.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.empty() || text.size() >= sizeof address_.sun_path) {
    throw Fault("use unix socket", text,
                text.empty() ? "the path is empty" : "the path is longer than 107 bytes");
  }
  std::memcpy(address_.sun_path, text.data(), text.size());
  const bool is_abstract = text.front() == '@';
  if (is_abstract) address_.sun_path[0] = '\0';
  size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() +
                                 (is_abstract ? 0 : 1));
}

std::optional<FileIdentity> FileIdentity::of(const std::filesystem::path& path) noexcept {
  struct statx found {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME,
              &found) != 0) {
    return std::nullopt;
  }
  FileIdentity identity;
  identity.device =
      static_cast<std::uint64_t>(found.stx_dev_major) << 32 | found.stx_dev_minor;
  identity.inode = found.stx_ino;
  if ((found.stx_mask & STATX_BTIME) != 0) {
    identity.born_seconds = found.stx_btime.tv_sec;
    identity.born_nanoseconds = found.stx_btime.tv_nsec;
  }
  return identity;
}

UnixListener::UnixListener(std::filesystem::path path, int type, ::mode_t mode,
                           int backlog)
    : path_(std::move(path)) {
  const UnixAddress address(path_);
  fd_.reset(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  struct stat found {};
  if (::lstat(path_.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) {
    ::unlink(path_.c_str());
  }
  // bind(2) gives the file the socket's mode, less the umask.
  if (!fd_ || ::fchmod(fd_.get(), mode) != 0 ||
      ::bind(fd_.get(), address.get(), address.size()) != 0 ||
      ::chmod(path_.c_str(), mode) != 0 || ::listen(fd_.get(), backlog) != 0) {
    throw Fault("listen", path_.string(), errno_text(errno));
  }
  file_ = FileIdentity::of(path_);
}

UnixListener UnixListener::handed_over(int fd, int type) {
  const auto option = [fd](int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  };
  const std::string name = "fd:" + std::to_string(fd);
  if (option(SO_DOMAIN) != AF_UNIX || option(SO_TYPE) != type ||
      option(SO_ACCEPTCONN) != 1) {
    throw Fault("listen", name, "no listening unix socket of the right type");
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || flags < 0 ||
      ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    throw Fault("listen", name, errno_text(errno));
  }
  return UnixListener(Fd(fd));
}

UnixListener::UnixListener(Fd fd)
    : path_(bound_path(fd.get())),
      fd_(std::move(fd)),
      file_(FileIdentity::of(path_)),
      handed_over_(true) {}

bool UnixListener::is_at_path() const noexcept {
  return file_ && FileIdentity::of(path_) == file_;
}

void UnixListener::unlink() const noexcept {
  if (!handed_over_ && is_at_path()) ::unlink(path_.c_str());
}

Fd UnixListener::accept() const noexcept {
  return Fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

std::optional<Fd> connect_unix(std::string_view doing, const std::filesystem::path& path,
                               int type, milliseconds timeout) {
  const UnixAddress address(path);
  const auto deadline = Monotonic::now() + timeout;
  Fd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!fd) throw Fault(doing, path.string(), errno_text(errno));
  limit_sending(fd.get(), timeout);
  while (::connect(fd.get(), address.get(), address.size()) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) {
      throw NobodyListens(doing, path.string(), errno_text(errno));
    }
    if (errno != EINTR && errno != EAGAIN) {
      throw Fault(doing, path.string(), errno_text(errno));
    }
    if (errno == EAGAIN || Monotonic::now() >= deadline) return std::nullopt;
  }
  return fd;
}

bool is_listened_at(const std::filesystem::path& path) noexcept {
  try {
    const UnixAddress address(path);
    const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // A full queue and a socket of another type show that someone listens, too.
    return ::connect(fd.get(), address.get(), address.size()) == 0 || errno == EAGAIN ||
           errno == EPROTOTYPE;
  } catch (const std::exception&) {
    return false;
  }
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool send_with_descriptor(int fd, std::string_view bytes, int passed) {
  iovec content{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &content;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* const rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &passed, sizeof passed);
  ssize_t sent;
  do {
    sent = ::sendmsg(fd, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(bytes.size());
}

std::optional<Datagram> receive_datagram(int fd, std::size_t most, int flags) {
  constexpr std::size_t kMostDescriptors = 4;
  Datagram datagram;
  datagram.bytes.resize(most);
  iovec content{datagram.bytes.data(), most};
  alignas(cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))];
  msghdr header{};
  header.msg_iov = &content;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t got;
  do {
    got = ::recvmsg(fd, &header, flags | MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return std::nullopt;
  datagram.bytes.resize(static_cast<std::size_t>(got));
  datagram.is_truncated = (header.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0;
  for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr;
       at = CMSG_NXTHDR(&header, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= at->cmsg_len; ++i) {
      int descriptor;
      std::memcpy(&descriptor, CMSG_DATA(at) + i * sizeof descriptor, sizeof descriptor);
      datagram.descriptors.emplace_back(descriptor);
    }
  }
  return datagram;
}

}  // namespace mxfeed
