// SPDX-License-Identifier: GPL-2.0-or-later
//
// What libmilter reads, writes and waits for.
//
// Our copy of libmilter.a (copy_libmilter.cmake) calls mxfeed_milter_read() and so on
// where libmilter calls read().  Those of a session's own thread come here, to the
// thread's SessionIo; nothing else in the process is affected.
//
// libmilter takes each packet with three calls of poll(2) and two of read(2), and a
// message has two packets for each header field.  In a thread of its own a session may
// block in read(2), so poll(2) is not needed; and what has come is read at once and given
// out of a buffer.

#pragma once

#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include "common/milter/session_loss.h"

namespace mxfeed {

// Follows the packets that libmilter is given: four bytes of length, a command, data.
class PacketWatch {
 public:
  // False if libmilter must not see the end of `bytes`: a packet of no or of too many
  // bytes, or macros ('D') that are not whole pairs of strings, each with its NUL:
  // smfi_getsymval() would read past the list.  Ask no more after that.
  [[nodiscard]] bool follow(std::span<const char> bytes);

  // Whether a packet has begun and not ended.
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
  // For a packet: libmilter's own default.  Postfix is silent between DATA and the first
  // header field for as long as its client is.
  std::chrono::milliseconds silence = std::chrono::seconds(7210);
  // For the rest of a packet, and for room to write.
  std::chrono::milliseconds packet = std::chrono::seconds(60);
};

// The connection of one session.  Used by one thread.
class SessionIo {
 public:
  // Borrows the socket `fd`, which blocks; sets its timeouts.
  explicit SessionIo(int fd, SessionTimeouts timeouts = {});

  // As read(2), but 0 also if the mail server did not send in time or sent what libmilter
  // must not see; never fails.  After 0 it is always 0.
  std::size_t read(std::span<char> to);

  // As writev(2); ETIMEDOUT if there was no room in time.
  ssize_t write(std::span<const iovec> pieces) const;

  // Why read() ended it, if the mail server did not.
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

// While it lives, libmilter's calls in this thread for the descriptor of `io` go to `io`.
class ThreadSession {
 public:
  explicit ThreadSession(SessionIo& io);
  ThreadSession(const ThreadSession&) = delete;
  ThreadSession& operator=(const ThreadSession&) = delete;
  ~ThreadSession();
};

// The connection that libmilter accepted last in this thread, -1 before the first.
int last_accepted();

}  // namespace mxfeed
