// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the daemon makes of records that were imported.

#include "milters/greylist/import/adoption.h"

#include <chrono>
#include <memory>
#include <string>

#include "milters/greylist/stores/store.h"
#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Time kNow{seconds(1'800'000'000)};
constexpr hours kDay{24};

Deadline soon() {
  return std::chrono::steady_clock::now() + seconds(5);
}

DomainPolicy acme() {
  DomainPolicy policy;
  policy.name = "acme.example";
  policy.content_class = 1;
  return policy;
}

ForeignRecord record(ForeignState state, seconds first_ago, seconds last_ago,
                     std::uint32_t passes = 1) {
  ForeignRecord one{state,
                    *IpAddress::parse("198.51.100.0"),
                    "a@s.example",
                    "info@acme.example",
                    kNow - first_ago,
                    kNow - last_ago,
                    passes};
  if (state == ForeignState::host || state == ForeignState::domain) one.recipient.clear();
  if (state == ForeignState::host) one.sender.clear();
  return one;
}

struct Sender {
  std::string address = "198.51.100.7";
  std::string name = "";  // in DNS
  std::string sender = "a@s.example";
  std::string recipient = "info@acme.example";
};

class Site {
 public:
  Fate import(const ForeignRecord& one, Time now = kNow) {
    const auto adopted = adopt(one, acme(), {}, now);
    if (const auto* const fate = std::get_if<Fate>(&adopted)) return *fate;
    const auto& adoption = std::get<Adoption>(adopted);
    const Decision decision = store_->update(
        adoption.keys, [&](const Look& look) { return merge(adoption, look, now); },
        soon());
    return decision.changes.empty() ? Fate::known : Fate::taken;
  }

  Outcome decide_on(const Sender& sender, Time now = kNow, const char* spf = "") {
    spf::Verdict verdict;
    if (*spf != '\0') {
      verdict.result = spf::Result::pass;
      verdict.domain = spf;
      verdict.mechanism = "mx";
    }
    const Identities who = identities_of({IpAddress::parse(sender.address), sender.name},
                                         sender.sender, verdict, {});
    const Keys keys =
        keys_of(who, sender.sender, Recipient::parse(sender.recipient), "acme.example");
    const Terms terms = terms_for(who, acme().greylist);
    return store_
        ->update(
            keys, [&](const Look& look) { return decide(look, now, terms); }, soon())
        .outcome;
  }

  std::optional<Record> find(const ForeignRecord& one, Slot slot) {
    const auto adopted = adopt(one, acme(), {}, kNow);
    std::optional<Record> found;
    store_->update(
        std::get<Adoption>(adopted).keys,
        [&](const Look& look) {
          found = look(slot);
          return Decision{};
        },
        soon());
    return found;
  }

 private:
  std::unique_ptr<Store> store_ = open_memory_store();
};

TEST_CASE("a pair that had passed is known from its network", "[greylist]") {
  Site site;
  CHECK(site.import(record(ForeignState::passed, 10 * kDay, kDay)) == Fate::taken);
  CHECK(site.decide_on({}) == Outcome::known);
  CHECK(site.decide_on({.address = "198.51.100.200"}) == Outcome::known);
  CHECK(site.decide_on({.name = "mx.s.example"}) == Outcome::known);
  CHECK(site.decide_on({.sender = "A@S.example", .recipient = "INFO@acme.example"}) ==
        Outcome::known);
  CHECK(site.decide_on({.address = "198.51.101.7"}) == Outcome::first_seen);
  CHECK(site.decide_on({.sender = "b@s.example"}) == Outcome::first_seen);
  CHECK(site.decide_on({.recipient = "sales@acme.example"}) == Outcome::first_seen);
}

