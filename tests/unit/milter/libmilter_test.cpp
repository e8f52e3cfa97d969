// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/libmilter.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>

#include "common/base/file.h"
#include "common/milter/filter.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

// An exception leaves the session when it writes the log line of a recipient.
class FailingFilter : public Filter {
 public:
  Verdict on_recipient(const Recipient&) override {
    return Verdict::reject({550, "5.7.1"}, "test", "No");
  }
  void describe(LogFields&) const override { throw std::bad_alloc(); }
};

class FailingConnection : public Connection {
 public:
  std::unique_ptr<Filter> begin(const Envelope&) override {
    return std::make_unique<FailingFilter>();
  }
};

class FailingMilter : public Milter {
 public:
  Needs needs() const override {
    Needs needs;
    needs.recipient_verdict = needs.data_verdict = true;
    return needs;
  }
  std::unique_ptr<Connection> connect(const Client&) override {
    return std::make_unique<FailingConnection>();
  }
  bool passes_without_session() const noexcept override { return passes; }

  std::atomic<bool> passes{false};
};

// Postfix's side of a connection.
class Client8 {
 public:
  explicit Client8(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::strcpy(address.sun_path, path.c_str());
    REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address),
                      sizeof address) == 0);
  }

  void send(std::string_view packet) {
    const std::string whole = number(packet.size()) + std::string(packet);
    REQUIRE(::send(fd_.get(), whole.data(), whole.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(whole.size()));
  }
  // Sends it and returns the command of the answer.
  char ask(std::string_view packet) {
    send(packet);
    const std::string size = receive(4);
    std::size_t bytes = 0;
    for (const char c : size) bytes = bytes << 8 | static_cast<unsigned char>(c);
    REQUIRE(bytes > 0);
    return receive(bytes).front();
  }

  static std::string number(std::size_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) {
      bytes += static_cast<char>(value >> shift & 0xff);
    }
    return bytes;
  }

 private:
  std::string receive(std::size_t bytes) {
    std::string all(bytes, '\0');
    REQUIRE(::recv(fd_.get(), all.data(), bytes, MSG_WAITALL) ==
            static_cast<ssize_t>(bytes));
    return all;
  }

  Fd fd_;
};

// The answers to the recipient, DATA and the end of a message.
std::string answers(const std::string& path) {
  using std::string_literals::operator""s;
  Client8 client(path);
  // Version 6; all actions and steps are offered.
  REQUIRE(client.ask("O" + Client8::number(6) + Client8::number(0x1ff) +
                     Client8::number(0x1fffff)) == 'O');
  client.send("C[192.0.2.1]\0"s + "4\0\x19" + "192.0.2.1\0"s);
  client.send("M<a@sender.example>\0"s);
  std::string all(1, client.ask("R<b@acme.example>\0"s));
  all += client.ask("T");
  if (all.back() != 'c') return all;
  client.send("N");
  return all + client.ask("E");
}

// libmilter serves one milter a process, and until its end.
TEST_CASE("a session that fails gets the milter's own answer", "[milter]") {
  static const TempDirectory directory;
  static const std::string socket = (directory.path() / "milter").string();
  static const std::string listens_at = "unix:" + socket;
  static const std::string name = "test";
  static FailingMilter milter;
  open_milter(milter, name, listens_at);
  std::thread([] { serve_milter(); }).detach();
  CHECK(answers(socket) == "tt");
  milter.passes = true;
  CHECK(answers(socket) == "ccc");
}

}  // namespace
}  // namespace mxfeed
