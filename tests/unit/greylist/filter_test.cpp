// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/filter.h"

#include <fmt/format.h>

#include <atomic>

#include "common/milter/session.h"
#include "common/policy/constdb.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/net/zone.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

SenderList list_of(std::initializer_list<std::string_view> texts) {
  SenderList list;
  for (const auto text : texts) list.add(std::get<ListEntry>(ListEntry::parse(text)));
  return list;
}

// A milter on a memory store with a clock that a test sets.
struct Rig {
  Rig() {
    const auto generation = directory.path() / "generations" / "1";
    std::filesystem::create_directories(generation);
    ConstDbWriter writer(generation / "policy.cdb");
    GatewayPolicy gateway;
    gateway.generation = 1;
    gateway.trusted_networks = {*Network::parse("203.0.113.0/24")};
    gateway.greylist.allow = list_of({"192.0.2.200", "@friend.example", "@open.example"});
    gateway.greylist.blocklists = {*BlockList::parse("bl.example=127.0.0.[2..11]")};
    gateway.greylist.deny =
        list_of({"198.51.100.99", "203.0.113.99", "203.0.112.88", "bulk@firm.example"});
    writer.add(PolicyDb::kGatewayKey, encode(gateway));
    writer.add(PolicyDb::kForeignKey, encode(DomainPolicy{}));
    for (const char* hosted : {"acme.example", "slow.example", "shadow.example",
                               "off.example", "strict.example", "kind.example"}) {
      DomainPolicy domain;
      domain.name = hosted;
      domain.greylist.unverified_delay = seconds(0);
      domain.greylist.shadow = domain.name == "shadow.example";
      if (domain.name == "slow.example") domain.greylist.delay = seconds(600);
      domain.greylist.traps = {"old-sales"};
      if (domain.name == "off.example") domain.greylist.when = GreylistWhen::never;
      if (domain.name == "strict.example") {
        domain.greylist.when = GreylistWhen::suspicious;
        domain.greylist.deny = list_of({"192.0.2.200", ".verified.example"});
      }
      if (domain.name == "kind.example") {
        domain.greylist.allow = list_of({"198.51.100.0/24"});
      }
      writer.add(hosted, encode(domain));
    }
    writer.commit();
    std::filesystem::create_symlink("generations/1", directory.path() / "current");
    live = std::make_unique<LivePolicy>(directory.path());
    milter = std::make_unique<GreylistMilter>(
        *live, store, checks, lookups, [this] { return Time{seconds(now)}; }, ask);
    store.use("memory:");
  }

  // One transaction from `client`; the reason of each recipient's verdict, and of the
  // one at DATA for the null sender.
  std::vector<std::string> reasons(std::initializer_list<const char*> recipients) {
    Session session(*milter, "greylist");
    session.connect({IpAddress::parse(client), client_name});
    session.helo("mx.sender.example");
    session.mail(sender);
    std::vector<std::string> found;
    for (const char* recipient : recipients) {
      found.emplace_back(session.recipient(recipient).reason());
    }
    if (sender == "<>") found.emplace_back(session.data().reason());
    return found;
  }

  // One transaction in which Postfix refuses the recipients with the status.
  void refuse(std::initializer_list<const char*> recipients, const char* status) {
    Session session(*milter, "greylist");
    session.connect({IpAddress::parse(client), client_name});
    session.mail(sender);
    for (const char* recipient : recipients) session.refused_recipient(recipient, status);
  }