TEST_CASE("what postgrey makes of a sender is the sender here", "[greylist]") {
  for (const auto& [theirs, ours] :
       {std::pair{"bounce-#@s.example", "bounce-12345@s.example"},
        {"bounce-#-#@s.example", "Bounce-77-4711@s.example"},
        {"news@s.example", "news+list@s.example"},
        {"ann@s.example", "prvs=0123456789=ann@s.example"},
        // Without and with quotes, as Postfix gives it to a policy service and a milter.
        {"x y\\z@s.example", "\"x y\\\\z\"@s.example"}}) {
    INFO(ours);
    Site site;
    ForeignRecord one = record(ForeignState::passed, 10 * kDay, kDay);
    one.sender = theirs;
    CHECK(site.import(one) == Fate::taken);
    CHECK(site.decide_on({.sender = ours}) == Outcome::known);
  }
}

TEST_CASE("two pairs of a network make it known in the name of the domain",
          "[greylist]") {
  Site site;
  ForeignRecord one = record(ForeignState::passed, 10 * kDay, kDay);
  site.import(one);
  one.sender = "b@s.example";
  one.last_seen += seconds(3599);
  site.import(one);
  CHECK(site.decide_on({.sender = "c@s.example"}) == Outcome::first_seen);
  one.sender = "d@s.example";
  one.last_seen += seconds(3600);
  site.import(one);
  CHECK(site.decide_on({.sender = "e@s.example"}) == Outcome::known_identity);
}

TEST_CASE("a sender that waited goes on waiting", "[greylist]") {
  Site site;
  CHECK(site.import(record(ForeignState::waiting, seconds(600), seconds(600), 0)) ==
        Fate::taken);
  CHECK(site.decide_on({}) == Outcome::too_early);
  CHECK(site.decide_on({}, kNow + seconds(300)) == Outcome::passed);
  Site other;
  other.import(record(ForeignState::waiting, seconds(900), seconds(900), 0));
  CHECK(other.decide_on({}) == Outcome::passed);
}

TEST_CASE("a host that had passed twice is known", "[greylist]") {
  ForeignRecord one = record(ForeignState::host, kDay, kDay, 1);
  one.client = *IpAddress::parse("198.51.100.7");
  Site site;
  CHECK(site.import(one) == Fate::taken);
  CHECK(site.decide_on({}) == Outcome::first_seen);
  one.passes = 5;
  CHECK(site.import(one) == Fate::taken);
  CHECK(site.decide_on({.sender = "x@elsewhere.example"}) == Outcome::known_identity);
  CHECK(site.decide_on({.address = "198.51.100.8", .sender = "y@elsewhere.example"}) ==
        Outcome::first_seen);
}

TEST_CASE("a domain is known from the network, and where the client is verified",
          "[greylist]") {
  Site site;
  CHECK(site.import(record(ForeignState::domain, 10 * kDay, kDay, 1)) == Fate::taken);
  CHECK(site.decide_on({.sender = "b@mail.s.example"}) == Outcome::first_seen);
  CHECK(site.decide_on({.address = "203.0.113.7", .sender = "b@s.example"}, kNow,
                       "s.example") == Outcome::known_identity);
  CHECK(site.decide_on({.address = "203.0.113.8", .sender = "b@s.example"}, kNow,
                       "other.example") == Outcome::first_seen);
  CHECK(site.import(record(ForeignState::domain, 10 * kDay, kDay, 2)) == Fate::taken);
  CHECK(site.decide_on({.sender = "c@mail.s.example"}) == Outcome::known_identity);
}

