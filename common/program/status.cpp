// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/program/status.h"

#include <cerrno>
#include <utility>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

using std::chrono::milliseconds;
using Monotonic = std::chrono::steady_clock;

constexpr std::size_t kMaxCommand = 1024;
constexpr ::mode_t kMode = 0600;
// When the queue is full, a non-blocking client is refused (EAGAIN).
constexpr int kBacklog = 1024;

UnixListener listen_at(const std::filesystem::path& path) {
  return UnixListener(path, SOCK_STREAM, kMode, kBacklog);
}

}  // namespace

StatusServer::StatusServer(std::filesystem::path path, Answer answer)
    : answer_(std::move(answer)), listener_(listen_at(path)) {}

StatusServer::~StatusServer() {
  listener_->unlink();
}

void StatusServer::watch(std::vector<pollfd>& watched) const {
  if (accepts_) watched.push_back({listener_->get(), POLLIN, 0});
  for (const Client& client : clients_) {
    const short events = client.answer.empty() ? POLLIN : POLLOUT;
    watched.push_back({client.fd.get(), events, 0});
  }
}

void StatusServer::on_ready(const pollfd& ready, Instant now) {
  if (ready.fd == listener_->get()) return accept(now);
  for (auto client = clients_.begin(); client != clients_.end(); ++client) {
    if (client->fd.get() != ready.fd) continue;
    if (!serve(*client)) clients_.erase(client);
    return;
  }
}

void StatusServer::accept(Instant now) {
  Fd fd = listener_->accept();
  if (!fd) {
    accepts_ = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    return;
  }
  if (clients_.size() >= kMaxClients) clients_.pop_front();
  clients_.push_back({std::move(fd), now + kPatience, {}, {}});
}

bool StatusServer::serve(Client& client) {
  if (client.answer.empty()) {
    char buffer[kMaxCommand];
    const ssize_t got = ::recv(client.fd.get(), buffer, sizeof buffer, 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    client.command.append(buffer, static_cast<std::size_t>(got));
    const auto end = client.command.find('\n');
    if (end == std::string::npos) return client.command.size() < kMaxCommand;
    try {
      client.answer = answer_(trim(std::string_view(client.command).substr(0, end)));
    } catch (const std::exception& error) {
      log(Severity::warning,
          LogFields().add("event", "status").add("fault", error.what()));
      return false;
    }
  }
  const ssize_t sent = ::send(client.fd.get(), client.answer.data(), client.answer.size(),
                              MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  client.answer.erase(0, static_cast<std::size_t>(sent));
  return !client.answer.empty();
}

void StatusServer::on_tick(Instant now) {
  accepts_ = true;
  while (!clients_.empty() && clients_.front().deadline <= now) clients_.pop_front();
}

void StatusServer::restore() {
  if (listener_->is_at_path() || is_listened_at(listener_->path())) return;
  LogFields fields;
  fields.add("event", "status_socket").add("socket", listener_->path().string());
  try {
    listener_ = listen_at(listener_->path());
    restore_fault_.clear();
    counter("mxfeed_sockets_restored_total", R"(socket="status")").add();
    log(Severity::warning, fields.add("result", "the socket was removed; bound again"));
  } catch (const Fault& fault) {
    if (restore_fault_ == fault.what()) return;
    restore_fault_ = fault.what();
    log(Severity::error, fields.add("fault", fault.what()));
  }
}

std::string ask_status(const std::filesystem::path& path, std::string_view command,
                       milliseconds patience) {
  constexpr std::string_view kDoing = "ask daemon";
  const auto deadline = Monotonic::now() + patience;
  const auto fd = connect_unix(kDoing, path, SOCK_STREAM, patience);
  if (!fd) throw Fault(kDoing, path.string(), "timed out");
  if (!send_all(fd->get(), std::string(command) + "\n")) {
    throw Fault(kDoing, path.string(), errno_text(errno));
  }
  std::string answer;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Monotonic::now());
    pollfd watched{fd->get(), POLLIN, 0};
    const int ready =
        left.count() <= 0 ? 0 : ::poll(&watched, 1, static_cast<int>(left.count()));
    if (ready == 0) throw Fault(kDoing, path.string(), "timed out");
    char buffer[4096];
    const ssize_t got =
        ready < 0 ? -1 : ::recv(fd->get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) throw Fault(kDoing, path.string(), errno_text(errno));
    if (got == 0) return answer;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
}

}  // namespace mxfeed