  TempDirectory directory;
  std::unique_ptr<LivePolicy> live;
  GuardedStore store{directory.path()};
  // sender.example sends from two networks; acme.example has another backup MX.
  spf::Checks::Lookups lookups = [this](spf::Checks::Instant) {
    auto zone = std::make_unique<dns::Zone>();
    if (!dns_works) {
      zone->time_out("sender.example", dns::RecordType::txt);
      zone->time_out("friend.example", dns::RecordType::txt);
    }
    for (const char* one : {"friend.example", "firm.example"}) {
      zone->add(one, "v=spf1 ip4:198.51.100.0/24 -all");
    }
    zone->add("open.example", "v=spf1 +all");
    zone->add_address("mx2.other.example", "203.0.112.88");
    zone->add("acme.example", dns::RecordType::mx,
              dns::MailExchange{30, "mx2.other.example"});
    zone->add("sender.example", "v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/24 -all");
    zone->add("acme.example", dns::RecordType::mx,
              dns::MailExchange{20, "mx.other.example"});
    zone->add_address("mx.other.example", "203.0.112.77");
    return zone;
  };
  // Has 198.51.100.50; a list that does not answer is asked for 198.51.100.51.
  BlockLists::Ask ask = [this](const dns::Question& question, BlockLists::Instant) {
    ++lists_asked;
    std::promise<dns::Answer> answer;
    if (question.name().starts_with("51.")) {
      answer.set_value(dns::Answer::temporary(dns::Trouble::timed_out));
    } else if (question.name() == "50.100.51.198.bl.example") {
      answer.set_value(dns::Answer::found({*IpAddress::parse("127.0.0.2")}, seconds(60)));
    } else {
      answer.set_value(dns::Answer::absent(false, seconds(60)));
    }
    return answer.get_future();
  };
  int lists_asked = 0;
  spf::Checks checks{lookups};
  std::atomic<bool> dns_works{true};
  const char* client = "198.51.100.7";
  const char* client_name = "";
  std::string sender = "<a@plain.example>";
  std::int64_t now = 1'000'000;
  std::unique_ptr<GreylistMilter> milter;
};

using Reasons = std::vector<std::string>;

TEST_CASE("a sender waits for the delay of the domain", "[greylist]") {
  Rig rig;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 179;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-too-early"});
  rig.now += 1;
  CHECK(rig.reasons({"<X@ACME.example>"}) == Reasons{"greylist-passed"});
  rig.now += 86'400 * 30;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-known"});
}

TEST_CASE("a server of the same sender may try again from another network",
          "[greylist]") {
  Rig rig;
  rig.sender = "<a@sender.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  rig.client = "192.0.2.77";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  // Whatever of the domain comes next is known.
  rig.sender = "<b@sender.example>";
  rig.client = "198.51.100.9";
  CHECK(rig.reasons({"<y@slow.example>", "<x@acme.example>"}) ==
        Reasons{"greylist-known-identity", "greylist-follows"});
  // But not from elsewhere.
  rig.client = "203.0.112.9";
  CHECK(rig.reasons({"<y@acme.example>"}) == Reasons{"greylist-first-seen"});
}

TEST_CASE("servers with names of one organisation are one sender", "[greylist]") {
  Rig rig;
  rig.client_name = "mx1.pool.co.uk";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  rig.client_name = "mx2.out.pool.co.uk";
  rig.client = "192.0.2.77";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  rig.sender = "<a@other.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
}

TEST_CASE("a sender whose SPF could not be checked once does not wait twice",
          "[greylist]") {
  Rig rig;
  rig.sender = "<a@sender.example>";
  rig.dns_works = GENERATE(true, false);
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  rig.dns_works = !rig.dns_works;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
}

TEST_CASE("who asks whether an address exists is not deferred", "[greylist]") {
  Rig rig;
  rig.sender = "<>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"", "greylist-first-seen"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"", "greylist-passed"});
}

TEST_CASE("another MX of the recipient's domain does not wait", "[greylist]") {
  Rig rig;
  rig.client = "203.0.112.77";
  CHECK(rig.reasons({"<x@acme.example>", "<y@acme.example>", "<z@slow.example>"}) ==
        Reasons{"greylist-mail-host", "greylist-follows", "greylist-follows"});
  CHECK(rig.reasons({"<z@slow.example>"}) == Reasons{"greylist-known"});
  rig.sender = "<b@plain.example>";
  CHECK(rig.reasons({"<z@slow.example>"}) == Reasons{"greylist-first-seen"});
}

