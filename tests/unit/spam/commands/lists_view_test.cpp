// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/lists_view.h"

#include <map>

#include "milters/spam/commands/stored_message.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

const std::string kClient = "Received: from x (unknown [198.51.100.7]) by gw.example\n";

// A gateway with lists, and the name server that has them.
struct Rig {
  Rig() {
    for (const char* text :
         {"client bl.example=127.0.0.2 2", "url uri.example=127.0.1.2 4",
          "sender uri.example=127.0.1.9 1"}) {
      gateway.spam.lists.push_back(*ScoredList::parse(text));
    }
  }

  dns::Answer answer(const dns::Question& question) {
    const auto found = has.find(question.name());
    if (found == has.end()) return dns::Answer::absent(false, std::chrono::seconds(1));
    if (found->second.empty()) return dns::Answer::temporary(dns::Trouble::timed_out);
    return dns::Answer::found({*IpAddress::parse(found->second)},
                              std::chrono::seconds(1));
  }

  ListsView ask(const std::string& header, const std::string& body = "hello\n") {
    return ask_lists(stored_message(header + "\n" + body), gateway, desk);
  }

  GatewayPolicy gateway;
  std::map<std::string, std::string> has;  // name -> address; empty: no answer
  ListDesk desk{[this](const dns::Question& question, ListDesk::Instant) {
    std::promise<dns::Answer> promise;
    promise.set_value(answer(question));
    return promise.get_future();
  }};
};

TEST_CASE("each list's reply of a stored message is told", "[spam]") {
  const struct {
    const char* claim;
    std::map<std::string, std::string> has;
    std::string header;
    std::string body;
    const char* lines;
    std::vector<std::string_view> evidence;
  } rows[] = {
      {"the client is listed",
       {{"7.100.51.198.bl.example", "127.0.0.2"}},
       kClient,
       "hello\n",
       "DNS list: 7.100.51.198.bl.example (client, 2.00): listed\n",
       {"client-listed"}},
      {"it is not",
       {},
       kClient,
       "hello\n",
       "DNS list: 7.100.51.198.bl.example (client, 2.00): clear\n",
       {}},
      {"the list does not answer",
       {{"7.100.51.198.bl.example", ""}},
       kClient,
       "hello\n",
       "DNS list: 7.100.51.198.bl.example (client, 2.00): unknown\n",
       {}},
      {"its operator refuses",
       {{"7.100.51.198.bl.example", "127.255.255.254"}},
       kClient,
       "hello\n",
       "DNS list: 7.100.51.198.bl.example (client, 2.00): refused\n",
       {}},
      {"it has everything",
       {{"7.100.51.198.bl.example", "127.0.0.2"}, {"1.0.0.127.bl.example", "127.0.0.2"}},
       kClient,
       "hello\n",
       "DNS list: 7.100.51.198.bl.example (client, 2.00): has-all\n",
       {}},
      {"links",
       {{"shop.example.uri.example", "127.0.1.2"}},
       "Received: from x (unknown [10.0.0.1]) by gw.example\n",
       "see http://www.shop.example/\n",
       "DNS list: shop.example.uri.example (url, 4.00): listed\n"
       "DNS lists: no list has the client 10.0.0.1\n",
       {"url-listed"}},
      {"the author and the recorded sender",
       {{"sent.example.uri.example", "127.0.1.9"}},
       "From: a@author.example\nX-Mxfeed-Sender: spf=none smtp.mailfrom=sent.example\n",
       "hello\n",
       "DNS list: sent.example.uri.example (sender, 1.00): listed\n"
       "DNS list: author.example.uri.example (sender, 1.00): clear\n"
       "DNS lists: no client known\n",
       {"sender-listed"}},
      {"HELO is not a sender",
       {},
       kClient + "X-Mxfeed-Sender: spf=none smtp.helo=sent.example\n",
       "hello\n",
       "DNS list: 7.100.51.198.bl.example (client, 2.00): clear\n",
       {}},
  };
  for (const auto& row : rows) {
    INFO(row.claim);
    Rig rig;
    rig.has = row.has;
    const ListsView lists = rig.ask(row.header, row.body);
    CHECK(lines_of(lists) == row.lines);
    std::vector<std::string_view> evidence;
    for (const Evidence& one : lists.evidence) evidence.push_back(one.slug);
    CHECK(evidence == row.evidence);
  }
}

TEST_CASE("the replies are the same in JSON", "[spam]") {
  Rig rig;
  rig.has = {{"7.100.51.198.bl.example", "127.0.0.2"}};
  CHECK(json_of(rig.ask(kClient)).str() ==
        R"([{"zone": "bl.example", "subject": "client", "key": "7.100.51.198", )"
        R"("logit": 2, "says": "listed"}])");
}

TEST_CASE("what has no answer within the budget is unknown", "[spam]") {
  std::vector<std::promise<dns::Answer>> never;
  ListDesk desk([&never](const dns::Question&, ListDesk::Instant) {
    return never.emplace_back().get_future();
  });
  Rig rig;
  rig.gateway.spam.lists_timeout = std::chrono::seconds(0);
  const ListsView lists =
      ask_lists(stored_message(kClient + "\nhello\n"), rig.gateway, desk);
  REQUIRE(lists.replies.size() == 1);
  CHECK(lists.replies[0].says == ListSays::unknown);
}

TEST_CASE("without lists nothing is asked", "[spam]") {
  CHECK(lines_of(ask_lists(stored_message(kClient + "\nhello\n"), GatewayPolicy{})) ==
        "DNS lists: none is configured\n");
}

}  // namespace
}  // namespace mxfeed::spam
