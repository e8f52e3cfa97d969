// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/milter/session_loss.h"
#include "common/milter/session_threads.h"

namespace mxfeed {
namespace {

constexpr int kPauseMilliseconds = 50;

bool is_out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE;
}
bool is_out_of_memory(int error) {
  return error == ENOMEM || error == ENOBUFS;
}

}  // namespace

Listener::Listener(bool (*has_room)())
    : has_room_(has_room), changed_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

int Listener::listen(int fd, int backlog) {
  if (::listen(fd, backlog) != 0) return -1;
  int family = AF_UNSPEC;
  socklen_t size = sizeof family;
  ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
  tcp_ = family == AF_INET || family == AF_INET6;
  backlog_ = backlog;
  fd_ = fd;
  return 0;
}

int Listener::poll(pollfd& watched, int timeout) {
  if (watched.fd != fd_) return ::poll(&watched, 1, timeout);
  pollfd both[2] = {watched, {changed_.get(), POLLIN, 0}};
  const int ready = ::poll(both, 2, timeout);
  if (ready <= 0) return ready;
  if (both[1].revents != 0) {
    std::uint64_t times = 0;
    [[maybe_unused]] const auto got = ::read(changed_.get(), &times, sizeof times);
    return 0;
  }
  watched.revents = both[0].revents;
  return 1;
}

int Listener::accept(int fd, sockaddr* address, socklen_t* size) {
  const int accepted = ::accept4(fd, address, size, SOCK_CLOEXEC);
  if (accepted < 0) {
    const int error = errno;
    if (is_out_of_descriptors(error) || is_out_of_memory(error)) {
      report(is_out_of_memory(error) ? SessionLoss::memory : SessionLoss::descriptors,
             error);
      ::poll(nullptr, 0, kPauseMilliseconds);
      errno = error;
    }
    return -1;
  }
  if (!has_room_()) {
    report(SessionLoss::limit);
    ::close(accepted);
    errno = EAGAIN;
    return -1;
  }
  if (tcp_) {
    const int on = 1;
    ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return accepted;
}

void Listener::forget(int fd) {
  int listening = fd;
  fd_.compare_exchange_strong(listening, -1);
}

std::optional<Listener::Place> Listener::place_at(const std::string& path) {
  struct stat found {};
  const auto file = FileIdentity::of(path);
  if (!file || ::lstat(path.c_str(), &found) != 0) return std::nullopt;
  return Place{path, *file, found.st_uid, found.st_gid, found.st_mode & 07777};
}

void Listener::watch_path() {
  const std::string path = bound_path(fd_);
  if (path.empty()) return;
  place_ = place_at(path);
  if (!place_) throw Fault("listen for Postfix", path, errno_text(errno));
}

void Listener::keep_reachable() {
  if (!place_ || fd_ < 0) return;
  if (const auto found = FileIdentity::of(place_->path)) {
    if (*found == place_->file) return;
    throw Fault("listen for Postfix", place_->path,
                "another file has taken the place of our socket");
  }
  // After other errors we cannot tell whether the socket is there, nor bind it again.
  if (errno != ENOENT && errno != ENOTDIR) return;
  bind_again();
  counter("mxfeed_sockets_restored_total", R"(socket="milter")").add();
  log(Severity::warning, LogFields()
                             .add("event", "listen")
                             .add("socket", place_->path)
                             .add("fault", "the socket was removed; bound again"));
}

void Listener::bind_again() {
  const std::string path = place_->path;
  const UnixAddress address(path);
  const auto must = [&](bool done) {
    if (!done) throw Fault("listen for Postfix", path, errno_text(errno));
  };
  const Fd fresh(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  must(static_cast<bool>(fresh));
  // The mode of an unbound socket becomes the mode of the file that bind() creates.
  must(::fchmod(fresh.get(), place_->mode) == 0);
  must(::bind(fresh.get(), address.get(), address.size()) == 0);
  must(::chown(path.c_str(), place_->owner, place_->group) == 0);
  must(::chmod(path.c_str(), place_->mode) == 0);  // whatever the umask
  must(::listen(fresh.get(), backlog_) == 0);
  must(::dup3(fresh.get(), fd_, O_CLOEXEC) >= 0);
  wake();
  place_ = place_at(path);
  must(place_.has_value());
}

void Listener::close() {
  const int fd = fd_;
  if (fd < 0) return;
  if (place_) {
    if (FileIdentity::of(place_->path) == place_->file) ::unlink(place_->path.c_str());
    place_.reset();
    return;
  }
  // libmilter goes on polling this descriptor, so it becomes one that is never ready.
  const Fd silent(::eventfd(0, EFD_CLOEXEC));
  if (!silent || ::dup3(silent.get(), fd, O_CLOEXEC) < 0) {
    throw Fault("close listener", "milter", errno_text(errno));
  }
  wake();
}

void Listener::wake() {
  const std::uint64_t once = 1;
  [[maybe_unused]] const auto written = ::write(changed_.get(), &once, sizeof once);
}

void fail_to_listen(const std::string& socket) {
  for (const std::string_view prefix : {"unix:", "local:"}) {
    if (!socket.starts_with(prefix)) continue;
    UnixListener(socket.substr(prefix.size()), SOCK_STREAM, 0600, 1).unlink();
  }
  throw Fault("listen for Postfix", socket,
              "libmilter could not open it, the system log has the cause");
}

Listener& milter_listener() {
  // Never destroyed: threads of libmilter use it until the process ends.
  static auto* const listener = new Listener(has_room_for_session);
  return *listener;
}

}  // namespace mxfeed