TEST_CASE("a sender that Postfix has deferred does not wait again", "[greylist]") {
  Rig rig;
  rig.sender = GENERATE("<a@plain.example>", "<a@sender.example>", "<>");
  const bool is_null = rig.sender == "<>";
  const auto answers = [&](const char* reason) {
    return is_null ? Reasons{"", reason} : Reasons{reason};
  };
  rig.refuse({"<x@acme.example>"}, "4.2.1");
  rig.refuse({"<y@acme.example>"}, "5.7.1");
  rig.refuse({"<z@elsewhere.example>"}, "4.7.1");  // relay access denied
  rig.now += 100;
  rig.refuse({"<x@acme.example>"}, "4.2.1");  // does not begin again
  rig.now += 80;
  CHECK(rig.reasons({"<y@acme.example>"}) == answers("greylist-first-seen"));
  CHECK(rig.reasons({"<x@acme.example>"}) == answers("greylist-passed"));
}

TEST_CASE("deferrals of Postfix count for the limit of a network", "[greylist]") {
  Rig rig;
  for (unsigned i = 0; i < GreylistMilter::kMostOfNetwork; ++i) {
    rig.sender = fmt::format("<{}@plain.example>", i);
    rig.refuse({"<x@acme.example>"}, "4.3.2");
  }
  rig.sender = "<another@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-flood"});
}

