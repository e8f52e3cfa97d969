// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/call_out.h"

#include <map>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "tests/support/catch.h"

namespace mxfeed::recipients {
namespace {

Recipient recipient(const std::string& text) {
  return Recipient::parse(text).value();
}

Query query(const std::string& text = "info@acme.example") {
  return {recipient(text), recipient("random@acme.example"),
          recipient("control@acme.example")};
}

using Replies = std::map<std::string, std::string>;

// A server that answers commands by a table; "" ends the connection.
class FakeServer {
 public:
  explicit FakeServer(Replies replies) : replies_(std::move(replies)) {}

  Command command() {
    return [this](std::string_view line) {
      asked.emplace_back(line);
      const auto found = replies_.find(asked.back());
      const std::string text = found == replies_.end() ? "250 ok" : found->second;
      if (text.empty())
        throw Fault("talk to the mail server", "[192.0.2.7]:25", "closed");
      return smtp::parse_reply(text + "\r\n").reply;
    };
  }

  std::vector<std::string> asked;

 private:
  Replies replies_;
};

const smtp::Hello kHello{{250, {"mail.acme.example"}}, true};
const smtp::Hello kSmtputf8{{250, {"mail.acme.example", "SMTPUTF8"}}, true};

constexpr const char* kMail = "MAIL FROM:<>";
constexpr const char* kInfo = "RCPT TO:<info@acme.example>";
constexpr const char* kRandom = "RCPT TO:<random@acme.example>";
constexpr const char* kControl = "RCPT TO:<control@acme.example>";

TEST_CASE("what a server says in a call-out follows the table", "[call_out]") {
  struct Case {
    const char* name;
    Replies replies;
    CallOut heard;
    std::vector<std::string> asked;
  };
  const auto accepted = Reply::accepted, refused = Reply::refused,
             deferred = Reply::deferred;
  const auto answered = Contact::answered;
  const std::string unknown = "550 5.1.1 no such user";
  const Case cases[] = {
      {"accepts all", {}, {answered, accepted, accepted, {}}, {kMail, kInfo, kRandom}},
      {"refuses the random address",
       {{kRandom, unknown}},
       {answered, accepted, refused, {}},
       {kMail, kInfo, kRandom}},
      {"refuses the address and the random one",
       {{kInfo, unknown}, {kRandom, unknown}},
       {answered, refused, refused, accepted},
       {kMail, kInfo, kRandom, kControl}},
      {"refuses the address only",
       {{kInfo, unknown}},
       {answered, refused, accepted, {}},
       {kMail, kInfo, kRandom}},
      {"refuses all",
       {{kInfo, unknown}, {kRandom, unknown}, {kControl, unknown}},
       {answered, refused, refused, refused},
       {kMail, kInfo, kRandom, kControl}},
      {"defers the address",
       {{kInfo, "451 4.3.0 later"}, {kRandom, unknown}},
       {answered, deferred, refused, {}},
       {kMail, kInfo, kRandom}},
      {"a full mailbox",
       {{kInfo, "552 5.2.2 over quota"}, {kRandom, unknown}},
       {answered, deferred, refused, {}},
       {kMail, kInfo, kRandom}},
      {"defers the sender",
       {{kMail, "451 4.3.0 later"}},
       {answered, deferred, {}, {}},
       {kMail}},
      {"refuses the sender",
       {{kMail, "550 5.7.1 no null senders"}},
       {Contact::not_askable, {}, {}, {}},
       {kMail}},
      {"shuts down at the sender",
       {{kMail, "421 4.3.2 bye"}},
       {answered, deferred, {}, {}},
       {kMail}},
      {"shuts down at the recipient",
       {{kInfo, "421 4.3.2 bye"}, {kRandom, ""}},
       {answered, deferred, {}, {}},
       {kMail, kInfo, kRandom}},
      {"ends at the recipient", {{kInfo, ""}}, {}, {kMail, kInfo}},
      {"ends at the random address: the first reply counts",
       {{kInfo, unknown}, {kRandom, ""}},
       {answered, refused, {}, {}},
       {kMail, kInfo, kRandom}},
      {"ends at the control address",
       {{kInfo, unknown}, {kRandom, unknown}, {kControl, ""}},
       {answered, refused, refused, {}},
       {kMail, kInfo, kRandom, kControl}},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      FakeServer server(c.replies);
      const Report report = ask_recipients(query(), kHello, server.command());
      CHECK((report.heard == c.heard));
      CHECK(server.asked == c.asked);
    }
  }
}

TEST_CASE("the log has the reply to the address", "[call_out]") {
  FakeServer server(Replies{{kInfo, "550 5.1.1 no such user"}});
  CHECK(ask_recipients(query(), kHello, server.command()).text ==
        "550 5.1.1 no such user");
}

TEST_CASE("probes that are not due are not asked", "[call_out]") {
  FakeServer server(Replies{{kInfo, "550 5.1.1 no such user"}});
  ask_recipients({recipient("info@acme.example"), {}, {}}, kHello, server.command());
  CHECK(server.asked == std::vector<std::string>{kMail, kInfo});
}

TEST_CASE("an address outside ASCII is asked with SMTPUTF8", "[call_out]") {
  const std::string text = "j\xc3\xb6rg@acme.example";
  FakeServer server(Replies{});
  ask_recipients(query(text), kSmtputf8, server.command());
  CHECK(server.asked.at(0) == "MAIL FROM:<> SMTPUTF8");
  CHECK(server.asked.at(1) == "RCPT TO:<" + text + ">");
}

TEST_CASE("a server without SMTPUTF8 refuses an address outside ASCII", "[call_out]") {
  FakeServer server(Replies{{kRandom, "550 5.1.1 no such user"}});
  const auto heard =
      ask_recipients(query("j\xc3\xb6rg@acme.example"), kHello, server.command()).heard;
  CHECK((heard ==
         CallOut{Contact::answered, Reply::refused, Reply::refused, Reply::accepted}));
  CHECK(server.asked == std::vector<std::string>{kMail, kRandom, kControl});
}

TEST_CASE("replies are classified by code", "[call_out]") {
  struct Case {
    const char* text;
    Reply reply;
  };
  const Case cases[] = {
      {"250 ok", Reply::accepted},
      {"251 forwarded", Reply::accepted},
      {"354 go on", Reply::deferred},
      {"450 busy", Reply::deferred},
      {"452 4.5.3 too many", Reply::deferred},
      {"550 no", Reply::refused},
      {"550 5.2.2 full", Reply::deferred},
      {"552 full", Reply::deferred},
      {"550 5.7.1 blocked", Reply::refused},
      {"553 bad name", Reply::refused},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto reply = smtp::parse_reply(std::string(c.text) + "\r\n").reply;
    CHECK(static_cast<int>(classify(reply)) == static_cast<int>(c.reply));
  }
}

TEST_CASE("without a server there is no answer", "[call_out]") {
  const auto now = std::chrono::steady_clock::now();
  const Report report = call_out(query(), {}, "mx1.isp.example", now);
  CHECK((report.heard == CallOut{}));
  CHECK_FALSE(report.text.empty());
}

}  // namespace
}  // namespace mxfeed::recipients
