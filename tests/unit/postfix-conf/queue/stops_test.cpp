// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/stops.h"

#include <optional>
#include <string>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct StopCase {
  const char* name;
  Hosted hosted;
  DomainLoad load;
  std::optional<Stop> before;
  std::optional<Stop> wanted;
};

Hosted feed(std::uint64_t quota, Row own = Row::active) {
  Hosted hosted;
  hosted.name = "acme.example";
  hosted.own = own;
  hosted.queue_quota = quota;
  return hosted;
}

Hosted backup(WhileUp while_up, std::uint64_t quota = 0, Row own = Row::active) {
  Hosted hosted = feed(quota, own);
  hosted.service = Service::backup;
  hosted.while_up = while_up;
  return hosted;
}

const StopCase kCases[] = {
    {"no quota", feed(0), {1ull << 40, {}}, {}, {}},
    {"below the quota", feed(1000), {999, {}}, {}, {}},
    {"at the quota", feed(1000), {1000, {}}, {}, Stop::full},
    {"a full queue stays so down to nine tenths",
     feed(1000),
     {900, {}},
     Stop::full,
     Stop::full},
    {"below them it takes mail again", feed(1000), {899, {}}, Stop::full, {}},
    {"a paused domain has a quota too", feed(10, Row::paused), {10, {}}, {}, Stop::full},
    {"a removed one takes no mail anyway", feed(10, Row::kept), {10, {}}, {}, {}},
    {"a feed takes mail while its server answers", feed(0), {0, true}, {}, {}},
    {"a backup that accepts", backup(WhileUp::accept), {0, true}, {}, {}},
    {"a backup that defers", backup(WhileUp::defer), {0, true}, {}, Stop::main_answers},
    {"no server answers", backup(WhileUp::defer), {0, false}, Stop::main_answers, {}},
    {"its server could not be asked",
     backup(WhileUp::defer),
     {0, {}},
     Stop::main_answers,
     {}},
    {"never asked: mail is taken", backup(WhileUp::defer), {0, {}}, {}, {}},
    {"a paused backup takes mail",
     backup(WhileUp::defer, 0, Row::paused),
     {0, true},
     Stop::main_answers,
     {}},
    {"a full queue comes first",
     backup(WhileUp::defer, 10),
     {10, true},
     Stop::main_answers,
     Stop::full},
};

TEST_CASE("new mail is stopped for full queues and answered backups", "[postfix-conf]") {
  for (const auto& c : kCases) {
    INFO(c.name);
    CHECK(stop_of(c.hosted, c.load, c.before) == c.wanted);
  }
}

TEST_CASE("mail for a backup could go to the main server while that answers",
          "[postfix-conf]") {
  const auto accepts = backup(WhileUp::accept);
  CHECK(takes_mail_of_main(accepts, true, false));
  CHECK_FALSE(takes_mail_of_main(accepts, false, true));
  CHECK(takes_mail_of_main(accepts, std::nullopt, true));
  CHECK_FALSE(takes_mail_of_main(accepts, std::nullopt, false));
  CHECK_FALSE(takes_mail_of_main(backup(WhileUp::defer), true, true));
  CHECK_FALSE(takes_mail_of_main(backup(WhileUp::accept, 0, Row::paused), true, true));
  CHECK_FALSE(takes_mail_of_main(feed(0), true, true));
}

TEST_CASE("a stopped domain does not stop those of ours below it", "[postfix-conf]") {
  Generated generated;
  for (const char* const name : {"acme.example", "other.example", "sub.acme.example"}) {
    generated.hosted.push_back(feed(0));
    generated.hosted.back().name = name;
  }
  generated.hosted.front().below = Row::active;
  const Stops stops = {{"acme.example", Stop::full}};
  const auto lines = lines_of(generated, stops);
  std::string text;
  std::string keys;
  for (const auto& [key, value] : lines) {
    text.append(key + " " + value + "\n");
    keys.append(key + "=" + value.substr(0, 5) + " ");
  }
  CHECK(keys == "acme.example=452 4 .acme.example=452 4 sub.acme.example=DUNNO ");
  CHECK(parse_stops(generated, text) == stops);
  CHECK(parse_stops(generated, "acme.example\nnobody.example 452 x\n\n").empty());
  CHECK(lines_of(generated, {}).empty());
}

}  // namespace
}  // namespace mxfeed