TEST_CASE("after mail to a trap new senders of the client wait longer", "[greylist]") {
  struct Row {
    const char* sender;
    const char* from_elsewhere;  // another client of the same domain
    bool waits_there_too;
  };
  const Row row = GENERATE(Row{"<a@plain.example>", "198.51.100.8", false},
                           Row{"<a@sender.example>", "192.0.2.77", true});
  CAPTURE(row.sender);
  Rig rig;
  rig.sender = row.sender;
  CHECK(rig.reasons({"<Old-Sales@acme.example>"}) == Reasons{"greylist-first-seen"});
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.client = row.from_elsewhere;
  CHECK(rig.reasons({"<y@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 3599;
  CHECK(rig.reasons({"<y@acme.example>"}) ==
        Reasons{row.waits_there_too ? "greylist-too-early" : "greylist-passed"});
  rig.client = "198.51.100.7";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-too-early"});
  rig.now += 1;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
}

TEST_CASE("a trap is forgotten after a day, and known senders do not feel it",
          "[greylist]") {
  Rig rig;
  rig.reasons({"<x@acme.example>"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  rig.sender = "<b@other.example>";
  rig.refuse({"<old-sales@acme.example>"}, "5.1.1");
  rig.sender = "<a@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-known"});
  rig.sender = "<b@other.example>";
  rig.reasons({"<x@acme.example>"});
  rig.now += 3000;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-too-early"});
  rig.now += 86'400;
  rig.reasons({"<x@acme.example>"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
}

TEST_CASE("many unknown recipients are as a trap, unless the client is verified",
          "[greylist]") {
  struct Row {
    const char* sender;
    unsigned unknown;
    const char* status;
    const char* reason;
  };
  const Row row = GENERATE(Row{"<a@plain.example>", 9, "5.1.1", "greylist-passed"},
                           Row{"<a@plain.example>", 10, "5.1.1", "greylist-too-early"},
                           Row{"<a@plain.example>", 10, "5.7.1", "greylist-passed"},
                           Row{"<a@sender.example>", 10, "5.1.1", "greylist-passed"});
  CAPTURE(row.sender, row.unknown, row.status);
  Rig rig;
  rig.sender = row.sender;
  for (unsigned i = 0; i < row.unknown; ++i) {
    rig.refuse({"<nobody@acme.example>"}, row.status);
  }
  rig.reasons({"<x@acme.example>"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{row.reason});
}

TEST_CASE("a bounce with an exempt recipient passes", "[greylist]") {
  Rig rig;
  rig.sender = "<>";
  CHECK(rig.reasons({"<x@acme.example>", "<postmaster@acme.example>"}) ==
        Reasons{"", "", ""});
}

TEST_CASE("what another message has in its place of a token is no retry", "[greylist]") {
  Rig rig;
  rig.sender = "<bounce-1234567@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  rig.sender = "<bounce-7654321@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.sender = "<bounce-1234567@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  rig.now += 7 * 86'400;
  rig.sender = "<bounce-9999999@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-known"});
}

TEST_CASE("a network without a verified identity has a bounded number that wait",
          "[greylist]") {
  Rig rig;
  for (unsigned i = 0; i < GreylistMilter::kMostOfNetwork; ++i) {
    rig.sender = "<a" + std::to_string(i) + "@plain.example>";
    CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  }
  rig.sender = "<another@plain.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-flood"});
  rig.client_name = "mx.verified.example";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.client_name = "";
  rig.sender = "<yet-another@plain.example>";
  rig.now += 3600;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
}

TEST_CASE("the first greylisted recipient decides for the others", "[greylist]") {
  Rig rig;
  CHECK(rig.reasons({"<p@elsewhere.example>", "<x@acme.example>", "<y@slow.example>"}) ==
        Reasons{"", "greylist-first-seen", "greylist-follows"});
  rig.now += 200;
  SECTION("let through before the delay of their own domain") {
    CHECK(rig.reasons({"<x@acme.example>", "<y@slow.example>", "<z@acme.example>"}) ==
          Reasons{"greylist-passed", "greylist-follows", "greylist-follows"});
    CHECK(rig.reasons({"<z@acme.example>", "<y@slow.example>"}) ==
          Reasons{"greylist-known", "greylist-follows"});
  }
  SECTION("deferred though they have waited long enough") {
    CHECK(rig.reasons({"<y@slow.example>", "<x@acme.example>"}) ==
          Reasons{"greylist-too-early", "greylist-follows"});
    CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  }
}

TEST_CASE("a recipient in shadow mode neither decides nor follows", "[greylist]") {
  Rig rig;
  CHECK(rig.reasons({"<s@shadow.example>", "<x@acme.example>", "<t@shadow.example>"}) ==
        Reasons{"greylist-shadow", "greylist-first-seen", "greylist-shadow"});
  rig.now += 200;
  CHECK(rig.reasons({"<s@shadow.example>", "<n@acme.example>"}) ==
        Reasons{"", "greylist-first-seen"});
}

TEST_CASE("an allowed client is not greylisted", "[greylist]") {
  Rig rig;
  rig.client = "192.0.2.200";
  CHECK(rig.reasons({"<x@acme.example>", "<y@slow.example>"}) ==
        Reasons{"greylist-allowed", "greylist-allowed"});
  rig.sender = "<>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-allowed", ""});
  rig.client = "192.0.2.201";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"", "greylist-first-seen"});
}

TEST_CASE("an allowed sender counts only if SPF confirms it", "[greylist]") {
  struct {
    const char* name;
    const char* client;
    const char* sender;
    bool dns_works;
    const char* reason;
  } const rows[] = {
      {"confirmed", "198.51.100.7", "<a@friend.example>", true, "greylist-allowed"},
      {"forged", "203.0.112.9", "<a@friend.example>", true, "greylist-first-seen"},
      {"not known in time", "198.51.100.7", "<a@friend.example>", false,
       "greylist-first-seen"},
      {"a domain below without a record", "198.51.100.7", "<a@sub.friend.example>", true,
       "greylist-first-seen"},
      {"by a record that allows anybody", "198.51.100.7", "<a@open.example>", true,
       "greylist-first-seen"},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Rig rig;
      rig.client = row.client;
      rig.sender = row.sender;
      rig.dns_works = row.dns_works;
      CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{row.reason});
    }
  }
}