TEST_CASE("what is not taken has a reason", "[greylist]") {
  const auto fate_of = [](const ForeignRecord& one,
                          const std::optional<DomainPolicy>& domain) {
    const auto adopted = adopt(one, domain, {}, kNow);
    const auto* const fate = std::get_if<Fate>(&adopted);
    return fate == nullptr ? Fate::taken : *fate;
  };
  const DomainPolicy ours = acme();
  const auto keep = ours.greylist.keep;
  const auto window = ours.greylist.retry_window;
  using enum ForeignState;
  CHECK(fate_of(record(passed, keep, keep), ours) == Fate::taken);
  CHECK(fate_of(record(passed, keep, keep + seconds(1)), ours) == Fate::expired);
  CHECK(fate_of(record(waiting, window, seconds(0)), ours) == Fate::taken);
  CHECK(fate_of(record(waiting, window + seconds(1), seconds(0)), ours) == Fate::expired);
  CHECK(fate_of(record(host, keep, keep + seconds(1)), ours) == Fate::expired);
  CHECK(fate_of(record(passed, kDay, kDay), std::nullopt) == Fate::other_domain);
  CHECK(fate_of(record(ForeignState::domain, kDay, kDay), std::nullopt) == Fate::taken);
  ForeignRecord numbered = record(waiting, seconds(1), seconds(1), 0);
  numbered.sender = "bounce-#@s.example";
  CHECK(fate_of(numbered, ours) == Fate::altered);
}

TEST_CASE("a time in the future counts as now", "[greylist]") {
  Site site;
  const ForeignRecord one = record(ForeignState::passed, -400 * kDay, -900 * kDay);
  CHECK(site.import(one) == Fate::taken);
  const auto there = site.find(one, Slot::network_passed);
  REQUIRE(there);
  CHECK(there->first_seen == kNow);
  CHECK(there->last_seen == kNow);
  CHECK(there->expires == kNow + acme().greylist.keep);
}

TEST_CASE("an import again changes nothing", "[greylist]") {
  Site site;
  for (const auto state : {ForeignState::passed, ForeignState::host, ForeignState::domain,
                           ForeignState::waiting}) {
    ForeignRecord one = record(state, seconds(1000), seconds(500), 1);
    if (state == ForeignState::waiting) one.sender = "waits@w.example";
    CHECK(site.import(one) == Fate::taken);
    CHECK(site.import(one) == Fate::known);
    CHECK(site.import(one, kNow + seconds(60)) == Fate::known);
  }
}

TEST_CASE("newer knowledge stays", "[greylist]") {
  SECTION("a pass here") {
    Site site;
    const ForeignRecord old = record(ForeignState::passed, 10 * kDay, 5 * kDay);
    site.decide_on({}, kNow - 2 * kDay);
    REQUIRE(site.decide_on({}, kNow - 2 * kDay + seconds(900)) == Outcome::passed);
    const auto before = site.find(old, Slot::network_passed);
    CHECK(site.import(old) == Fate::known);
    CHECK(site.find(old, Slot::network_passed) == before);
  }
  SECTION("a wait here") {
    Site site;
    REQUIRE(site.decide_on({}, kNow - seconds(100)) == Outcome::first_seen);
    const ForeignRecord old = record(ForeignState::waiting, seconds(50), seconds(50), 0);
    const auto before = site.find(old, Slot::network_waiting);
    CHECK(site.import(old) == Fate::known);
    CHECK(site.find(old, Slot::network_waiting) == before);
    // But a pass ends it.
    CHECK(site.import(record(ForeignState::passed, seconds(900), seconds(100))) ==
          Fate::taken);
    CHECK(site.decide_on({}) == Outcome::known);
  }
  SECTION("a pair that passed does not wait again") {
    Site site;
    site.import(record(ForeignState::passed, kDay, kDay));
    CHECK(site.import(record(ForeignState::waiting, seconds(50), seconds(50), 0)) ==
          Fate::known);
  }
  SECTION("more passes of a host") {
    Site site;
    const ForeignRecord many = record(ForeignState::host, kDay, kDay, 7);
    site.import(many);
    ForeignRecord few = many;
    few.passes = 3;
    few.last_seen -= kDay;
    CHECK(site.import(few) == Fate::known);
    CHECK(site.find(many, Slot::host)->passes == 7);
  }
}

}  // namespace
}  // namespace mxfeed::greylist
