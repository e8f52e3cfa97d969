// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/smtp_reply.h"

#include "tests/support/catch.h"

namespace mxfeed::smtp {
namespace {

using State = ParsedReply::State;

struct Case {
  std::string received;
  State state;
  std::string text;  // of the reply, or the problem
  std::size_t left = 0;
};

TEST_CASE("a reply is read as RFC 5321 has it") {
  const Case cases[] = {
      {"250 Ok\r\n", State::whole, "250 Ok"},
      {"250 Ok\n", State::whole, "250 Ok"},
      {"250\r\n", State::whole, "250 "},
      {"250 \r\n", State::whole, "250 "},
      {"250-one\r\n250-two\r\n250 three\r\n", State::whole, "250 one two three"},
      {"421 4.3.2 Closing\r\n220 next\r\n", State::whole, "421 4.3.2 Closing", 10},
      {"550 \x1b[1mno\r\n", State::whole, "550 \\x1b[1mno"},
      {"", State::partial, ""},
      {"25", State::partial, ""},
      {"250-one\r\n", State::partial, ""},
      {"250-one\r\n250 tw", State::partial, ""},
      {"SSH-2.0-OpenSSH\r\n", State::malformed, "not an SMTP reply: \"SSH-2.0-OpenSSH\""},
      {"199 no\r\n", State::malformed, "not an SMTP reply: \"199 no\""},
      {"600 no\r\n", State::malformed, "not an SMTP reply: \"600 no\""},
      {"25x no\r\n", State::malformed, "not an SMTP reply: \"25x no\""},
      {"250_no\r\n", State::malformed, "not an SMTP reply: \"250_no\""},
      {"2500\r\n", State::malformed, "not an SMTP reply: \"2500\""},
      {"250-one\r\n550 two\r\n", State::malformed, "not an SMTP reply: \"550 two\""},
      {"250 a\rb\r\n", State::malformed, "not an SMTP reply: \"250 a\\x0db\""},
      {std::string(2049, '2'), State::malformed, "a line that is too long"},
  };
  for (const auto& one : cases) {
    INFO(one.received);
    const auto parsed = parse_reply(one.received);
    CHECK(parsed.state == one.state);
    if (parsed.state == State::whole) {
      CHECK(parsed.reply.text() == one.text);
      CHECK(one.received.size() - parsed.used == one.left);
    } else {
      CHECK(parsed.problem == one.text);
    }
  }
}

TEST_CASE("a reply has a hundred lines at most") {
  std::string lines;
  for (int i = 0; i < 99; ++i) lines += "250-x\r\n";
  CHECK(parse_reply(lines + "250 x\r\n").reply.lines.size() == 100);
  CHECK(parse_reply(lines + "250-x\r\n250 x\r\n").state == State::malformed);
}

TEST_CASE("what a server offers") {
  const Hello hello{parse_reply("250-mail\r\n250-size 1000\r\n250-STARTTLS\r\n"
                                "250 AUTH PLAIN\r\n")
                        .reply,
                    true};
  CHECK(hello.offers("starttls"));
  CHECK(hello.offers("AUTH"));
  CHECK_FALSE(hello.offers("START"));
  CHECK(hello.size() == 1000);
  CHECK(Hello{parse_reply("250 SIZE\r\n").reply, true}.size() == 0);
  CHECK(Hello{parse_reply("250 mail\r\n").reply, true}.size() == std::nullopt);
  CHECK(Hello{parse_reply("250 SIZE 5\r\n").reply, false}.size() == std::nullopt);
}

}  // namespace
}  // namespace mxfeed::smtp
