// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/lists/list_desk.h"

#include <algorithm>
#include <set>

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

using Subject = ScoredList::Subject;
using std::chrono::seconds;

// A name server with lists.
struct Rig {
  std::vector<std::string> find(Subject subject, const std::vector<std::string>& keys) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
    Inquiry inquiry(desk, lists);
    inquiry.ask(subject, keys, deadline);
    std::vector<std::string> found;
    says.clear();
    for (const ListReply& one : inquiry.replies(deadline)) {
      says.push_back(one.says);
      if (one.says != ListSays::listed) continue;
      found.push_back(one.key + " " + std::string(one.list->zone()));
    }
    return found;
  }

  dns::Answer answer(const dns::Question& question) {
    asked.push_back(question.name());
    if (dead.contains(question.name())) {
      return dns::Answer::temporary(dns::Trouble::timed_out);
    }
    const auto listed = has.find(question.name());
    if (listed == has.end()) return dns::Answer::absent(false, seconds(1));
    return dns::Answer::found({*IpAddress::parse(listed->second)}, seconds(1));
  }

  std::vector<ScoredList> lists{*ScoredList::parse("client a.example=127.0.0.[2..3] 3"),
                                *ScoredList::parse("client a.example=127.0.0.4 1.5"),
                                *ScoredList::parse("url b.example=127.0.1.2 4"),
                                *ScoredList::parse("sender b.example=127.0.1.2 3")};
  std::map<std::string, std::string> has;  // name -> answer
  std::set<std::string> dead;
  std::vector<std::string> asked;
  std::vector<ListSays> says;  // to the last questions
  ListDesk desk{[this](const dns::Question& question, ListDesk::Instant) {
    std::promise<dns::Answer> promise;
    promise.set_value(answer(question));
    return promise.get_future();
  }};
};

TEST_CASE("only a list whose mask has the answer counts", "[spam]") {
  Rig rig;
  rig.has = {{"7.100.51.198.a.example", "127.0.0.4"}};
  Inquiry inquiry(rig.desk, rig.lists);
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  inquiry.ask(Subject::client, {"7.100.51.198"}, deadline);
  const auto replies = inquiry.replies(deadline);
  REQUIRE(replies.size() == 2);
  CHECK(replies[0].says == ListSays::clear);
  CHECK(replies[1].says == ListSays::listed);
  CHECK(replies[1].list->log_odds() == 1.5);
}

TEST_CASE("each kind of list is asked for its own keys", "[spam]") {
  Rig rig;
  rig.has = {{"shop.example.b.example", "127.0.1.2"}};
  CHECK(rig.find(Subject::client, {"shop.example"}).empty());
  CHECK(rig.find(Subject::url, {"shop.example", "other.example"}) ==
        std::vector<std::string>{"shop.example b.example"});
  CHECK(rig.find(Subject::sender, {"shop.example"}).size() == 1);
}

TEST_CASE("an operator's refusal is no evidence", "[spam]") {
  for (const char* refusal : {"127.255.255.254", "127.255.255.252", "127.0.0.1"}) {
    INFO(refusal);
    Rig rig;
    rig.lists = {*ScoredList::parse("client a.example=127.[0..255].[0..255].[0..255] 3")};
    rig.has = {{"7.100.51.198.a.example", refusal}};
    CHECK(rig.find(Subject::client, {"7.100.51.198"}).empty());
    CHECK(rig.says == std::vector{ListSays::refused});
  }
}

TEST_CASE("a list that has everything is not used", "[spam]") {
  Rig rig;
  rig.has = {{"1.0.0.127.a.example", "127.0.0.2"},
             {"7.100.51.198.a.example", "127.0.0.2"}};
  CHECK(rig.find(Subject::client, {"7.100.51.198"}).empty());
  // Also by the next mail, which does not ask for the proof again.
  rig.asked.clear();
  CHECK(rig.find(Subject::client, {"7.100.51.198"}).empty());
  CHECK(rig.asked.size() == 2);
  CHECK(rig.says == std::vector(2, ListSays::has_all));
}

TEST_CASE("a list without answers is left alone for a while", "[spam]") {
  Rig rig;
  rig.dead = {"7.100.51.198.a.example"};
  for (unsigned i = 0; i < ListDesk::kFaults; ++i) {
    CHECK(rig.find(Subject::client, {"7.100.51.198"}).empty());
    CHECK(rig.says.size() == 2);
    CHECK(std::ranges::none_of(rig.says, is_usable));
  }
  rig.asked.clear();
  CHECK(rig.find(Subject::client, {"7.100.51.198"}).empty());
  CHECK(rig.asked.empty());
  CHECK(rig.says == std::vector(2, ListSays::resting));
  // Others are asked.
  rig.has = {{"shop.example.b.example", "127.0.1.2"}};
  CHECK(rig.find(Subject::url, {"shop.example"}).size() == 1);
}

TEST_CASE("after its deadline nothing is waited for", "[spam]") {
  std::vector<std::promise<dns::Answer>> never;
  ListDesk desk([&never](const dns::Question&, ListDesk::Instant) {
    return never.emplace_back().get_future();
  });
  const Rig rig;
  Inquiry inquiry(desk, rig.lists);
  const auto now = std::chrono::steady_clock::now();
  inquiry.ask(Subject::client, {"7.100.51.198"}, now + seconds(60));
  const auto replies = inquiry.replies(now);
  REQUIRE(replies.size() == 2);
  CHECK(replies[0].says == ListSays::unknown);
  CHECK(replies[1].says == ListSays::unknown);
}

}  // namespace
}  // namespace mxfeed::spam
