// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/key.h"

#include <set>
#include <utility>

#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

const Recipient kRecipient{"Info", "acme.example"};
const Identity kNetwork{IdentityKind::network, "198.51.100.0/24"};
const Identity kDomain{IdentityKind::domain, "s.example"};

Keys of_network(std::string_view sender, const Recipient& recipient) {
  return keys_of({kNetwork, kNetwork, "198.51.100.7", {}}, sender, recipient,
                 recipient.domain);
}
std::string passed(std::string_view sender, const Recipient& recipient) {
  return of_network(sender, recipient).at(Slot::network_passed).digest;
}
std::string waiting(std::string_view sender, const Recipient& recipient) {
  return of_network(sender, recipient).at(Slot::network_waiting).digest;
}

TEST_CASE("a key names its identity and the domain, addresses only in a digest",
          "[greylist]") {
  const Keys keys = keys_of({kDomain, kNetwork, "198.51.100.7", "isp.example"},
                            "a@mail.s.example", kRecipient, "acme.example");
  CHECK(keys.has_best);
  CHECK(keys.scope == "s.example");
  std::set<std::string> digests;
  for (const Key& key : keys.by_slot) {
    CHECK(key.digest.size() == 16);
    digests.insert(key.digest);
  }
  CHECK(digests.size() == kSlots);
  const Key& best = keys.at(Slot::best_waiting);
  CHECK(best.about == About::waiting);
  CHECK(best.identity == kDomain);
  CHECK(best.domain == "acme.example");
  CHECK_FALSE(best.is_second);
  CHECK(keys.at(Slot::network_waiting).identity == kNetwork);
  CHECK(keys.at(Slot::network_waiting).is_second);
  CHECK(keys.at(Slot::best_identity).domain == "s.example");
  CHECK_FALSE(of_network("a@s.example", kRecipient).has_best);
  CHECK_FALSE(of_network("a@s.example", kRecipient).at(Slot::network_waiting).is_second);
}

TEST_CASE("the network's keys are the same with and without a better identity",
          "[greylist]") {
  const Keys with = keys_of({kDomain, kNetwork, "198.51.100.7", {}}, "a@s.example",
                            kRecipient, "acme.example");
  const Keys without = of_network("a@s.example", kRecipient);
  for (const Slot slot : {Slot::network_identity, Slot::network_passed,
                          Slot::network_waiting, Slot::host}) {
    CHECK(with.at(slot).digest == without.at(slot).digest);
  }
}

TEST_CASE("another message of a sender is known, but is no retry", "[greylist]") {
  const char* const one = "bounce-1234567@l.example";
  const char* const other = "bounce-7654321@l.example";
  CHECK(passed(one, kRecipient) == passed(other, kRecipient));
  CHECK(waiting(one, kRecipient) != waiting(other, kRecipient));
  CHECK(waiting("A@S.example", kRecipient) == waiting("a@s.example", kRecipient));
  CHECK(passed(one, {"info", "acme.example"}) == passed(one, kRecipient));
  CHECK(passed(one, {"sales", "acme.example"}) != passed(one, kRecipient));
}

TEST_CASE("the scope is the organisation of the sender, or of who bounces",
          "[greylist]") {
  CHECK(scope_of({}, "a@News.Shop.co.uk", "acme.example") == "shop.co.uk");
  CHECK(scope_of({}, "a@s.example", "acme.example") == "s.example");
  CHECK(scope_of(kNetwork, "", "acme.example") == "<>acme.example");
  CHECK(scope_of(kDomain, "", "acme.example") == "s.example");
  CHECK(scope_of({}, "root", "acme.example") == "@");
  CHECK(scope_of({}, "root@", "acme.example") == "@");
  CHECK(scope_of({}, "a@[192.0.2.1]", "acme.example") == "[192.0.2.1]");
}

TEST_CASE("a host and a provider are known for any sender", "[greylist]") {
  const Identities who{kDomain, kNetwork, "198.51.100.7", "isp.example"};
  const auto digests = [&](std::string_view sender) {
    const Keys keys = keys_of(who, sender, kRecipient, "acme.example");
    CHECK(keys.has_provider);
    return std::pair(keys.at(Slot::host).digest, keys.at(Slot::provider).digest);
  };
  CHECK(digests("a@s.example") == digests("b@t.example"));
  CHECK(digests("a@s.example").first != digests("a@s.example").second);
  CHECK_FALSE(of_network("a@s.example", kRecipient).has_provider);
}

TEST_CASE("an identity is known for one scope", "[greylist]") {
  const auto identity = [](std::string_view sender) {
    return of_network(sender, kRecipient).at(Slot::network_identity).digest;
  };
  CHECK(identity("a@s.example") == identity("b@mail.s.example"));
  CHECK(identity("a@s.example") != identity("a@t.example"));
}

TEST_CASE("no address can make the key of another", "[greylist]") {
  // The same bytes, divided in other places.
  std::set<std::string> keys;
  keys.insert(waiting("a", {"bc", "d.example"}));
  keys.insert(waiting("ab", {"c", "d.example"}));
  keys.insert(waiting("a:b", {"c", "d.example"}));
  keys.insert(waiting("a", {"b:c", "d.example"}));
  keys.insert(waiting("", {"abc", "d.example"}));
  keys.insert(waiting("a c", {"b", "d.example"}));
  CHECK(keys.size() == 6);
}

}  // namespace
}  // namespace mxfeed::greylist
