// SPDX-License-Identifier: GPL-2.0-or-later
//
// Sends real mails, each made unique, over many SMTP sessions at once and prints one
// line of JSON: messages a second, latency of a whole transaction (connect to the final
// reply) and how many were not accepted.
//
//   smtp_load HOST:PORT SESSIONS MESSAGES RECIPIENT FILE-LIST [proxy] [seed=N]
//   [clients=N] [rate=N] [fresh]
//
// FILE-LIST names a file with one mail file a line.  With "proxy" each connection begins
// with a PROXY line (smtpd_upstream_proxy_protocol=haproxy) for the address of a client.
// Each client has a /24 network and a sender of its own, so it is a row of its own to a
// greylist; all clients are known after a run of as many messages.  With "fresh" each
// message is short and has a sender and a text of its own, which no greylist knows.  With
// "rate" so many mails are due each second, and latency counts from when a mail was due:
// one that waits for a free session is as late as its sender sees it.  One connection a
// mail.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

using Clock = std::chrono::steady_clock;

struct Load {
  sockaddr_in server{};
  unsigned sessions = 1;
  unsigned messages = 1;
  std::string recipient;
  std::vector<std::string> mails;  // in SMTP form: CRLF, dots doubled, no final dot
  bool proxy = false;
  unsigned seed = 0;
  unsigned clients = 200;
  unsigned rate = 0;  // mails a second; 0: as fast as can be
  bool fresh = false;
};

// The networks of 198.18.0.0/15, for benchmarks (RFC 2544).
constexpr unsigned kMaxClients = 512;

struct Tally {
  std::vector<double> milliseconds;  // of all mails
  unsigned refused = 0;              // any reply but 2xx, or a lost connection
  std::string example;               // one such reply
};

// A mail file of the corpus as SMTP carries it (RFC 5321, 4.5.2).
std::string smtp_form(std::string_view text) {
  if (text.starts_with("From "))
    text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  std::string form;
  form.reserve(text.size() + text.size() / 32);
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.starts_with('.')) form += '.';
    for (const char c : line) {
      if (c != '\r' && c != '\0') form += c;
    }
    form += "\r\n";
  }
  return form;
}

class Client {
 public:
  explicit Client(const sockaddr_in& server)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    open_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&server),
                      sizeof server) == 0;
  }

  bool say(std::string_view text) { return open_ && write_all(socket_.get(), text); }

  // The code of the next reply, 0 if the connection is lost; its last line is last().
  int reply() {
    for (;;) {
      for (std::size_t end; (end = input_.find("\r\n")) != std::string::npos;) {
        last_ = input_.substr(0, end);
        input_.erase(0, end + 2);
        if (last_.size() < 4 || last_[3] == ' ') return std::atoi(last_.c_str());
      }
      char buffer[2048];
      const ssize_t got = open_ ? ::recv(socket_.get(), buffer, sizeof buffer, 0) : 0;
      if (got <= 0) return 0;
      input_.append(buffer, static_cast<std::size_t>(got));
    }
  }
  bool ask(std::string_view command, int want) { return say(command) && reply() == want; }
  const std::string& last() const { return last_; }

 private:
  Fd socket_;
  bool open_ = false;
  std::string input_, last_;
};

// A word for each number below 26 to the power of `length`: a sender of letters only,
// because a greylist takes digits in an address for a serial number.
std::string word_for(unsigned number, int length = 3) {
  std::string word;
  for (int i = 0; i < length; ++i, number /= 26) {
    word += static_cast<char>('a' + number % 26);
  }
  return word;
}

// True if the mail was accepted.
bool send_one(Client& client, const Load& load, unsigned number) {
  const unsigned who = (number + load.seed) % load.clients;
  if (load.proxy &&
      !client.say(fmt::format("PROXY TCP4 198.{}.{}.25 127.0.0.1 40000 25\r\n",
                              18 + who / 256, who % 256))) {
    return false;
  }
  const std::string domain = load.fresh ? word_for(number + load.seed, 6) : word_for(who);
  return client.reply() == 220 && client.ask("EHLO load.example\r\n", 250) &&
         client.ask(fmt::format("MAIL FROM:<news@{}.example>\r\n", domain), 250) &&
         client.ask(fmt::format("RCPT TO:<{}>\r\n", load.recipient), 250) &&
         client.ask("DATA\r\n", 354) &&
         client.say(fmt::format("X-Load-Id: {}-{}\r\n", load.seed, number)) &&
         client.say(load.fresh ? "Subject: new\r\n\r\n"
                               : load.mails[number % load.mails.size()]) &&
         client.ask(fmt::format("{}-{}\r\n.\r\n", load.seed, number), 250);
}

