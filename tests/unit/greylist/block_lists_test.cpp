// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/block_lists.h"

#include <set>
#include <utility>

#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

struct Rig {
  std::string find(const char* client = "192.0.2.7") {
    return BlockLists::find(lists.ask(*IpAddress::parse(client), both, deadline),
                            deadline);
  }

  const std::vector<BlockList> both = {*BlockList::parse("a.example=127.0.0.2"),
                                       *BlockList::parse("b.example=127.0.0.[2..11]")};

  std::set<std::string> listed, dead;
  std::vector<std::string> asked;
  BlockLists::Instant deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  BlockLists lists{[this](const dns::Question& question, BlockLists::Instant) {
    asked.push_back(question.name());
    std::promise<dns::Answer> answer;
    if (dead.contains(question.name())) {
      answer.set_value(dns::Answer::temporary(dns::Trouble::timed_out));
    } else if (listed.contains(question.name())) {
      answer.set_value(dns::Answer::found({*IpAddress::parse("127.0.0.4")}, seconds(1)));
    } else {
      answer.set_value(dns::Answer::absent(false, seconds(1)));
    }
    return answer.get_future();
  }};
};

TEST_CASE("all lists are asked, and one whose mask has the answer is enough",
          "[greylist]") {
  Rig rig;
  CHECK(rig.find().empty());
  CHECK(rig.asked ==
        std::vector<std::string>{"7.2.0.192.a.example", "7.2.0.192.b.example"});
  rig.listed = {"7.2.0.192.a.example"};  // but not with this answer
  CHECK(rig.find().empty());
  rig.listed.insert("7.2.0.192.b.example");
  CHECK(rig.find() == "b.example");
  CHECK(rig.find("192.0.2.8").empty());
}

TEST_CASE("a list that does not answer has nobody, and is left alone for a while",
          "[greylist]") {
  Rig rig;
  rig.dead = {"7.2.0.192.a.example"};
  rig.listed = {"7.2.0.192.b.example"};
  for (unsigned i = 0; i < BlockLists::kTimeouts; ++i) CHECK(rig.find() == "b.example");
  rig.asked.clear();
  CHECK(rig.find() == "b.example");
  CHECK(rig.asked == std::vector<std::string>{"7.2.0.192.b.example"});
}

TEST_CASE("an answer that does not come is not waited for after the deadline",
          "[greylist]") {
  std::promise<dns::Answer> never;
  BlockLists lists(
      [&](const dns::Question&, BlockLists::Instant) { return never.get_future(); });
  const std::vector<BlockList> one = {*BlockList::parse("a.example=127.0.0.2")};
  const auto find = [&](std::chrono::milliseconds budget) {
    const auto deadline = std::chrono::steady_clock::now() + budget;
    return BlockLists::find(lists.ask(*IpAddress::parse("192.0.2.7"), one, deadline),
                            deadline);
  };
  CHECK(find(std::chrono::milliseconds(0)).empty());  // not even asked
  CHECK(find(std::chrono::milliseconds(10)).empty());
}

TEST_CASE("without DNS no client is on a list", "[greylist]") {
  BlockLists lists({});
  const std::vector<BlockList> one = {*BlockList::parse("a.example=127.0.0.2")};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  CHECK(lists.ask(*IpAddress::parse("192.0.2.7"), one, deadline).empty());
}

}  // namespace
}  // namespace mxfeed::greylist
