// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/queue.h"

#include <stdexcept>

#include "common/base/process.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct QueueCase {
  const char* name;
  std::string line;
  bool understood;
  std::vector<std::string> addresses;
};

const QueueCase kQueue[] = {
    {"as Postfix 3.7 writes it",
     R"({"queue_name": "deferred", "queue_id": "4X", "arrival_time": 1, "message_size": 3, )"
     R"("forced_expire": false, "sender": "s@x.example", "recipients": [{"address": )"
     R"("a@b.example", "delay_reason": "connect to [x]:25: refused"}, {"address": "c@d"}]})",
     true,
     {"a@b.example", "c@d"}},
    {"no recipient left", R"({"queue_id": "4X", "recipients": []})", true, {}},
    {"members of a later version",
     R"({"new": [1, {"address": "no@x"}, null], "recipients": [{"other_reason": {"x": []}, )"
     R"("address": "a@b", "n": -1.5e3}], "more": true})",
     true,
     {"a@b"}},
    {"braces and quotes in a reason",
     R"({"recipients": [{"delay_reason": "\"address\": \"x@y\"}]", "address": "a@b"}]})",
     true,
     {"a@b"}},
    {"escapes in an address",
     R"({"recipients": [{"address": "\"a\\b\u0001\"@c"}]})",
     true,
     {"\"a\\b?\"@c"}},
    {"blanks everywhere",
     " { \"recipients\" : [ { \"address\" : \"a@b\" } ] } ",
     true,
     {"a@b"}},
    {"empty", "", false, {}},
    {"a message of a program", "Mail queue is empty", false, {}},
    {"cut short", R"({"recipients": [{"address": "a@b"}])", false, {}},
    {"cut in a string", R"({"recipients": [{"address": "a@)", false, {}},
    {"without recipients", R"({"queue_id": "4X"})", false, {}},
    {"an address that is no string", R"({"recipients": [{"address": 5}]})", false, {}},
    {"more behind it", R"({"recipients": []} x)", false, {}},
    {"too deep",
     R"({"x": )" + std::string(100, '[') + std::string(100, ']') + "}",
     false,
     {}},
};

std::vector<std::string> addresses_of(const QueuedMessage& message) {
  std::vector<std::string> addresses;
  for (const auto& one : message.recipients) addresses.push_back(one.address);
  return addresses;
}

TEST_CASE("recipients are read from a line of postqueue -j", "[postfix-conf]") {
  for (const auto& c : kQueue) {
    DYNAMIC_SECTION(c.name) {
      const auto got = parse_queued(c.line);
      REQUIRE(got.has_value() == c.understood);
      if (got) CHECK(addresses_of(*got) == c.addresses);
    }
  }
}

TEST_CASE("all members of a message are read", "[postfix-conf]") {
  const auto got = parse_queued(
      R"({"queue_name": "deferred", "queue_id": "4gT", "arrival_time": 1790000000, )"
      R"("message_size": 3000, "forced_expire": true, "sender": "s@x.example", )"
      R"("recipients": [{"address": "a@b", "delay_reason": "refused"}, {"address": "c@d"}]})");
  REQUIRE(got.has_value());
  CHECK(got->is_deferred());
  CHECK_FALSE(got->is_held());
  CHECK(got->id == "4gT");
  CHECK(got->arrived == Time(std::chrono::seconds(1'790'000'000)));
  CHECK(got->size == 3000);
  CHECK(got->is_expired);
  CHECK(got->sender == "s@x.example");
  CHECK(got->recipients.at(0).delay_reason == "refused");
  CHECK(got->recipients.at(1).delay_reason == std::nullopt);
}

TEST_CASE("a recipient whose bounce is under way does not wait", "[postfix-conf]") {
  const auto got = parse_queued(
      R"({"queue_name": "deferred", "recipients": [)"
      R"({"address": "gone@a", "bounce_reason": "550 no"}, {"address": "b@a"}]})");
  REQUIRE(got.has_value());
  CHECK(addresses_of(*got) == std::vector<std::string>{"b@a"});
}

TEST_CASE("a long reason is cut, and numbers are bounded", "[postfix-conf]") {
  const auto got = parse_queued(
      R"({"arrival_time": 18446744073709551615, "message_size": -1, "recipients": [)"
      R"({"address": "a@b", "delay_reason": ")" +
      std::string(5000, 'x') + R"("}]})");
  REQUIRE(got.has_value());
  CHECK(got->recipients.at(0).delay_reason->size() == QueuedRecipient::kMaxReason);
  CHECK(got->arrived.time_since_epoch().count() == std::int64_t{1} << 40);
  CHECK(got->size == 0);
}

struct KeyCase {
  const char* recipient;
  std::vector<RelayKey> keys;
};

const KeyCase kKeys[] = {
    {"x@a.example", {"a.example"}},
    {"x@A.Example", {"a.example"}},
    {"x@y.a.example", {".a.example"}},
    {"x@z.y.a.example", {".a.example"}},
    {"\"x@b.example\"@a.example", {"a.example"}},
    {"x@xa.example", {}},
    {"x@b\xC3\xBC"
     "cher.example",
     {"xn--bcher-kva.example"}},
    // Names that are no domain for us, but are routed by Postfix.
    {"x@\xE2\x98\x83.a.example", {".a.example"}},
    {"x@a_b..a.example", {".a.example"}},
    {"x@y.b\xC3\xBC"
     "cher.example",
     {}},
    {"x@stra\xC3\x9F"
     "e.example",
     {"strasse.example"}},
    {"x@example", {}},
    {"x", {}},
    {"x@", {}},
    {"x@[192.0.2.1]", {}},
    {"", {}},
};

TEST_CASE("a recipient falls under its domain and the names above it", "[postfix-conf]") {
  const std::set<RelayKey> wanted = {"a.example", ".a.example", "xn--bcher-kva.example",
                                     "strasse.example"};
  for (const auto& c : kKeys) {
    DYNAMIC_SECTION(c.recipient) {
      CHECK(keys_of(c.recipient, wanted) == c.keys);
    }
  }
}

TEST_CASE("a program's lines, errors and status are told", "[postfix-conf]") {
  std::vector<std::string> lines;
  const auto note = [&](std::string_view line) { lines.emplace_back(line); };
  auto result = run_command({"sh", "-c", "cat; printf 'no end'; echo oops >&2; exit 3"},
                            "one\ntwo\n", note);
  CHECK(result.status == 3);
  CHECK(result.errors == "oops\n");
  CHECK(lines == std::vector<std::string>{"one", "two", "no end"});
  CHECK(run_command({"sh", "-c", "kill -9 $$"}, "", note).status == 137);
  CHECK(run_command({"mxfeed-no-such-program"}, "", note).status == 127);
  CHECK(run_command({"/nonexistent/program"}, "", note).status == 127);
  lines.clear();
  result = run_command({"sh", "-c", "yes | head -n 200000; yes | head -c 100000 >&2"}, "",
                       note);
  CHECK(result.status == 0);
  CHECK(lines.size() == 200'000);
  CHECK_THROWS_AS(
      run_command({"yes"}, "",
                  [](std::string_view) { throw std::runtime_error("enough"); }),
      std::runtime_error);  // and the program is gone
}

}  // namespace
}  // namespace mxfeed