TEST_CASE("of a denied client each sender and recipient waits for itself", "[greylist]") {
  Rig rig;
  rig.sender = "<a@sender.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  CHECK(rig.reasons({"<y@acme.example>"}) == Reasons{"greylist-known-identity"});
  rig.client = "198.51.100.99";
  CHECK(rig.reasons({"<y@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  CHECK(rig.reasons({"<y@acme.example>", "<z@acme.example>"}) ==
        Reasons{"greylist-passed", "greylist-first-seen"});
  CHECK(rig.reasons({"<y@acme.example>"}) == Reasons{"greylist-known"});
}

TEST_CASE("a denied client waits whatever `when` says", "[greylist]") {
  Rig rig;
  rig.client_name = "mx.good.example";
  CHECK(rig.reasons({"<x@off.example>", "<x@strict.example>"}) == Reasons{"", ""});
  SECTION("never") {
    rig.client = "198.51.100.99";
    CHECK(rig.reasons({"<x@off.example>"}) == Reasons{"greylist-first-seen"});
    rig.now += 200;
    CHECK(rig.reasons({"<x@off.example>"}) == Reasons{"greylist-passed"});
  }
  SECTION("suspicious") {
    rig.client_name = "mx.verified.example";
    CHECK(rig.reasons({"<x@strict.example>"}) == Reasons{"greylist-first-seen"});
  }
  SECTION("shadow mode") {
    rig.client = "198.51.100.99";
    CHECK(rig.reasons({"<x@shadow.example>"}) == Reasons{"greylist-shadow"});
  }
  SECTION("another MX of the domain") {
    rig.client = "203.0.112.88";
    CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  }
  SECTION("but not if it is trusted, nor to postmaster") {
    rig.client = "203.0.113.99";
    CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{""});
    rig.client = "198.51.100.99";
    CHECK(rig.reasons({"<postmaster@acme.example>"}) == Reasons{""});
  }
}

TEST_CASE("a denied sender is found though its identity is known", "[greylist]") {
  Rig rig;
  rig.sender = "<other@firm.example>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-first-seen"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"greylist-passed"});
  CHECK(rig.reasons({"<y@acme.example>"}) == Reasons{"greylist-known-identity"});
  rig.sender = "<bulk@firm.example>";
  CHECK(rig.reasons({"<y@acme.example>", "<x@off.example>"}) ==
        Reasons{"greylist-first-seen", "greylist-first-seen"});
  // Forged: not that sender.
  rig.client = "203.0.112.9";
  CHECK(rig.reasons({"<x@off.example>"}) == Reasons{""});
}

TEST_CASE("the list of the domain wins over that of the gateway", "[greylist]") {
  Rig rig;
  rig.client_name = "mx.good.example";
  rig.client = "192.0.2.200";
  CHECK(rig.reasons({"<x@acme.example>", "<x@strict.example>", "<y@acme.example>"}) ==
        Reasons{"greylist-allowed", "greylist-first-seen", "greylist-allowed"});
  rig.client = "198.51.100.99";
  CHECK(rig.reasons({"<x@kind.example>", "<x@acme.example>", "<y@kind.example>"}) ==
        Reasons{"greylist-allowed", "greylist-first-seen", "greylist-allowed"});
}

TEST_CASE("a denied recipient neither decides nor follows", "[greylist]") {
  Rig rig;
  rig.client_name = "mx.verified.example";
  CHECK(rig.reasons({"<y@strict.example>", "<x@acme.example>", "<z@slow.example>"}) ==
        Reasons{"greylist-first-seen", "greylist-first-seen", "greylist-follows"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>", "<n@strict.example>", "<m@acme.example>",
                     "<y@strict.example>"}) ==
        Reasons{"greylist-passed", "greylist-first-seen", "greylist-follows",
                "greylist-passed"});
  CHECK(rig.reasons({"<o@strict.example>", "<x@acme.example>"}) ==
        Reasons{"greylist-first-seen", "greylist-known"});
}

