// SPDX-License-Identifier: GPL-2.0-or-later
//
// The clients of mxfeed-quarantine: processes of Postfix that deliver by LMTP, on a unix
// socket that only Postfix may use.
//
// Metric: mxfeed_quarantine_clients.

#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/file.h"
#include "common/base/unix_socket.h"
#include "postfix-conf/quarantine/dialog.h"

namespace mxfeed::quarantine {

// Serves them in the poll loop of its owner.  With kMaxClients the next ones wait until
// one leaves.
class Clients {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kMaxClients = 200;
  // Longer than Postfix's lmtp(8) keeps a connection for the next message.
  static constexpr std::chrono::minutes kPatience{10};

  using NewDelivery = std::function<std::unique_ptr<Delivery>()>;

  // `socket`: unix:PATH or fd:NUMBER.  Throws Fault.
  Clients(std::string_view socket, NewDelivery new_delivery);
  ~Clients();

  void watch(std::vector<pollfd>& watched) const;
  // Ignores descriptors that are not its own.
  void on_ready(const pollfd& ready, Instant now);
  // Closes those that have been silent, and binds a socket of our own again if it was
  // removed.
  void on_tick(Instant now);

  // Refuses new clients, and closes those without a message on its way.
  void begin_drain();
  std::size_t receiving() const;

 private:
  struct Client;

  void accept(Instant now);
  bool receive(Client& client, Instant now);
  // Both return false when the client is to be closed.
  bool send(Client& client);

  const std::string socket_;
  const NewDelivery new_delivery_;
  std::optional<UnixListener> listener_;
  std::map<int, std::unique_ptr<Client>> clients_;  // by descriptor
  bool is_draining_ = false;
};

}  // namespace mxfeed::quarantine
