// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/simulation/attempts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/time_text.h"
#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

const Time kNow = *parse_time("2026-11-27T12:00:00Z");

std::string line(const std::string& clock, const std::string& rest) {
  return fmt::format("Nov 27 {} mx1 postfix/{}", clock, rest);
}
std::string client(const std::string& clock, const std::string& id) {
  return line(clock, fmt::format("smtpd[7]: {}: client=mx.s.example[198.51.100.7]", id));
}
std::string sender(const std::string& clock, const std::string& id,
                   const std::string& from) {
  return line(clock,
              fmt::format("qmgr[8]: {}: from=<{}>, size=7, nrcpt=1 (active)", id, from));
}
std::string recipient(const std::string& clock, const std::string& id,
                      const std::string& to) {
  return line(clock, fmt::format("smtp[9]: {}: to=<{}>, relay=x[192.0.2.1]:25, delay=1, "
                                 "delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok)",
                                 id, to));
}
std::string removed(const std::string& clock, const std::string& id) {
  return line(clock, fmt::format("qmgr[8]: {}: removed", id));
}
std::string deferred(const std::string& clock, const std::string& from,
                     const std::string& to, int process = 7) {
  return line(clock,
              fmt::format("smtpd[{}]: NOQUEUE: reject: RCPT from "
                          "mx.s.example[198.51.100.7]: 450 4.7.1 Greylisted; from=<{}> "
                          "to=<{}> proto=ESMTP helo=<mx>",
                          process, from, to));
}

std::string text_of(const Attempt& one) {
  return fmt::format("{} {} <{}> {}", format_time(one.time).substr(11, 8),
                     one.accepted ? "accepted" : "deferred", one.sender,
                     fmt::join(one.recipients, ","));
}

// Reads lines as they come.
struct Reading {
  std::vector<std::string> shown;
  AttemptReader reader{kNow,
                       [this](const Attempt& one) { shown.push_back(text_of(one)); }};

  Reading& see(const std::vector<std::string>& lines) {
    for (const auto& one : lines) reader.see(one);
    return *this;
  }
};

std::vector<std::string> read(const std::vector<std::string>& lines,
                              std::size_t* incomplete = nullptr) {
  Reading reading;
  reading.see(lines).reader.finish();
  if (incomplete != nullptr) *incomplete = reading.reader.incomplete();
  return reading.shown;
}
using Texts = std::vector<std::string>;

TEST_CASE("the lines of a message are put together", "[greylist]") {
  CHECK(read({client("01:00:00", "A1"), client("01:00:01", "B2"),
              sender("01:00:02", "B2", "b@s.example"),
              sender("01:00:02", "A1", "a@s.example"),
              recipient("01:00:03", "B2", "x@acme.example"),
              recipient("01:00:03", "A1", "y@acme.example"),
              recipient("01:00:03", "A1", "z@acme.example"),
              // Tried again later.
              sender("02:00:02", "A1", "a@s.example"),
              recipient("02:00:03", "A1", "y@acme.example"), removed("02:00:04", "A1"),
              // The log ends before the other one leaves.
              recipient("02:00:05", "C3", "unknown@acme.example")}) ==
        Texts{"01:00:00 accepted <a@s.example> y@acme.example,z@acme.example",
              "01:00:01 accepted <b@s.example> x@acme.example"});
}

TEST_CASE("a queue ID that is used again is another message", "[greylist]") {
  CHECK(read({client("01:00:00", "A1"), sender("01:00:02", "A1", "a@s.example"),
              recipient("01:00:03", "A1", "y@acme.example"), client("03:00:00", "A1"),
              sender("03:00:02", "A1", "b@s.example"),
              recipient("03:00:03", "A1", "y@acme.example")}) ==
        Texts{"01:00:00 accepted <a@s.example> y@acme.example",
              "03:00:00 accepted <b@s.example> y@acme.example"});
}

