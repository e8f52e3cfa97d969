// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/engine/engine.h"

#include <fmt/format.h>

#include "milters/spam/score.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

Envelope envelope() {
  Envelope envelope;
  envelope.client = {IpAddress::parse("2001:db8::7"), "mail.sender.example"};
  envelope.helo = "mail.sender.example";
  envelope.sender = "anna@sender.example";
  envelope.recipients = {{"info", "acme.example", true, "info@acme.example"},
                         {"sales", "acme.example", true, "sales@acme.example"}};
  return envelope;
}

TEST_CASE("a request to rspamd names the client and the envelope", "[spam]") {
  const Envelope from = envelope();
  std::string all;
  for (const auto& [name, value] : rspamd_fields({from, "", "mx.example", Time{}})) {
    all += name + "=" + value + ";";
  }
  CHECK(all ==
        "IP=2001:db8::7;Helo=mail.sender.example;From=anna@sender.example;"
        "MTA-Name=mx.example;Hostname=mail.sender.example;Rcpt=info@acme.example;"
        "Rcpt=sales@acme.example;");
}

TEST_CASE("what the client said adds no line to a request", "[spam]") {
  Envelope from = envelope();
  from.helo = "a\r\nUser: root";
  from.sender = "b\nIP: 127.0.0.1";
  const EngineQuestion question{from, "text", "mx.example", Time{}};
  for (const auto& [name, value] : rspamd_fields(question)) {
    CHECK(value.find_first_of("\r\n") == std::string::npos);
  }
  CHECK(spamd_request(question).find("\nUser:") == std::string::npos);
}

TEST_CASE("spamd gets the message below a field that names the client", "[spam]") {
  const Envelope from = envelope();
  const std::string request =
      spamd_request({from, "Subject: x\r\n\r\ntext\r\n", "mx.example", Time{}});
  const std::string message =
      "Received: from mail.sender.example (mail.sender.example [IPv6:2001:db8::7])\r\n"
      "\tby mx.example (Postfix) with ESMTP;\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n"
      "Subject: x\r\n\r\ntext\r\n";
  CHECK(request == "SYMBOLS SPAMC/1.5\r\nContent-length: " +
                       std::to_string(message.size()) + "\r\n\r\n" + message);
}

// "score/from symbols", or "none".
std::string text_of(const std::optional<EngineAnswer>& answer) {
  if (!answer) return "none";
  std::string text = fmt::format("{:.1f}/{:.1f}", answer->score, answer->spam_from);
  for (const std::string& symbol : answer->symbols) text += " " + symbol;
  return text;
}

TEST_CASE("answers of rspamd", "[spam]") {
  struct {
    const char* name;
    const char* json;
    const char* found;
  } const rows[] = {
      {"an answer",
       R"({"is_skipped":false,"score":9.5,"required_score":15.0,"action":"add header",)"
       R"("thresholds":{"reject":15.0,"add header":8.0},"symbols":{"A":{"score":1},"B":{}}})",
       "9.5/8.0 A B"},
      {"a rejection without a score", R"({"score":0,"action":"reject"})", "16.2/6.0"},
      {"an action of a rule", R"({"score":0,"action":"rewrite subject"})", "6.0/6.0"},
      {"no action", R"({"score":0,"action":"no action"})", "0.0/6.0"},
      {"without thresholds", R"({"score":-2})", "-2.0/6.0"},
      {"a threshold that is none", R"({"score":1,"thresholds":{"add header":0}})",
       "1.0/6.0"},
      {"a threshold that is null", R"({"score":1,"thresholds":{"add header":null}})",
       "1.0/6.0"},
      {"symbols of another kind", R"({"score":1,"symbols":["A"]})", "1.0/6.0"},
      {"no score", R"({"error":"cannot scan"})", "none"},
      {"a score that is text", R"({"score":"1"})", "none"},
      {"a score without bounds", R"({"score":1e999})", "none"},
      {"a list", "[]", "none"},
      {"a piece", R"({"score":1)", "none"},
      {"nothing", "", "none"},
      {"not UTF-8", "{\"score\":1,\"\xFF\":2}", "none"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(text_of(parse_rspamd(row.json)) == row.found);
  }
  CHECK_FALSE(parse_rspamd(std::string(100'000, '[')));
}

TEST_CASE("answers of spamd", "[spam]") {
  struct {
    const char* name;
    const char* answer;
    const char* found;
  } const rows[] = {
      {"spam",
       "SPAMD/1.1 0 EX_OK\r\nContent-length: 10\r\nSpam: True ; 18.4 / 5.0\r\n\r\n"
       "GTUBE,A_B\r\n",
       "18.4/5.0 GTUBE A_B"},
      {"ham", "SPAMD/1.1 0 EX_OK\r\nSpam: False ; -1.2 / 5.0\r\n\r\n", "-1.2/5.0"},
      {"an error", "SPAMD/1.0 76 Bad header line: x\r\n\r\n", "none"},
      {"no score", "SPAMD/1.1 0 EX_OK\r\nSpam: True\r\n\r\n", "none"},
      {"a limit of 0", "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1 / 0\r\n\r\n", "none"},
      {"not a number", "SPAMD/1.1 0 EX_OK\r\nSpam: True ; nan / 5\r\n\r\n", "none"},
      {"cut off", "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 18.4", "none"},
      {"another protocol", "HTTP/1.1 200 OK\r\nSpam: True ; 1 / 5\r\n\r\n", "none"},
      {"nothing", "", "none"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(text_of(parse_spamd(row.answer)) == row.found);
  }
}

TEST_CASE("the levels of an engine that decides", "[spam]") {
  struct {
    double score;
    SpamLevel level;
  } const rows[] = {{-3, SpamLevel::none}, {0, SpamLevel::none}, {3.9, SpamLevel::none},
                    {5, SpamLevel::low},   {9, SpamLevel::med},  {13.5, SpamLevel::high},
                    {900, SpamLevel::high}};
  for (const auto& row : rows) {
    CAPTURE(row.score);
    const EngineAnswer answer{row.score, 5, {}};
    const Evidence decides[] = {engine_evidence(answer, EngineRole::verdict)};
    CHECK(level(score(decides), SpamPolicy{}) == row.level);
    const Evidence one_of_many[] = {engine_evidence(answer, EngineRole::evidence)};
    CHECK(level(score(one_of_many), SpamPolicy{}) == SpamLevel::none);
  }
}

TEST_CASE("a message is put together as it was received", "[spam]") {
  RawMessage raw;
  raw.field("Subject", " a\n\tb");
  raw.field("X-Odd", "c");
  raw.body("text\r\n");
  raw.body("more\r\n");
  CHECK(raw.text() == "Subject: a\r\n\tb\r\nX-Odd:c\r\n\r\ntext\r\nmore\r\n");
  raw.body(std::string(kMostForEngine, 'a'));
  CHECK(raw.text().size() == kMostForEngine + 1);
}

}  // namespace
}  // namespace mxfeed::spam
