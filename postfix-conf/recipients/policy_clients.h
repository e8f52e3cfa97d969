// SPDX-License-Identifier: GPL-2.0-or-later
//
// The clients of mxfeed-recipients: processes of Postfix that send requests and wait for
// the answer (policy_request.h), on a unix socket.
//
// Metrics: mxfeed_recipients_clients, mxfeed_recipients_malformed_total.

#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/file.h"
#include "common/base/unix_socket.h"
#include "postfix-conf/recipients/policy_request.h"

namespace mxfeed::recipients {

// Serves them in the poll loop of its owner; none waits for another.  With kMaxClients
// the next ones wait until one leaves.  Only the superuser and the user that we run as
// may say what was delivered (kDelivered): others are closed, as for malformed requests.
class PolicyClients {
 public:
  static constexpr std::size_t kMaxClients = 2000;

  using ClientId = std::uint64_t;  // never used twice
  // A request that is to be answered by answer(), in this call or later.
  using OnRequest = std::function<void(ClientId, const PolicyRequest&)>;

  // `socket`: unix:PATH or fd:NUMBER.  Throws Fault.
  PolicyClients(std::string_view socket, OnRequest on_request);

  void watch(std::vector<pollfd>& watched) const;
  // Ignores descriptors that are not its own.
  void on_ready(const pollfd& ready);

  // Sends a reply to a request; nothing happens if the client has gone.
  void answer(ClientId client, std::string_view reply);

  // Binds a socket of our own again if it was removed.
  void restore();
  // Refuses new clients, and closes those that wait for nothing.
  void begin_drain();
  std::size_t waiting() const;

 private:
  struct Client {
    ClientId id = 0;
    Fd fd;
    bool may_teach = false;
    std::string received;
    bool waits = false;      // for the answer
    bool is_asking = false;  // its request is being handed to on_request
  };

  void accept();
  // False when the client is to be closed.
  bool receive(Client& client);
  // Takes requests until one is not answered at once; false if one is malformed.
  bool take_requests(Client& client);
  void close(int fd);

  const std::string socket_;
  const OnRequest on_request_;
  std::optional<UnixListener> listener_;
  std::map<int, Client> clients_;  // by descriptor
  std::map<ClientId, int> by_id_;
  ClientId last_id_ = 0;
  bool is_draining_ = false;
};

}  // namespace mxfeed::recipients
