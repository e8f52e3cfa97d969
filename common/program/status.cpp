// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/program/status.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMaxCommand = 1024;

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.size() >= sizeof address.sun_path) {
    throw Fault("use unix socket", text, "path is too long");
  }
  std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
  return address;
}

void limit_waiting(int fd, int timeout_ms) {
  const timeval limit{timeout_ms / 1000, (timeout_ms % 1000) * 1000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
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

}  // namespace

StatusServer::StatusServer(std::filesystem::path path, Answer answer)
    : path_(std::move(path)), answer_(std::move(answer)) {
  const sockaddr_un address = address_of(path_);
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct stat found {};
  if (::lstat(path_.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) {
    ::unlink(path_.c_str());
  }
  // The mode is in force before the first client can connect.
  if (!listener_ || ::fchmod(listener_.get(), 0600) != 0 ||
      ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address),
             sizeof address) != 0 ||
      ::chmod(path_.c_str(), 0600) != 0 || ::listen(listener_.get(), 16) != 0) {
    throw Fault("listen for status", path_.string(), errno_text(errno));
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw Fault("listen for status", path_.string(), errno_text(errno));
  }
  stop_read_.reset(ends[0]);
  stop_write_.reset(ends[1]);
  thread_ = std::thread([this] { serve(); });
}

StatusServer::~StatusServer() {
  stop_write_.reset();
  thread_.join();
  ::unlink(path_.c_str());
}

void StatusServer::serve() {
  for (;;) {
    pollfd watched[2] = {{listener_.get(), POLLIN, 0}, {stop_read_.get(), POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0 && errno != EINTR) return;
    if (watched[1].revents != 0) return;
    if (watched[0].revents == 0) continue;
    const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) {
      ::poll(nullptr, 0, 100);  // out of descriptors: do not spin
      continue;
    }
    try {
      serve_client(client.get());
    } catch (const std::exception& error) {
      log(Severity::warning,
          LogFields().add("event", "status").add("fault", error.what()));
    }
  }
}

void StatusServer::serve_client(int client) const {
  limit_waiting(client, 2000);
  std::string command;
  char buffer[256];
  while (command.find('\n') == std::string::npos && command.size() < kMaxCommand) {
    const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    command.append(buffer, static_cast<std::size_t>(got));
  }
  const auto end = command.find('\n');
  if (end == std::string::npos) return;
  send_all(client, answer_(trim(std::string_view(command).substr(0, end))));
}

std::string ask_status(const std::filesystem::path& path, std::string_view command,
                       int timeout_ms) {
  const sockaddr_un address = address_of(path);
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw Fault("ask daemon", path.string(), errno_text(errno));
  limit_waiting(fd.get(), timeout_ms);
  const std::string line = std::string(command) + "\n";
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
          0 ||
      !send_all(fd.get(), line)) {
    throw Fault("ask daemon", path.string(), errno_text(errno));
  }
  std::string answer;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Fault("ask daemon", path.string(),
                  errno == EAGAIN ? "no answer in time" : errno_text(errno));
    }
    if (got == 0) return answer;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
}

}  // namespace mxfeed
