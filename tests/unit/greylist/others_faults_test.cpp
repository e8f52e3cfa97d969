// SPDX-License-Identifier: GPL-2.0-or-later
//
// What other greylisters were found to do wrong, each as a claim on ours: identities,
// keys and decision together, with the store in memory.

#include <string>

#include "common/mail/envelope.h"
#include "milters/greylist/decision.h"
#include "milters/greylist/key.h"
#include "milters/greylist/stores/store.h"
#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

constexpr int kDay = 86'400;

// A gateway that greylists acme.example.
class Gateway {
 public:
  struct Try {
    std::string client = "198.51.100.7";
    std::string sender = "a@s.example";
    std::string recipient = "info";
  };

  Outcome at(int when, const Try& one) {
    const Client client{IpAddress::parse(one.client), {}};
    const Recipient recipient{one.recipient, "acme.example"};
    const auto who = identities_of(client, one.sender, {}, {});
    const auto terms = terms_for(who, policy_);
    return store_
        ->update(
            keys_of(who, one.sender, recipient, "acme.example"),
            [&](const Look& look) { return decide(look, Time{seconds(when)}, terms); },
            std::chrono::steady_clock::now() + seconds(5))
        .outcome;
  }

 private:
  const GreylistPolicy policy_;
  std::unique_ptr<Store> store_ = open_memory_store();
};

// spamd: a sender is let through at its third try, since the second only marks it.
TEST_CASE("the second try passes if it comes late enough", "[greylist]") {
  Gateway gateway;
  CHECK(gateway.at(0, {}) == Outcome::first_seen);
  CHECK(gateway.at(900, {}) == Outcome::passed);
}

// filter-spfgreylist: each early retry begins the wait anew.
TEST_CASE("a sender that retries each minute passes when its time has come",
          "[greylist]") {
  Gateway gateway;
  for (int when = 0; when < 900; when += 60) gateway.at(when, {});
  CHECK(gateway.at(900, {}) == Outcome::passed);
}

// rspamd: who has passed is kept as long as who waits, a day.
TEST_CASE("a sender that writes once a week is greylisted once", "[greylist]") {
  Gateway gateway;
  gateway.at(0, {});
  CHECK(gateway.at(900, {}) == Outcome::passed);
  for (int week = 1; week <= 20; ++week) {
    CAPTURE(week);
    CHECK(gateway.at(week * 7 * kDay, {}) >= Outcome::known);
  }
}

// postgrey: clients are known by the whole address, though messages are by network.
TEST_CASE("a sender that changes its IPv6 address within the /64 becomes known",
          "[greylist]") {
  Gateway gateway;
  const auto try_from = [](int host, const char* sender) {
    return Gateway::Try{"2001:db8::" + std::to_string(host), sender, "info"};
  };
  int when = 0;
  for (int mail = 1; mail <= 2; ++mail, when += kDay) {
    const std::string sender =
        std::string(1, static_cast<char>('a' + mail)) + "@s.example";
    CHECK(gateway.at(when, try_from(2 * mail, sender.c_str())) == Outcome::first_seen);
    CHECK(gateway.at(when + 900, try_from(2 * mail + 1, sender.c_str())) ==
          Outcome::passed);
  }
  CHECK(gateway.at(when, try_from(9, "new@s.example")) == Outcome::known_identity);
  // Of another network nothing is known.
  CHECK(gateway.at(when, {"2001:db8:0:1::9", "new@s.example", "info"}) ==
        Outcome::first_seen);
}

// milter-greylist: what stands before the last "=" of a sender is left out.
TEST_CASE("senders that differ before a = are different", "[greylist]") {
  Gateway gateway;
  gateway.at(0, {.sender = "anna=x@s.example"});
  CHECK(gateway.at(900, {.sender = "anna=x@s.example"}) == Outcome::passed);
  CHECK(gateway.at(901, {.sender = "bert=x@s.example"}) == Outcome::first_seen);
}

// sql-greylist-milter: the null sender is refused for good, and the key is the
// Message-ID, so that a message with several recipients is a retry of itself.
TEST_CASE("a bounce passes like other mail, and each recipient waits for itself",
          "[greylist]") {
  Gateway gateway;
  CHECK(gateway.at(0, {.sender = ""}) == Outcome::first_seen);
  CHECK(gateway.at(900, {.sender = "", .recipient = "other"}) == Outcome::first_seen);
  CHECK(gateway.at(900, {.sender = ""}) == Outcome::passed);
}

// rspamd: one of two keys, of the text and of the envelope, is enough.
TEST_CASE("what has passed for one recipient does not for another", "[greylist]") {
  Gateway gateway;
  gateway.at(0, {});
  CHECK(gateway.at(900, {}) == Outcome::passed);
  CHECK(gateway.at(901, {.recipient = "other"}) == Outcome::first_seen);
  CHECK(gateway.at(901, {.sender = "b@s.example"}) == Outcome::first_seen);
}

// Whoever chooses an address could else imitate the key of another message.
TEST_CASE("no separator in an address makes two messages one", "[greylist]") {
  Gateway gateway;
  gateway.at(0, {.sender = "a@s.example", .recipient = "x/y"});
  CHECK(gateway.at(900, {.sender = "a@s.example/x", .recipient = "y"}) ==
        Outcome::first_seen);
  CHECK(gateway.at(900, {.sender = "a@s.example", .recipient = "x/y"}) ==
        Outcome::passed);
}

}  // namespace
}  // namespace mxfeed::greylist