TEST_CASE("recipients of one try are deferred together", "[greylist]") {
  CHECK(read({deferred("01:00:00", "a@s.example", "x@acme.example"),
              deferred("01:00:01", "a@s.example", "y@acme.example"),
              // Another process in between.
              deferred("01:00:01", "b@s.example", "y@acme.example", 8),
              deferred("01:00:02", "a@s.example", "z@acme.example"),
              // The same recipient again, or another sender: another try.
              deferred("01:00:03", "a@s.example", "X@acme.example"),
              deferred("01:00:04", "c@s.example", "x@acme.example"),
              line("01:00:05", "smtpd[7]: disconnect from mx.s.example[198.51.100.7]"),
              deferred("01:00:06", "c@s.example", "y@acme.example"),
              deferred("01:02:00", "c@s.example", "z@acme.example")}) ==
        Texts{"01:00:00 deferred <a@s.example> x@acme.example,y@acme.example,"
              "z@acme.example",
              "01:00:01 deferred <b@s.example> y@acme.example",
              "01:00:03 deferred <a@s.example> X@acme.example",
              "01:00:04 deferred <c@s.example> x@acme.example",
              "01:00:06 deferred <c@s.example> y@acme.example",
              "01:02:00 deferred <c@s.example> z@acme.example"});
}

TEST_CASE("what is not whole is left out and counted", "[greylist]") {
  std::size_t incomplete = 0;
  CHECK(read({client("01:00:00", "A1"), sender("01:00:02", "A1", "a@s.example"),
              client("01:00:00", "B2"), recipient("01:00:03", "B2", "y@acme.example"),
              removed("01:00:04", "B2"), "rubbish"},
             &incomplete)
            .empty());
  CHECK(incomplete == 2);
}

TEST_CASE("a message keeps a limited number of recipients", "[greylist]") {
  std::size_t found = 0;
  AttemptReader reader(kNow, [&](const Attempt& one) { found = one.recipients.size(); });
  reader.see(client("01:00:00", "A1"));
  reader.see(sender("01:00:00", "A1", "a@s.example"));
  for (std::size_t i = 0; i < AttemptReader::kMostRecipients + 5; ++i) {
    reader.see(recipient("01:00:01", "A1", fmt::format("r{}@acme.example", i)));
  }
  reader.finish();
  CHECK(found == AttemptReader::kMostRecipients);
}

TEST_CASE("tries are shown in order of time, while the log is read", "[greylist]") {
  Reading reading;
  reading.see({client("01:00:00", "A1"), sender("01:00:00", "A1", "a@s.example"),
               deferred("01:00:02", "b@s.example", "x@acme.example", 8),
               recipient("01:00:09", "A1", "y@acme.example"),
               // The log never tells of its end.
               deferred("01:30:00", "c@s.example", "x@acme.example")});
  CHECK(reading.shown.empty());
  const Texts both = {"01:00:00 accepted <a@s.example> y@acme.example",
                      "01:00:02 deferred <b@s.example> x@acme.example"};
  CHECK(reading.see({client("02:00:02", "B2")}).shown == both);
  // It has been shown.
  reading.see({recipient("02:00:10", "A1", "z@acme.example"), removed("02:00:10", "A1")});
  CHECK(reading.shown == both);
}

TEST_CASE("a message that is delivered late is shown late", "[greylist]") {
  Reading reading;
  reading.see({client("01:00:00", "A1"), sender("01:00:00", "A1", "a@s.example"),
               client("04:00:00", "B2"), recipient("04:30:00", "A1", "y@acme.example")});
  CHECK(reading.shown.empty());
  reading.see({client("05:00:00", "C3"), client("05:00:01", "D4")});
  CHECK(reading.shown == Texts{"01:00:00 accepted <a@s.example> y@acme.example"});
}

TEST_CASE("a message without a recipient is left out after a day", "[greylist]") {
  const auto on = [](const std::string& day, std::string text) {
    return text.replace(4, 2, day);
  };
  Reading reading;
  reading.see({on("25", client("01:00:00", "A1")),
               on("25", sender("01:00:00", "A1", "a@s.example")),
               on("26", client("00:59:59", "B2"))});
  CHECK(reading.reader.incomplete() == 0);
  reading.see({on("26", client("02:00:00", "C3"))});
  CHECK(reading.reader.incomplete() == 1);
}

TEST_CASE("a log that goes back in time begins again", "[greylist]") {
  Reading reading;
  const auto mail = [](const std::string& clock) {
    return Texts{client(clock, "A1"), sender(clock, "A1", "a@s.example"),
                 recipient(clock, "A1", "y@acme.example")};
  };
  reading.see(mail("05:00:00")).see({sender("04:50:00", "X", "a little late")});
  CHECK(reading.reader.steps_back() == 0);
  reading.see(mail("01:00:00"));
  CHECK(reading.reader.steps_back() == 1);
  reading.reader.finish();
  CHECK(reading.shown == Texts{"05:00:00 accepted <a@s.example> y@acme.example",
                               "01:00:00 accepted <a@s.example> y@acme.example"});
}

}  // namespace
}  // namespace mxfeed::greylist
