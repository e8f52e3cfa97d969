// SPDX-License-Identifier: GPL-2.0-or-later
//
// The greylisting milter on a memory store, for the tests of its filter.

#pragma once

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/milter/session.h"
#include "common/policy/constdb.h"
#include "milters/greylist/filter.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/greylist/list_of.h"
#include "tests/unit/net/zone.h"

namespace mxfeed::greylist {

using std::chrono::seconds;
using Reasons = std::vector<std::string>;

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

}  // namespace mxfeed::greylist
