// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/policy_clients.h"

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

namespace mxfeed::recipients {
namespace {

constexpr int kBacklog = 1024;
// Postfix's smtpd(8), which a stranger's session might deceive, is neither.
bool may_teach(int client) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

}  // namespace

PolicyClients::PolicyClients(std::string_view socket, OnRequest on_request)
    : socket_(socket),
      on_request_(std::move(on_request)),
      listener_(listen_for_postfix(socket_, kBacklog)) {}

void PolicyClients::watch(std::vector<pollfd>& watched) const {
  if (listener_ && clients_.size() < kMaxClients) {
    watched.push_back({listener_->get(), POLLIN, 0});
  }
  for (const auto& [fd, client] : clients_) {
    // The end of a client that waits is reported by POLLHUP.
    watched.push_back({fd, static_cast<short>(client.waits ? 0 : POLLIN), 0});
  }
}

void PolicyClients::on_ready(const pollfd& ready) {
  if (listener_ && ready.fd == listener_->get()) {
    accept();
    return;
  }
  const auto found = clients_.find(ready.fd);
  if (found == clients_.end()) return;
  Client& client = found->second;
  const bool is_lost =
      client.waits && (ready.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
  if (is_lost || (!client.waits && !receive(client))) close(ready.fd);
}

void PolicyClients::accept() {
  while (clients_.size() < kMaxClients) {
    Fd fd = listener_->accept();
    if (!fd) return;
    const int number = fd.get();
    by_id_.emplace(++last_id_, number);
    const bool teaches = may_teach(number);
    clients_.insert_or_assign(number,
                              Client{last_id_, std::move(fd), teaches, {}, false, false});
    gauge("mxfeed_recipients_clients").set(clients_.size());
  }
}

bool PolicyClients::receive(Client& client) {
  std::array<char, 4096> buffer;
  const auto got = ::recv(client.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  client.received.append(buffer.data(), static_cast<std::size_t>(got));
  return take_requests(client);
}

bool PolicyClients::take_requests(Client& client) {
  while (!client.waits) {
    auto parsed = parse_policy_request(client.received);
    if (parsed.request.request == kDelivered && !client.may_teach) {
      parsed.state = ParsedRequest::State::malformed;
      parsed.problem = "only the superuser may tell of deliveries";
    }
    switch (parsed.state) {
      case ParsedRequest::State::partial:
        return true;
      case ParsedRequest::State::malformed:
        counter("mxfeed_recipients_malformed_total").add();
        log(Severity::warning,
            LogFields().add("event", "malformed-request").add("problem", parsed.problem));
        return false;
      case ParsedRequest::State::whole:
        break;
    }
    client.received.erase(0, parsed.used);
    client.waits = true;
    client.is_asking = true;
    on_request_(client.id, parsed.request);
    client.is_asking = false;
  }
  return true;
}

void PolicyClients::answer(ClientId id, std::string_view reply) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  Client& client = clients_.at(found->second);
  client.waits = false;
  // A reply is short: a client with no room for it does not read.
  const auto sent =
      ::send(client.fd.get(), reply.data(), reply.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  const bool is_sent = sent == static_cast<ssize_t>(reply.size());
  // What came behind the request is taken when it is answered.
  const bool goes_on =
      is_sent && !is_draining_ && (client.is_asking || take_requests(client));
  // The next look at the descriptor finds its end.
  if (!goes_on) ::shutdown(client.fd.get(), SHUT_RDWR);
}

void PolicyClients::close(int fd) {
  const auto found = clients_.find(fd);
  by_id_.erase(found->second.id);
  clients_.erase(found);
  gauge("mxfeed_recipients_clients").set(clients_.size());
}

void PolicyClients::restore() {
  if (listener_) restore_for_postfix(*listener_, socket_, kBacklog, "recipients");
}

void PolicyClients::begin_drain() {
  is_draining_ = true;
  if (listener_) listener_->unlink();
  listener_.reset();
  std::vector<int> idle;
  for (const auto& [fd, client] : clients_) {
    if (!client.waits) idle.push_back(fd);
  }
  for (const int fd : idle) close(fd);
}

std::size_t PolicyClients::waiting() const {
  return static_cast<std::size_t>(
      std::count_if(clients_.begin(), clients_.end(),
                    [](const auto& one) { return one.second.waits; }));
}

}  // namespace mxfeed::recipients
