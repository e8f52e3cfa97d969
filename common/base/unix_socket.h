// SPDX-License-Identifier: GPL-2.0-or-later
//
// Unix sockets: addresses, listeners, connections and datagrams.

#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"

namespace mxfeed {

// Where the socket was bound; empty if it is no unix socket with a path.
std::string bound_path(int fd);

class UnixAddress {
 public:
  // "@name" is a name without a file (abstract), as in $NOTIFY_SOCKET.  Throws Fault for
  // a path of more than 107 bytes.
  explicit UnixAddress(const std::filesystem::path& path);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_un address_{};
  socklen_t size_ = 0;
};

// Distinguishes a file from a later one at the same path, even with the same inode number
// (where the file system records the time of birth).
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t born_seconds = 0;
  std::uint32_t born_nanoseconds = 0;
  bool operator==(const FileIdentity&) const = default;

  // The identity of what the path names now, symbolic links not followed; nothing if it
  // cannot be read (errno).
  static std::optional<FileIdentity> of(const std::filesystem::path& path) noexcept;
};

// A listening socket, non-blocking, and its file.
class UnixListener {
 public:
  // Replaces a socket that is left at the path, never another kind of file.  `mode` is in
  // force before the first client can connect.  `type`: SOCK_STREAM or SOCK_SEQPACKET.
  // Throws Fault.
  UnixListener(std::filesystem::path path, int type, ::mode_t mode, int backlog);
  // A socket that the service manager listens on and has handed to us; its file is the
  // manager's to remove and to make anew.  Throws Fault if it is no such socket.
  static UnixListener handed_over(int fd, int type);
  UnixListener(UnixListener&&) = default;
  UnixListener& operator=(UnixListener&&) = default;

  int get() const { return fd_.get(); }
  const std::filesystem::path& path() const { return path_; }

  bool is_handed_over() const noexcept { return handed_over_; }
  // Whether a client that connects to the path still reaches this socket.
  bool is_at_path() const noexcept;
  // Removes the file if it is still ours: a successor's stays.
  void unlink() const noexcept;
  // A client; nothing if no client is waiting, or on an error such as EMFILE (errno).
  Fd accept() const noexcept;

 private:
  explicit UnixListener(Fd fd);

  std::filesystem::path path_;
  Fd fd_;
  std::optional<FileIdentity> file_;
  bool handed_over_ = false;
};

// There is no socket at the path, or its process has ended.
class NobodyListens : public Fault {
 public:
  using Fault::Fault;
};

// Connects.  Nothing if the listener's queue stayed full for `timeout`; later sends on
// the descriptor give up after the same time.  Throws NobodyListens and other Faults,
// which begin with `doing`.
std::optional<Fd> connect_unix(std::string_view doing, const std::filesystem::path& path,
                               int type, std::chrono::milliseconds timeout);

// Whether some process listens at the path.
bool is_listened_at(const std::filesystem::path& path) noexcept;

// Sends all bytes, continuing after short sends and EINTR, without SIGPIPE; false with
// errno set on an error.
bool send_all(int fd, std::string_view bytes);

// One datagram and the descriptors that came with it (SCM_RIGHTS).
struct Datagram {
  std::string bytes;  // empty also at the end of the connection
  std::vector<Fd> descriptors;
  bool is_truncated = false;  // something did not fit, and is lost
};

// Sends one datagram with a descriptor; false with errno set if it cannot.
bool send_with_descriptor(int fd, std::string_view bytes, int passed);
// Receives one of up to `most` bytes and a few descriptors; nothing with errno set if
// there is none.  `flags` as for recvmsg(2).
std::optional<Datagram> receive_datagram(int fd, std::size_t most, int flags = 0);

}  // namespace mxfeed
