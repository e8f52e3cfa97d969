// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/quarantine/dialog.h"

#include "common/base/fault.h"
#include "tests/support/catch.h"

namespace mxfeed::quarantine {
namespace {

const std::string kToken(32, 'a');
const HeldAddress kHeld{HeldKind::virus, kToken, "acme.example", "Eicar",
                        "info@acme.example"};

// Records what is delivered.
class Recorder : public Delivery {
 public:
  void begin(const Arrival&) override {
    if (fails_at == "begin") fail();
    content.clear();
  }
  void add(std::string_view octets) override {
    if (fails_at == "add") fail();
    content += octets;
  }
  void end(const Arrival& arrival) override {
    if (fails_at == "end") fail();
    delivered.push_back(arrival);
  }
  void abandon() noexcept override { ++abandoned; }

  std::string fails_at;
  std::string content;
  std::vector<Arrival> delivered;
  int abandoned = 0;

 private:
  [[noreturn]] static void fail() { throw Fault("write", "x", "no space left"); }
};

struct Rig {
  Recorder recorder;
  Dialog dialog{recorder, "mx1.isp.example", 10'000};

  Rig() { dialog.take_replies(); }
  std::string say(std::string_view octets) {
    dialog.feed(octets);
    return dialog.take_replies();
  }
  // The codes of the replies, "250 550"; of several lines the last counts.
  std::string codes(std::string_view octets) {
    const std::string replies = say(octets);
    std::string codes;
    for (std::size_t at = 0; at < replies.size(); at = replies.find('\n', at) + 1) {
      if (replies[at + 3] == '-') continue;
      if (!codes.empty()) codes += ' ';
      codes += replies.substr(at, 3);
    }
    return codes;
  }
};

std::string rcpt(const std::string& address) {
  return "RCPT TO:<" + address + ">\r\n";
}

const std::string kBegin = "LHLO x\r\nMAIL FROM:<anna@sender.example>\r\n";

TEST_CASE("a message is delivered with its envelope, and answered for each recipient",
          "[quarantine]") {
  Rig rig;
  HeldAddress second = kHeld;
  second.recipient = "sales@acme.example";
  CHECK(rig.codes("LHLO mx\r\n"
                  "MAIL FROM:<anna@sender.example> SIZE=10 BODY=8BITMIME SMTPUTF8\r\n" +
                  rcpt(kHeld.str()) + rcpt(second.str()) + "DATA\r\n") ==
        "250 250 250 250 354");
  CHECK(rig.codes("Subject: x\r\n\r\nbody\r\n.\r\n") == "250 250");
  REQUIRE(rig.recorder.delivered.size() == 1);
  const Arrival& arrival = rig.recorder.delivered[0];
  CHECK(arrival.sender == "anna@sender.example");
  CHECK(arrival.eight_bit);
  CHECK(arrival.smtputf8);
  CHECK(arrival.held == std::vector<HeldAddress>{kHeld, second});
  CHECK(rig.recorder.content == "Subject: x\r\n\r\nbody\r\n");
}

TEST_CASE("a receipt is a recipient too", "[quarantine]") {
  Rig rig;
  rig.say(kBegin + rcpt(receipt_address(kToken)) + "DATA\r\n");
  CHECK(rig.say("x\r\n.\r\n") == "250 2.0.0 Noted\r\n");
  REQUIRE(rig.recorder.delivered.size() == 1);
  CHECK(rig.recorder.delivered[0].receipts == std::vector<std::string>{kToken});
  CHECK(rig.recorder.delivered[0].held.empty());
}

struct ContentCase {
  const char* name;
  const char* sent;
  const char* content;
};

const ContentCase kContents[] = {
    {"empty", ".\r\n", ""},
    {"a doubled dot", "..\r\n.\r\n", ".\r\n"},
    {"a dot and text", ".x\r\n.\r\n", "x\r\n"},
    {"a dot within a line", "a.\r\n.b.\r\n.\r\n", "a.\r\nb.\r\n"},
    {"LF alone ends no line", "a\n.\nb\r\n.\r\n", "a\n.\nb\r\n"},
    {"CR alone ends no line", "a\r.\rb\r\n.\r\n", "a\r.\rb\r\n"},
    {"a dot and CR without LF", ".\rx\r\n.\r\n", "\rx\r\n"},
    {"a dot and two CRs", ".\r\r\n.\r\n", "\r\r\n"},
    {"a dot and LF alone", ".\nx\r\n.\r\n", "\nx\r\n"},
    {"CR CR LF ends a line", "a\r\r\n.\r\n", "a\r\r\n"},
    {"an empty line of dots", "\r\n...\r\n.\r\n", "\r\n..\r\n"},
};

TEST_CASE("dots are taken from the lines of the content, however it is cut",
          "[quarantine]") {
  for (const auto& c : kContents) {
    CAPTURE(c.name);
    const std::string sent = c.sent;
    for (std::size_t cut = 1; cut <= sent.size(); ++cut) {
      CAPTURE(cut);
      Rig rig;
      rig.say(kBegin + rcpt(kHeld.str()) + "DATA\r\n");
      for (std::size_t at = 0; at < sent.size(); at += cut) {
        rig.dialog.feed(std::string_view(sent).substr(at, cut));
      }
      CHECK(rig.dialog.take_replies() == "250 2.0.0 Held\r\n");
      CHECK(rig.recorder.content == c.content);
    }
  }
}

struct RefusalCase {
  const char* name;
  std::string sent;
  const char* codes;
};

const RefusalCase kRefusals[] = {
    {"no LHLO", "MAIL FROM:<>\r\n", "503"},
    {"EHLO", "EHLO x\r\n", "503"},
    {"RCPT before MAIL", "LHLO x\r\n" + rcpt(kHeld.str()), "250 503"},
    {"DATA without recipient", kBegin + "DATA\r\n", "250 250 503"},
    {"two senders", kBegin + "MAIL FROM:<>\r\n", "250 250 503"},
    {"an unknown parameter", "LHLO x\r\nMAIL FROM:<> NOTIFY=NEVER\r\n", "250 555"},
    {"too large by its size", "LHLO x\r\nMAIL FROM:<> SIZE=10001\r\n", "250 552"},
    {"no brackets", "LHLO x\r\nMAIL FROM:a@b\r\n", "250 501"},
    {"a control character", "LHLO x\r\nMAIL FROM:<a\x01@b>\r\n", "250 501"},
    {"another domain", kBegin + rcpt("info@acme.example"), "250 250 550"},
    {"another local part", kBegin + rcpt("info@quarantine.mxfeed.invalid"),
     "250 250 550"},
    {"a short token", kBegin + rcpt("released.abcd@quarantine.mxfeed.invalid"),
     "250 250 550"},
    {"no domain", kBegin + rcpt(""), "250 250 550"},
    {"a parameter of RCPT", kBegin + "RCPT TO:<" + kHeld.str() + "> X=1\r\n",
     "250 250 501"},
    {"a long command", "LHLO " + std::string(Dialog::kMaxLine, 'x') + "\r\nNOOP\r\n",
     "500 250"},
    {"an unknown command", "LHLO x\r\nVRFY x\r\n", "250 500"},
};

TEST_CASE("what is odd is refused, and nothing is delivered", "[quarantine]") {
  for (const auto& c : kRefusals) {
    CAPTURE(c.name);
    Rig rig;
    CHECK(rig.codes(c.sent) == c.codes);
    CHECK(rig.recorder.delivered.empty());
  }
}

TEST_CASE("a message that cannot be stored is put off for all recipients",
          "[quarantine]") {
  for (const char* at : {"begin", "add", "end"}) {
    CAPTURE(at);
    Rig rig;
    rig.recorder.fails_at = at;
    const bool at_begin = std::string_view(at) == "begin";
    CHECK(rig.codes(kBegin + rcpt(kHeld.str()) + rcpt(receipt_address(kToken)) +
                    "DATA\r\n") ==
          (at_begin ? "250 250 250 250 452" : "250 250 250 250 354"));
    if (!at_begin) {
      CHECK(rig.codes("x\r\n.\r\n") == "452 452");
      CHECK(rig.recorder.abandoned == 1);
    }
    CHECK(rig.recorder.delivered.empty());
    rig.recorder.fails_at.clear();
    CHECK(rig.codes("RSET\r\nMAIL FROM:<>\r\n" + rcpt(kHeld.str()) +
                    "DATA\r\nx\r\n.\r\n") == "250 250 250 354 250");
  }
}

TEST_CASE("a message that turns out to be too large is abandoned", "[quarantine]") {
  Rig rig;
  rig.say(kBegin + rcpt(kHeld.str()) + "DATA\r\n");
  CHECK(rig.codes(std::string(9'998, 'x') + "\r\n.\r\n") == "250");
  rig.say("MAIL FROM:<>\r\n" + rcpt(kHeld.str()) + "DATA\r\n");
  CHECK(rig.codes(std::string(9'999, 'x') + "\r\n.\r\n") == "552");
  CHECK(rig.recorder.delivered.size() == 1);
  CHECK(rig.recorder.abandoned == 1);
}

TEST_CASE("a message of which the client loses the rest is abandoned", "[quarantine]") {
  Recorder recorder;
  {
    Dialog dialog(recorder, "mx");
    dialog.feed(kBegin + rcpt(kHeld.str()) + "DATA\r\nx\r\n");
    CHECK(dialog.is_receiving());
  }
  CHECK(recorder.abandoned == 1);
  CHECK(recorder.delivered.empty());
}

TEST_CASE("the number of recipients is limited", "[quarantine]") {
  Rig rig;
  std::string sent = kBegin;
  for (std::size_t i = 0; i <= Dialog::kMaxRecipients; ++i) sent += rcpt(kHeld.str());
  const std::string codes = rig.codes(sent);
  CHECK(codes.size() == 4 * (Dialog::kMaxRecipients + 3) - 1);
  CHECK(codes.ends_with("250 452"));
}

TEST_CASE("a client that only makes errors is told to go", "[quarantine]") {
  Rig rig;
  std::string codes;
  for (std::size_t i = 0; i < Dialog::kMaxErrors; ++i) codes = rig.codes("X\r\n");
  CHECK(codes == "421");
  CHECK(rig.dialog.is_over());
  CHECK(rig.say("LHLO x\r\n").empty());
}

TEST_CASE("what follows the end of a message is the next command", "[quarantine]") {
  Rig rig;
  CHECK(rig.codes(kBegin + rcpt(kHeld.str()) + "DATA\r\nx\r\n.\r\nQUIT\r\n") ==
        "250 250 250 354 250 221");
  CHECK(rig.dialog.is_over());
}

}  // namespace
}  // namespace mxfeed::quarantine
