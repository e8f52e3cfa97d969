// SPDX-License-Identifier: GPL-2.0-or-later
//
// The status socket of a daemon: a unix stream socket, mode 0600, at
// <state>/<daemon>/status.sock.  A client sends one command as a line and reads the
// answer until the end of the stream:
//   status   lines "key: value" (StatusSnapshot); at least program, version, pid, state
//            and generation
//   metrics  the Prometheus text format
//   reload   reloads now, then answers as status does
// An unknown command is answered "error: ...".

#pragma once

#include <poll.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/file.h"
#include "common/base/unix_socket.h"

namespace mxfeed {

// Serves up to kMaxClients clients at a time in the poll loop of its owner; none waits
// for another.  A client has kPatience to send its command and read the answer.  When
// there are too many, the oldest is closed.
class StatusServer {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kMaxClients = 32;
  static constexpr std::chrono::seconds kPatience{5};

  // Answers a command (without its line end).
  using Answer = std::function<std::string(std::string_view command)>;

  // Listens at once; replaces a socket left at the path.  Throws Fault.
  StatusServer(std::filesystem::path path, Answer answer);
  ~StatusServer();  // removes the socket, unless another process has replaced it
  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;

  // Adds the descriptors to poll.
  void watch(std::vector<pollfd>& watched) const;
  // Serves a descriptor that is ready; ignores those of others.
  void on_ready(const pollfd& ready, Instant now);
  // To be called about once a second.  Closes clients that have timed out.
  void on_tick(Instant now);
  // Binds the socket again if it was removed, or replaced by one at which nobody listens;
  // logged and counted.
  void restore();

 private:
  struct Client {
    Fd fd;
    Instant deadline;
    std::string command;  // until the line is complete
    std::string answer;   // what is still to be sent
  };

  void accept(Instant now);
  // False when the client is to be closed.
  bool serve(Client& client);

  Answer answer_;
  std::optional<UnixListener> listener_;
  std::list<Client> clients_;  // oldest first
  bool accepts_ = true;        // false until the next tick: out of descriptors
  std::string restore_fault_;  // logged once
};

// Asks the daemon that listens at `path`.  Throws Fault if the complete answer does not
// arrive within `patience`, NobodyListens if no daemon listens.
std::string ask_status(const std::filesystem::path& path, std::string_view command,
                       std::chrono::milliseconds patience = std::chrono::seconds(5));

}  // namespace mxfeed