TEST_CASE("a bounce of a denied client waits at DATA", "[greylist]") {
  Rig rig;
  rig.client = "198.51.100.99";
  rig.sender = "<>";
  CHECK(rig.reasons({"<x@acme.example>"}) == Reasons{"", "greylist-first-seen"});
  CHECK(rig.reasons({"<x@off.example>"}) == Reasons{"", "greylist-first-seen"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@acme.example>", "<x@off.example>"}) ==
        Reasons{"", "", "greylist-passed"});
  CHECK(rig.reasons({"<x@acme.example>", "<postmaster@acme.example>"}) ==
        Reasons{"", "", ""});
}

TEST_CASE("a client with a name is suspicious if a block list has it", "[greylist]") {
  Rig rig;
  rig.client_name = "mx.good.example";
  CHECK(rig.reasons({"<x@off.example>"}) == Reasons{""});
  CHECK(rig.lists_asked == 0);
  CHECK(rig.reasons({"<x@strict.example>", "<y@strict.example>"}) == Reasons{"", ""});
  CHECK(rig.lists_asked == 1);
  rig.client = "198.51.100.51";
  CHECK(rig.reasons({"<x@strict.example>"}) == Reasons{""});
  rig.client = "198.51.100.50";
  CHECK(rig.reasons({"<x@off.example>", "<x@strict.example>"}) ==
        Reasons{"", "greylist-first-seen"});
  rig.now += 200;
  CHECK(rig.reasons({"<x@strict.example>"}) == Reasons{"greylist-passed"});
  // One that has no name might be verified by SPF, which takes as long.
  rig.lists_asked = 0;
  rig.client_name = "";
  rig.client = "203.0.112.9";
  CHECK(rig.reasons({"<x@strict.example>"}) == Reasons{"greylist-first-seen"});
  CHECK(rig.lists_asked == 1);
}

TEST_CASE("without a store mail passes", "[greylist]") {
  Rig rig;
  rig.store.use("sqlite:no/such/directory/greylist.db");
  CHECK(rig.reasons({"<x@acme.example>", "<y@acme.example>"}) ==
        Reasons{"greylist-store-fault", "greylist-store-fault"});
}

TEST_CASE("a fault of ours lets mail pass", "[greylist]") {
  Rig rig;
  CHECK(rig.milter->on_fault(Fault("read policy", "x", "y")).action() == Action::proceed);
  const std::unique_ptr<Connection> connection = rig.milter->connect({});
  const Envelope envelope;
  const auto filter = connection->begin(envelope);
  CHECK(filter->on_fault(Fault("read policy", "x", "y")).action() == Action::proceed);
}

TEST_CASE("a store in trouble is left alone for a while", "[greylist]") {
  const TempDirectory directory;
  int ms = 0;
  GuardedStore store(directory.path(),
                     [&] { return Breaker::Instant{std::chrono::milliseconds(ms)}; });
  const auto works = [&] {
    const Identity network{IdentityKind::network, "192.0.2.0/24"};
    return store
        .update(
            keys_of({network, network, "192.0.2.7", {}}, "a@s.example",
                    {"x", "acme.example"}, "acme.example"),
            [](const Look& look) { return decide(look, Time{seconds(1000)}, Terms{}); })
        .has_value();
  };
  store.use("sqlite:there/greylist.db");  // the first fault
  for (unsigned i = 1; i < GuardedStore::kFaults; ++i) CHECK_FALSE(works());
  std::filesystem::create_directory(directory.path() / "there");
  CHECK_FALSE(works());  // not even tried
  CHECK(store.state() == StoreState::resting);
  ms = 5000;
  CHECK(works());
  CHECK(store.state() == StoreState::in_use);
  store.use("memory:");
  CHECK(works());
}

TEST_CASE("mail passes if the session fails", "[greylist]") {
  CHECK(Rig().milter->passes_without_session());
}

}  // namespace
}  // namespace mxfeed::greylist
