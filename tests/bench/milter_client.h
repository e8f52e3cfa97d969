// SPDX-License-Identifier: GPL-2.0-or-later
//
// The mail server's side of the milter protocol for programs that measure: what a milter
// negotiated away is not sent, and no answer is awaited that it does not give.

#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"

namespace mxfeed::bench {

using Clock = std::chrono::steady_clock;

inline double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Of values in order.
inline double percentile(const std::vector<double>& sorted, double share) {
  return sorted.empty()
             ? 0
             : sorted[static_cast<std::size_t>(share * double(sorted.size() - 1))];
}

// One SMTP connection.  All throw Fault.
class MilterClient {
 public:
  // Connects to the unix socket, negotiates, and tells of a client.
  explicit MilterClient(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
      throw Fault("connect to milter", path, "path is too long");
    }
    std::memcpy(address.sun_path, path.c_str(), path.size());
    fd_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) != 0) {
      throw Fault("connect to milter", path, errno_text(errno));
    }
    send('O', number(kVersion) + number(kAllActions) + number(kAllSteps));
    const std::string answer = receive();
    if (answer.size() < 13 || answer[0] != 'O') {
      throw Fault("negotiate", path, "no options in the answer");
    }
    std::uint32_t steps = 0;
    std::memcpy(&steps, &answer[9], sizeof steps);
    steps_ = ntohl(steps);
    step('C',
         std::string("[198.51.100.7]\0004\x9C\x40", 18) +
             std::string("198.51.100.7\0", 13),
         kNoConnect, kNrConnect);
  }

  void mail() { step('M', std::string("<a@sender.example>\0", 19), kNoMail, kNrMail); }
  // How long the answer took.
  double recipient(const std::string& address) {
    const auto start = Clock::now();
    step('R', '<' + address + '>' + '\0', kNoRcpt, kNrRcpt);
    return milliseconds_since(start);
  }
  // Up to the end of the message.
  void content() {
    over_ = step('T', "", kNoData, kNrData) == 'a';
    if (over_) return;
    for (int i = 0; i < 10; ++i) {
      step('L', std::string("X-Field\0 some value of usual length\0", 36), kNoHeaders,
           kNrHeader);
    }
    step('N', "", kNoEndOfHeader, kNrEndOfHeader);
    step('B', std::string(4000, 'x'), kNoBody, kNrBody);
  }
  // How long the answer to the end of the message took.
  double end() {
    const auto start = Clock::now();
    if (!over_) step('E', "", 0, 0);
    const double took = milliseconds_since(start);
    abort();
    return took;
  }
  void abort() { send('A', ""); }

 private:
  // What is not sent (SMFIP_NO*) and not answered (SMFIP_NR_*).
  static constexpr std::uint32_t kNoMail = 0x4, kNoRcpt = 0x8, kNoBody = 0x10,
                                 kNoHeaders = 0x20, kNoEndOfHeader = 0x40,
                                 kNoData = 0x200, kNrHeader = 0x80, kNrConnect = 0x1000,
                                 kNrMail = 0x4000, kNrRcpt = 0x8000, kNrData = 0x10000,
                                 kNrEndOfHeader = 0x40000, kNrBody = 0x80000,
                                 kNoConnect = 0x1;
  static constexpr std::uint32_t kVersion = 6, kAllActions = 0x1FF, kAllSteps = 0x1FFFFF;

  static std::string number(std::uint32_t value) {
    const std::uint32_t order = htonl(value);
    return {reinterpret_cast<const char*>(&order), sizeof order};
  }

  // Sends the command and returns the answer, 'c' where none is due.
  char step(char command, const std::string& data, std::uint32_t skipped,
            std::uint32_t unanswered) {
    if ((steps_ & skipped) != 0) return 'c';
    send(command, data);
    if ((steps_ & unanswered) != 0) return 'c';
    for (;;) {
      const std::string answer = receive();
      const char kind = answer[0];
      if (std::strchr("acdrtys", kind) != nullptr) return kind;  // else an edit, progress
    }
  }

  void send(char command, const std::string& data) {
    const auto length = static_cast<std::uint32_t>(data.size() + 1);
    if (!write_all(fd_.get(), number(length) + command + data)) {
      throw Fault("send to milter", "socket", errno_text(errno));
    }
  }

  std::string receive() {
    std::uint32_t length = 0;
    read_whole(reinterpret_cast<char*>(&length), sizeof length);
    std::string packet(ntohl(length), '\0');
    read_whole(packet.data(), packet.size());
    return packet;
  }

  void read_whole(char* to, std::size_t size) {
    while (size > 0) {
      const ssize_t got = ::read(fd_.get(), to, size);
      if (got <= 0) throw Fault("read from milter", "socket", "it closed the connection");
      to += got;
      size -= static_cast<std::size_t>(got);
    }
  }

  Fd fd_;
  std::uint32_t steps_ = 0;
  bool over_ = false;  // the milter has seen enough of this message
};

}  // namespace mxfeed::bench
