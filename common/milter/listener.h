// SPDX-License-Identifier: GPL-2.0-or-later
//
// The socket at which a milter listens.  libmilter opens it and asks for connections;
// what it calls for that comes here (libmilter_io.h).

#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <atomic>
#include <optional>
#include <string>

#include "common/base/file.h"
#include "common/base/unix_socket.h"

namespace mxfeed {

// listen(), poll(), accept() and forget() are for libmilter, and as the system calls of
// these names; the others may be called from another thread meanwhile, one at a time.
class Listener {
 public:
  // A connection that `has_room` denies is closed at once.
  explicit Listener(bool (*has_room)());

  // From now on `fd` is the listening socket.
  int listen(int fd, int backlog);

  // Ends with 0 also when the socket was bound again or closed.  Of a descriptor that is
  // not the listening socket: poll(2).
  int poll(pollfd& watched, int timeout);

  // The new descriptor is closed on exec; one of TCP has no Nagle's algorithm: a milter
  // answers in small writes, and each message would wait for the peer's delayed ACK,
  // 40 ms.  EAGAIN for a connection that was closed for want of room.  When descriptors
  // or memory have run out it fails after a short sleep, since libmilter asks again at
  // once.
  int accept(int fd, sockaddr* address, socklen_t* size);

  // The descriptor is about to be closed.
  void forget(int fd);

  bool is_tcp() const { return tcp_; }

  // From now on keep_reachable() looks after the unix socket; of another one nothing.
  // Call it when the owner and the mode of the socket are what they are to be.
  // Throws Fault if the path does not lead to it.
  void watch_path();

  // If the path of a watched socket was removed, binds a new one there, with the owner
  // and mode of the old one.  Throws Fault if it cannot, or if another file stands there:
  // then no mail server can reach us.
  void keep_reachable();

  // Lets nobody new in.  A watched unix socket loses its path, if that still leads to it;
  // who has connected is still accepted.  A TCP client is refused.  Who connects to a
  // descriptor that the service manager also holds waits for the next process.  Throws
  // Fault.
  void close();

 private:
  struct Place {
    std::string path;
    FileIdentity file;
    uid_t owner;
    gid_t group;
    mode_t mode;
  };
  static std::optional<Place> place_at(const std::string& path);
  void bind_again();
  void wake();

  bool (*const has_room_)();
  const Fd changed_;  // an eventfd that wakes poll()
  std::atomic<int> fd_{-1};
  std::atomic<bool> tcp_{false};
  int backlog_ = 0;
  std::optional<Place> place_;
};

// libmilter has one for the process.
Listener& milter_listener();

}  // namespace mxfeed
