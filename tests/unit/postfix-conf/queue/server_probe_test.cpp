// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/server_probe.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "common/base/file.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

// A server on loopback that gives each client the replies one by one, the first unasked.
class Server {
 public:
  explicit Server(std::vector<std::string> replies) : replies_(std::move(replies)) {
    std::signal(SIGPIPE, SIG_IGN);
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), generic, size) != 0 ||
        ::listen(listener_.get(), 5) != 0 ||
        ::getsockname(listener_.get(), generic, &size) != 0) {
      throw std::runtime_error("no server");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() { stop(); }

  void stop() {
    if (!thread_.joinable()) return;
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  // After stop().
  const std::string& heard() const { return heard_; }

 private:
  void serve() {
    const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) return;
    for (const auto& reply : replies_) {
      if (&reply != &replies_.front() && !read_line(client.get())) return;
      if (!write_all(client.get(), reply)) return;
    }
    while (read_line(client.get())) {
    }
  }
  bool read_line(int fd) {
    char c = 0;
    while (::read(fd, &c, 1) == 1) {
      heard_ += c;
      if (c == '\n') return true;
    }
    return false;
  }

  const std::vector<std::string> replies_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::string heard_;
  std::thread thread_;
};

ServerQuestion question_to(std::uint16_t port) {
  return {{*IpAddress::parse("127.0.0.1"), port, std::nullopt},
          "mx1.isp.example",
          {"gone@acme.example", "info@acme.example"},
          std::chrono::seconds(10)};
}

struct ProbeCase {
  const char* name;
  std::vector<std::string> replies;
  bool greets, accepts;
  const char* said;
};

const ProbeCase kProbes[] = {
    {"all is well",
     {"220 Mail.Acme.example ESMTP\r\n", "250-x\r\n250 SIZE\r\n", "250 ok\r\n",
      "250 ok\r\n"},
     true,
     true,
     "250 ok"},
    {"the second recipient is accepted",
     {"220 mail.acme.example\r\n", "250 x\r\n", "250 ok\r\n", "550 no\r\n",
      "250 yes\r\n"},
     true,
     true,
     "250 yes"},
    {"no recipient is accepted",
     {"220 mail.acme.example\r\n", "250 x\r\n", "250 ok\r\n", "550 no\r\n",
      "550 5.1.1 neither\r\n"},
     true,
     false,
     "550 5.1.1 neither"},
    {"no null sender",
     {"220 mail.acme.example\r\n", "250 x\r\n", "550 no\r\n"},
     true,
     false,
     "550 no"},
    {"no greeting yet",
     {"421 mail.acme.example busy\r\n"},
     false,
     false,
     "421 mail.acme.example busy"},
    {"no TLS at the moment",
     {"220 mail.acme.example\r\n", "250-x\r\n250 STARTTLS\r\n", "454 no\r\n"},
     false,
     false,
     "454 no"},
};

TEST_CASE("a server is asked as far as it answers", "[postfix-conf]") {
  for (const auto& c : kProbes) {
    DYNAMIC_SECTION(c.name) {
      const Server server(c.replies);
      const auto answer = ask_server(question_to(server.port()));
      CHECK(answer.finding.greets == c.greets);
      CHECK(answer.finding.accepts == c.accepts);
      CHECK(answer.said == c.said);
      if (c.greets) CHECK(answer.finding.identity.name == "mail.acme.example");
    }
  }
}

TEST_CASE("without recipients a greeting is enough", "[postfix-conf]") {
  const Server server({"220 mail.acme.example\r\n", "250 x\r\n"});
  auto question = question_to(server.port());
  question.recipients.clear();
  CHECK(ask_server(question).finding.accepts);
}

TEST_CASE("a recipient that would smuggle a command is not sent", "[postfix-conf]") {
  std::string heard;
  {
    Server server({"220 mail.acme.example\r\n", "250 x\r\n", "250 ok\r\n"});
    auto question = question_to(server.port());
    question.recipients = {"a@b>\r\nDATA"};
    CHECK_FALSE(ask_server(question).finding.accepts);
    server.stop();
    heard = server.heard();
  }
  CHECK(heard.find("MAIL FROM:<>") != std::string::npos);
  CHECK(heard.find("DATA") == std::string::npos);
}

TEST_CASE("nobody listens", "[postfix-conf]") {
  const auto answer = ask_server(question_to(1));
  CHECK_FALSE(answer.finding.greets);
  CHECK_FALSE(answer.said.empty());
}

}  // namespace
}  // namespace mxfeed
