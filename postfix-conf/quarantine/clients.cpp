// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/quarantine/clients.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/text.h"
#include "common/program/postfix_listener.h"

namespace mxfeed::quarantine {
namespace {

constexpr int kBacklog = 128;
constexpr std::size_t kPiece = 64 * 1024;
// A client that reads no replies may not ask for more.
constexpr std::size_t kMaxUnread = 256 * 1024;
std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

}  // namespace

struct Clients::Client {
  Client(Fd socket, std::unique_ptr<Delivery> to, Instant now)
      : fd(std::move(socket)),
        delivery(std::move(to)),
        dialog(*delivery, host_name()),
        seen(now) {}

  Fd fd;
  std::unique_ptr<Delivery> delivery;
  Dialog dialog;
  Instant seen;        // when it last sent or took something
  std::string unsent;  // replies
};

Clients::Clients(std::string_view socket, NewDelivery new_delivery)
    : socket_(socket),
      new_delivery_(std::move(new_delivery)),
      listener_(listen_for_postfix(socket_, kBacklog)) {}

Clients::~Clients() = default;

void Clients::watch(std::vector<pollfd>& watched) const {
  if (listener_ && clients_.size() < kMaxClients) {
    watched.push_back({listener_->get(), POLLIN, 0});
  }
  for (const auto& [fd, client] : clients_) {
    const bool waits = client->unsent.size() > kMaxUnread || client->dialog.is_over();
    const int wanted = (waits ? 0 : POLLIN) | (client->unsent.empty() ? 0 : POLLOUT);
    watched.push_back({fd, static_cast<short>(wanted), 0});
  }
}

void Clients::on_ready(const pollfd& ready, Instant now) {
  if (listener_ && ready.fd == listener_->get()) return accept(now);
  const auto found = clients_.find(ready.fd);
  if (found == clients_.end()) return;
  Client& client = *found->second;
  bool stays = true;
  if ((ready.revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0) {
    stays = receive(client, now);
  }
  if (stays) stays = send(client);
  if (!stays) clients_.erase(found);
  gauge("mxfeed_quarantine_clients").set(clients_.size());
}

void Clients::accept(Instant now) {
  while (clients_.size() < kMaxClients) {
    Fd fd = listener_->accept();
    if (!fd) return;
    const int number = fd.get();
    auto client = std::make_unique<Client>(std::move(fd), new_delivery_(), now);
    client->unsent = client->dialog.take_replies();
    if (send(*client)) clients_.insert_or_assign(number, std::move(client));
    gauge("mxfeed_quarantine_clients").set(clients_.size());
  }
}

bool Clients::receive(Client& client, Instant now) {
  std::array<char, kPiece> buffer;
  const auto got = ::recv(client.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  client.seen = now;
  client.dialog.feed({buffer.data(), static_cast<std::size_t>(got)});
  client.unsent += client.dialog.take_replies();
  return true;
}

bool Clients::send(Client& client) {
  if (!client.unsent.empty()) {
    const auto sent = ::send(client.fd.get(), client.unsent.data(), client.unsent.size(),
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent > 0) client.unsent.erase(0, static_cast<std::size_t>(sent));
  }
  const bool is_done =
      client.dialog.is_over() || (is_draining_ && !client.dialog.is_receiving());
  return !(client.unsent.empty() && is_done);
}

void Clients::on_tick(Instant now) {
  std::erase_if(clients_,
                [&](const auto& one) { return now - one.second->seen > kPatience; });
  if (listener_) restore_for_postfix(*listener_, socket_, kBacklog, "quarantine");
}

void Clients::begin_drain() {
  is_draining_ = true;
  if (listener_ && !listener_->is_handed_over()) listener_->unlink();
  listener_.reset();
  std::erase_if(clients_,
                [](const auto& one) { return !one.second->dialog.is_receiving(); });
}

std::size_t Clients::receiving() const {
  return static_cast<std::size_t>(
      std::count_if(clients_.begin(), clients_.end(), [](const auto& one) {
        return one.second->dialog.is_receiving() || !one.second->unsent.empty();
      }));
}

}  // namespace mxfeed::quarantine
