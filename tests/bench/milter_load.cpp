// SPDX-License-Identifier: GPL-2.0-or-later
//
// Drives a milter without a mail server in between, over many connections at once, and
// prints one line of JSON: transactions a second, and what the waits for its answers were
// (negotiation, one recipient, end of message), in milliseconds.
//
//   milter_load PATH SESSIONS TRANSACTIONS [together]
//
// PATH is the milter's unix socket; TRANSACTIONS are for each session.  With "together"
// all sessions enter their ends of message at one moment, which shows whether sessions
// wait for one another.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

using Clock = std::chrono::steady_clock;

// What is not sent (SMFIP_NO*) and not answered (SMFIP_NR_*).
constexpr std::uint32_t kNoMail = 0x4, kNoRcpt = 0x8, kNoBody = 0x10, kNoHeaders = 0x20,
                        kNoEndOfHeader = 0x40, kNoData = 0x200, kNrHeader = 0x80,
                        kNrConnect = 0x1000, kNrMail = 0x4000, kNrRcpt = 0x8000,
                        kNrData = 0x10000, kNrEndOfHeader = 0x40000, kNrBody = 0x80000,
                        kNoConnect = 0x1;
constexpr std::uint32_t kVersion = 6, kAllActions = 0x1FF, kAllSteps = 0x1FFFFF;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string number(std::uint32_t value) {
  const std::uint32_t order = htonl(value);
  return {reinterpret_cast<const char*>(&order), sizeof order};
}

class Session {
 public:
  explicit Session(const std::string& path) {
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

  // Up to the end of the message; returns how long the recipient's answer took.
  double begin() {
    step('M', std::string("<a@sender.example>\0", 19), kNoMail, kNrMail);
    const auto start = Clock::now();
    step('R', std::string("<b@acme.example>\0", 17), kNoRcpt, kNrRcpt);
    const double took = milliseconds_since(start);
    over_ = step('T', "", kNoData, kNrData) == 'a';
    return took;
  }
  void content() {
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
    send('A', "");
    return took;
  }

 private:
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

double percentile(const std::vector<double>& sorted, double share) {
  return sorted.empty()
             ? 0
             : sorted[static_cast<std::size_t>(share * double(sorted.size() - 1))];
}

int run(const std::string& path, unsigned sessions, unsigned transactions,
        bool together) {
  std::mutex mutex;
  std::vector<double> open, rcpt, end;
  std::string trouble;
  std::barrier barrier(sessions);
  std::vector<std::thread> threads;
  const auto start = Clock::now();
  for (unsigned i = 0; i < sessions; ++i) {
    threads.emplace_back([&] {
      std::vector<double> my_rcpt, my_end;
      double my_open = 0;
      try {
        const auto opened = Clock::now();
        Session session(path);
        my_open = milliseconds_since(opened);
        for (unsigned n = 0; n < transactions; ++n) {
          my_rcpt.push_back(session.begin());
          session.content();
          if (together) barrier.arrive_and_wait();
          my_end.push_back(session.end());
        }
      } catch (const Fault& fault) {
        const std::lock_guard lock(mutex);
        trouble = fault.what();
      }
      if (together) barrier.arrive_and_drop();
      const std::lock_guard lock(mutex);
      open.push_back(my_open);
      rcpt.insert(rcpt.end(), my_rcpt.begin(), my_rcpt.end());
      end.insert(end.end(), my_end.begin(), my_end.end());
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = milliseconds_since(start) / 1000;
  if (!trouble.empty()) {
    fmt::print(stderr, "milter_load: {}\n", trouble);
    return 1;
  }
  std::ranges::sort(open);
  std::ranges::sort(rcpt);
  std::ranges::sort(end);
  const auto spread = [](std::string_view name, const std::vector<double>& sorted) {
    return fmt::format("\"{0}_p50\": {1:.3f}, \"{0}_p99\": {2:.3f}, \"{0}_max\": {3:.3f}",
                       name, percentile(sorted, 0.5), percentile(sorted, 0.99),
                       percentile(sorted, 1));
  };
  fmt::print("{{\"per_second\": {:.0f}, {}, {}, {}}}\n", double(end.size()) / seconds,
             spread("open", open), spread("rcpt", rcpt), spread("end", end));
  return 0;
}

}  // namespace
}  // namespace mxfeed

int main(int argc, char** argv) {
  const auto sessions = argc > 2 ? mxfeed::parse_unsigned(argv[2]) : std::nullopt;
  const auto transactions = argc > 3 ? mxfeed::parse_unsigned(argv[3]) : std::nullopt;
  const bool together = argc == 5 && std::string_view(argv[4]) == "together";
  if (!sessions || !transactions || argc > 5 || (argc == 5 && !together)) {
    fmt::print(stderr, "usage: milter_load PATH SESSIONS TRANSACTIONS [together]\n");
    return 2;
  }
  return mxfeed::run(argv[1], static_cast<unsigned>(*sessions),
                     static_cast<unsigned>(*transactions), together);
}