void run_session(const Load& load, Clock::time_point start, std::atomic<unsigned>& next,
                 Tally& tally) {
  for (unsigned number; (number = next++) < load.messages;) {
    auto begin = Clock::now();
    if (load.rate > 0) {
      begin = start +
              std::chrono::microseconds(std::uint64_t{1'000'000} * number / load.rate);
      std::this_thread::sleep_until(begin);
    }
    Client client(load.server);
    if (!send_one(client, load, number)) {
      tally.refused += 1;
      tally.example = client.last();
    }
    tally.milliseconds.push_back(
        std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    client.say("QUIT\r\n");
  }
}

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

int run(const Load& load) {
  std::atomic<unsigned> next{0};
  std::vector<Tally> tallies(load.sessions);
  const auto begin = Clock::now();
  std::vector<std::thread> threads;
  for (Tally& tally : tallies)
    threads.emplace_back(run_session, std::cref(load), begin, std::ref(next),
                         std::ref(tally));
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  Tally all;
  for (const Tally& tally : tallies) {
    all.milliseconds.insert(all.milliseconds.end(), tally.milliseconds.begin(),
                            tally.milliseconds.end());
    all.refused += tally.refused;
    if (!tally.example.empty()) all.example = tally.example;
  }
  std::sort(all.milliseconds.begin(), all.milliseconds.end());
  fmt::print(
      R"({{"accepted": {}, "refused": {}, "seconds": {:.3f}, "per_second": {:.1f}, )"
      R"("p50_ms": {:.3f}, "p99_ms": {:.3f}, "max_ms": {:.3f}, "example": "{}"}})"
      "\n",
      all.milliseconds.size() - all.refused, all.refused, seconds,
      static_cast<double>(all.milliseconds.size()) / seconds,
      percentile(all.milliseconds, 0.5), percentile(all.milliseconds, 0.99),
      percentile(all.milliseconds, 1.0), escape_untrusted(all.example));
  return 0;
}

std::optional<unsigned> number_after(std::string_view key, std::string_view word) {
  if (!word.starts_with(key)) return std::nullopt;
  const auto number = parse_unsigned(word.substr(key.size()));
  if (!number) return std::nullopt;
  return static_cast<unsigned>(*number);
}

std::optional<Load> parse(int argc, char** argv) {
  if (argc < 6) return std::nullopt;
  Load load;
  const std::string_view server = argv[1];
  const auto colon = server.rfind(':');
  const auto port =
      colon == server.npos ? std::nullopt : parse_unsigned(server.substr(colon + 1));
  const auto sessions = parse_unsigned(argv[2]);
  const auto messages = parse_unsigned(argv[3]);
  load.server.sin_family = AF_INET;
  if (!port || !sessions || !messages || *sessions == 0 ||
      ::inet_pton(AF_INET, std::string(server.substr(0, colon)).c_str(),
                  &load.server.sin_addr) != 1) {
    return std::nullopt;
  }
  load.server.sin_port = htons(static_cast<std::uint16_t>(*port));
  load.sessions = static_cast<unsigned>(*sessions);
  load.messages = static_cast<unsigned>(*messages);
  load.recipient = argv[4];
  std::ifstream list(argv[5]);
  for (std::string path; std::getline(list, path);) {
    if (const auto text = read_file(path)) load.mails.push_back(smtp_form(*text));
  }
  for (int i = 6; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "proxy") {
      load.proxy = true;
    } else if (word == "fresh") {
      load.fresh = true;
    } else if (const auto seed = number_after("seed=", word)) {
      load.seed = *seed;
    } else if (const auto clients = number_after("clients=", word);
               clients && *clients > 0 && *clients <= kMaxClients) {
      load.clients = *clients;
    } else if (const auto rate = number_after("rate=", word); rate && *rate > 0) {
      load.rate = *rate;
    } else {
      return std::nullopt;
    }
  }
  if (load.mails.empty()) return std::nullopt;
  return load;
}

}  // namespace
}  // namespace mxfeed

int main(int argc, char** argv) {
  const auto load = mxfeed::parse(argc, argv);
  if (!load) {
    fmt::print(stderr,
               "usage: smtp_load HOST:PORT SESSIONS MESSAGES RECIPIENT FILE-LIST [proxy] "
               "[seed=N] [clients=N] [rate=N] [fresh]\n");
    return 2;
  }
  return mxfeed::run(*load);
}
