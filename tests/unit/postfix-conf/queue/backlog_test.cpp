// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/backlog.h"

#include "postfix-conf/queue/recovery.h"
#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/queue/hosting.h"

namespace mxfeed {
namespace {

QueuedMessage message_of(std::string id, const char* queue,
                         std::vector<QueuedRecipient> recipients) {
  QueuedMessage message;
  message.id = std::move(id);
  message.queue = queue;
  message.recipients = std::move(recipients);
  return message;
}

TEST_CASE("what waits is counted by hosted domain, and bounded", "[postfix-conf]") {
  const Generated generated =
      hosting_of({{.name = "acme.example"}, {.name = "other.example"}});
  Terms terms(generated, std::nullopt);
  Backlogs backlogs(terms, {"T1", "T2", "T3"});
  for (int i = 0; i < 50; ++i) {
    backlogs.add(message_of(std::to_string(i), "deferred",
                            {{"a@acme.example", "refused"}, {"b@acme.example", "x"}}));
  }
  backlogs.add(message_of("A", "active", {{"a@other.example", {}}}));
  backlogs.add(message_of("H", "hold", {{"a@third.example", {}}}));
  backlogs.add(message_of("B", "deferred", {{"a@elsewhere.example", "x"}}));
  backlogs.add(
      message_of("T1", "deferred", {{"a@other.example", "host h[1] said: 550 no"}}));
  backlogs.add(message_of("T2", "active", {{"a@other.example", {}}}));
  REQUIRE(backlogs.domains().size() == 2);
  const auto& acme = backlogs.domains().at("acme.example");
  CHECK(acme.messages == 50);
  CHECK_FALSE(acme.is_unreachable);
  CHECK(acme.recipients.size() == Backlog::kRecipients);
  CHECK(acme.ids.size() == kTrialMessages);
  const auto& other = backlogs.domains().at("other.example");
  CHECK(other.messages == 1);
  CHECK(other.ids == std::vector<std::string>{"T1"});
  CHECK(other.recipients.size() == 3);
  backlogs.add(
      message_of("C", "deferred",
                 {{"a@other.example",
                   "delivery temporarily suspended: connect to x[x]:25: refused"}}));
  CHECK(backlogs.domains().at("other.example").is_unreachable);
  CHECK(backlogs.waiting() == std::set<std::string, std::less<>>{"T1", "T2"});
  CHECK(backlogs.moving() == std::set<std::string, std::less<>>{"T2"});
  CHECK(backlogs.refused() == std::set<std::string, std::less<>>{"T1"});
}

}  // namespace
}  // namespace mxfeed
