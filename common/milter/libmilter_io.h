// SPDX-License-Identifier: GPL-2.0-or-later
//
// What libmilter reads, writes and waits for.
//
// Our copy of libmilter.a (copy_libmilter.cmake) calls mxfeed_milter_read() and so on
// where libmilter calls read().  Calls from a session's own thread go to the thread's
// SessionIo; nothing else in the process is affected.
//
// libmilter takes each packet with three calls of poll(2) and two of read(2), and a
// message has two packets for each header field.  A session in its own thread may block
// in read(2), so poll(2) is not needed; and all available data is read at once into a
// buffer.

#pragma once

#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include "common/milter/session_loss.h"

namespace mxfeed {

// Checks the packets that libmilter is given: four bytes of length, a command, data.
class PacketWatch {
 public:
  // False if libmilter must not see the end of `bytes`: a packet of no bytes or of too
  // many, or macros ('D') that are not complete pairs of NUL-terminated strings:
  // smfi_getsymval() would read past the list.  Not to be called again after that.
  [[nodiscard]] bool follow(std::span<const char> bytes);

  // Whether a packet has begun and is not complete.
  bool in_packet() const { return head_size_ > 0; }

 private:
  bool begin_packet();
  bool end_packet();

  std::array<unsigned char, 5> head_{};
  std::size_t head_size_ = 0;
  std::size_t left_ = 0;      // of the data
  bool stage_seen_ = false;   // of macros: the first byte, which names a command
  std::size_t strings_ = 0;   // of macros
  bool string_open_ = false;  // of macros: the last string has no NUL yet
};

// How long a session waits for the mail server.
struct SessionTimeouts {
  // For the next packet: libmilter's own default.  Between DATA and the first header
  // field Postfix sends nothing for as long as its client does.
  std::chrono::milliseconds silence = std::chrono::seconds(7210);
  // For the rest of a packet, and for room to write.
  std::chrono::milliseconds packet = std::chrono::seconds(60);
};

// The connection of one session, used by one thread.
class SessionIo {
 public:
  // Borrows the socket `fd`, which blocks; sets its timeouts.
  explicit SessionIo(int fd, SessionTimeouts timeouts = {});

  // Like read(2), but also returns 0 if the mail server did not send in time or sent what
  // libmilter must not see; never fails.  After the first 0 it always returns 0.
  std::size_t read(std::span<char> to);

  // Like writev(2); fails with ETIMEDOUT if the mail server did not read in time.
  ssize_t write(std::span<const iovec> pieces) const;

  // Why read() ended the session; nothing if the mail server ended it.
  std::optional<SessionLoss> loss() const { return loss_; }

  int fd() const { return fd_; }

 private:
  std::size_t receive(std::span<char> to);
  bool wait_for_rest();
  std::size_t end(std::optional<SessionLoss> loss);

  const int fd_;
  const SessionTimeouts timeouts_;
  PacketWatch packets_;
  bool ended_ = false;
  std::optional<SessionLoss> loss_;
  // When the unfinished packet must be whole; set when it is first waited for.
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::size_t begin_ = 0, filled_ = 0;
  std::array<char, 8192> buffer_;  // Postfix writes 4 kB at a time
};

// While this object lives, libmilter's calls in this thread for the descriptor of `io` go
// to `io`.
class ThreadSession {
 public:
  explicit ThreadSession(SessionIo& io);
  ThreadSession(const ThreadSession&) = delete;
  ThreadSession& operator=(const ThreadSession&) = delete;
  ~ThreadSession();
};

// The connection that libmilter accepted last in this thread; -1 before the first.
int last_accepted();

}  // namespace mxfeed
