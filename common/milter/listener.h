// SPDX-License-Identifier: GPL-2.0-or-later
//
// The socket at which a milter listens.  libmilter opens it and accepts connections; its
// calls for that come here (libmilter_io.h).

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

// listen(), poll() and accept() are for libmilter and behave like the system calls of
// these names; so does forget() for close(2).  The others may be called from another
// thread at the same time, but only one after another.
class Listener {
 public:
  // A connection is closed at once if `has_room` returns false.
  explicit Listener(bool (*has_room)());

  // From now on `fd` is the listening socket.
  int listen(int fd, int backlog);

  // Also returns 0 when the socket was bound again or closed.  For other descriptors it
  // is poll(2).
  int poll(pollfd& watched, int timeout);

  // The new descriptor is close-on-exec.  For TCP, Nagle's algorithm is turned off: a
  // milter answers in small writes, and each message would wait 40 ms for the peer's
  // delayed ACK.  Fails with EAGAIN after closing a connection for which there was no
  // room.  When descriptors or memory have run out, it sleeps briefly before it fails,
  // since libmilter tries again at once.
  int accept(int fd, sockaddr* address, socklen_t* size);

  // The descriptor is about to be closed.
  void forget(int fd);

  bool is_tcp() const { return tcp_; }

  // From now on keep_reachable() watches the unix socket.  Call it when the owner and the
  // mode of the socket are set.  Does nothing for other sockets.  Throws Fault if nothing
  // is at the path.
  void watch_path();

  // If the path of a watched socket was removed, binds a new one there, with the owner
  // and mode of the old one.  Throws Fault if it cannot, or if another file is at the
  // path: then no mail server can reach us.
  void keep_reachable();

  // Refuses new connections.  A watched unix socket is removed from its path, if it is
  // still ours; clients that have already connected are still accepted.  TCP clients are
  // refused.  Clients of a descriptor that the service manager also holds wait for the
  // next process.  Throws Fault.
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

// Throws the Fault for a socket that libmilter could not open (unix:PATH,
// inet:PORT@HOST). libmilter tells the cause to syslog(3) only, so a unix socket is tried
// once more.
[[noreturn]] void fail_to_listen(const std::string& socket);

// The one listener of the process.
Listener& milter_listener();

}  // namespace mxfeed
