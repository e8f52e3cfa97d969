// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/terms.h"

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/queue/hosting.h"

namespace mxfeed {
namespace {

using std::chrono::hours;

struct TermCase {
  const char* address;
  const char* domain;  // of the row; empty for other mail
};

const TermCase kTerms[] = {
    {"info@acme.example", "acme.example"},
    {"info@ACME.Example.", "acme.example"},
    {"info@sub.acme.example", ""},
    {"info@sub.family.example", "family.example"},
    {"info@deep.sub.family.example", "family.example"},
    {"info@own.family.example", "own.family.example"},
    {"info@left.family.example", ""},
    {"\"a@acme.example\"@elsewhere.example", ""},
    {"info@b\xC3\xBC"
     "cher.example",
     "xn--bcher-kva.example"},
    {"info@xn--bcher-kva.example", "xn--bcher-kva.example"},
    {"info@\xE2\x98\x83.family.example", "family.example"},
    {"info", ""},
    {"", ""},
    {"info@[192.0.2.1]", ""},
};

TEST_CASE("a recipient has the term of the row that routes it", "[postfix-conf]") {
  const Generated generated = hosting_of(
      {{.name = "acme.example", .queue_lifetime = hours(48)},
       {.name = "family.example", .below = Row::active, .queue_lifetime = hours(72)},
       {.name = "left.family.example", .own = Row::refused},
       {.name = "own.family.example", .queue_lifetime = hours(24)},
       {.name = "xn--bcher-kva.example", .queue_lifetime = hours(48)}});
  Terms terms(generated, std::nullopt);
  for (const auto& c : kTerms) {
    DYNAMIC_SECTION(c.address) {
      CHECK(terms.of(c.address).domain == c.domain);
      CHECK(terms.is_hosted(c.address) == !std::string_view(c.domain).empty());
      // The second time from memory.
      CHECK(terms.of(c.address).domain == c.domain);
    }
  }
  CHECK(terms.of("a@own.family.example").lifetime == hours(24));
}

TEST_CASE("what waits for the quarantine never expires", "[postfix-conf]") {
  const Generated generated = hosting_of({});
  Terms terms(generated, hours(24));
  const Time arrived(std::chrono::seconds(1'700'000'000));
  CHECK(terms.of("a@elsewhere.example").deadline(arrived) == arrived + hours(24));
  CHECK(terms.of("virus.x@quarantine.mxfeed.invalid").deadline(arrived) == std::nullopt);
  CHECK_FALSE(terms.is_hosted("virus.x@quarantine.mxfeed.invalid"));
}

TEST_CASE("what waits for a domain with standby mailboxes never expires",
          "[postfix-conf]") {
  const Generated generated =
      hosting_of({{.name = "a.example", .queue_lifetime = hours(48), .standby = true},
                  {.name = "b.example", .queue_lifetime = hours(48)},
                  {.name = "c.example",
                   .own = Row::kept,
                   .queue_lifetime = hours(48),
                   .standby = true}});
  Terms terms(generated, hours(24));
  CHECK(terms.of("x@a.example").is_standby);
  CHECK(terms.of("x@a.example").deadline(Time()) == std::nullopt);
  CHECK_FALSE(terms.of("x@b.example").is_standby);
  // It was removed from the configuration.
  CHECK_FALSE(terms.of("x@c.example").is_standby);
  CHECK(terms.of("x@c.example").deadline(Time()) == Time(hours(48)));
}

TEST_CASE("an extension delays, and never hastens, the deadline", "[postfix-conf]") {
  const Time arrived(std::chrono::seconds(1'700'000'000));
  Term term;
  term.lifetime = hours(48);
  CHECK(term.deadline(arrived) == arrived + hours(48));
  term.not_before = arrived + hours(1);
  CHECK(term.deadline(arrived) == arrived + hours(48));
  term.not_before = arrived + hours(100);
  CHECK(term.deadline(arrived) == arrived + hours(100));
  term.is_endless = true;
  CHECK(term.deadline(arrived) == std::nullopt);
}

}  // namespace
}  // namespace mxfeed
