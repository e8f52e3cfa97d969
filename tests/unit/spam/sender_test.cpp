// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/sender.h"

#include <map>
#include <memory>

#include "common/base/metrics.h"
#include "tests/support/catch.h"
#include "tests/unit/net/zone.h"

namespace mxfeed::spam {
namespace {

using spf::Result;

std::unique_ptr<dns::Lookup> zone(spf::Checks::Instant) {
  auto made = std::make_unique<dns::Zone>();
  made->add("pass.example", "v=spf1 ip4:198.51.100.7 -all");
  made->add("fail.example", "v=spf1 -all");
  made->add("softfail.example", "v=spf1 ~all");
  made->add("neutral.example", "v=spf1 ?all");
  made->add("broken.example", "v=spf1 nonsense");
  made->add("xn--bcher-kva.example", "v=spf1 +all");
  made->add("sw!p.pass.example", "v=spf1 +all");
  made->time_out("dead.example", dns::RecordType::txt);
  return made;
}

Envelope envelope_of(const std::string& sender, const char* client = "198.51.100.7") {
  Envelope envelope;
  envelope.client.address = IpAddress::parse(client);
  envelope.helo = "helo.pass.example";
  envelope.sender = sender;
  return envelope;
}

GatewayPolicy gateway() {
  GatewayPolicy policy;
  policy.trusted_networks = {*Network::parse("192.0.2.0/24")};
  return policy;
}

struct Case {
  const char* name;
  Envelope envelope;
  const char* want;
};

Envelope with_helo(const char* helo) {
  Envelope envelope = envelope_of("");
  envelope.helo = helo;
  return envelope;
}

Envelope authenticated() {
  Envelope envelope = envelope_of("a@fail.example");
  envelope.authenticated = true;
  return envelope;
}

Envelope local() {
  Envelope envelope = envelope_of("a@fail.example");
  envelope.client.address.reset();
  return envelope;
}

const Case kCases[] = {
    {"a pass", envelope_of("a@Pass.Example"), "spf=pass smtp.mailfrom=pass.example"},
    {"another client", envelope_of("a@pass.example", "198.51.100.8"),
     "spf=fail smtp.mailfrom=pass.example"},
    {"a fail", envelope_of("a@fail.example"), "spf=fail smtp.mailfrom=fail.example"},
    {"a softfail", envelope_of("a@softfail.example"),
     "spf=softfail smtp.mailfrom=softfail.example"},
    {"neutral", envelope_of("a@neutral.example"),
     "spf=neutral smtp.mailfrom=neutral.example"},
    {"no record", envelope_of("a@none.example"), "spf=none smtp.mailfrom=none.example"},
    {"a malformed record", envelope_of("a@broken.example"),
     "spf=permerror smtp.mailfrom=broken.example"},
    {"no answer", envelope_of("a@dead.example"),
     "spf=temperror smtp.mailfrom=dead.example"},
    {"U-labels",
     envelope_of("a@b\xc3\xbc"
                 "cher.example"),
     "spf=pass smtp.mailfrom=xn--bcher-kva.example"},
    {"the null sender", with_helo("Pass.example"), "spf=pass smtp.helo=pass.example"},
    {"the null sender without a record", with_helo("none.example"),
     "spf=none smtp.helo=none.example"},
    {"the null sender, a literal", with_helo("[198.51.100.7]"), "spf=none"},
    {"the null sender without HELO", with_helo(""), "spf=none"},
    // Postfix makes an address of our own domain of it.
    {"a sender without a domain", envelope_of("pass.example"), "spf=none"},
    // Postfix would take this for p.pass.example@sw.
    {"a bang path", envelope_of("sw!p.pass.example"), "spf=none"},
    {"the last @ counts", envelope_of("\"a@pass.example\"@fail.example"),
     "spf=fail smtp.mailfrom=fail.example"},
    {"what is not a domain", envelope_of("a@sw!p.pass.example"), "spf=pass"},
    {"an address that would add a field", envelope_of("a@x\r\nX-Mxfeed-Sender: own"),
     "spf=none"},
    {"a trusted client", envelope_of("a@fail.example", "192.0.2.1"), "own"},
    {"an authenticated client", authenticated(), "own"},
    {"a local client", local(), "own"},
};

TEST_CASE("what is recorded of a sender", "[spam]") {
  spf::Checks checks(zone);
  const GatewayPolicy policy = gateway();
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    Sender sender(c.envelope, policy, checks);
    sender.begin_check();
    const auto check = sender.check();
    REQUIRE(check);
    CHECK(compose(*check) == c.want);
    // Without having been started.
    Sender late(c.envelope, policy, checks);
    CHECK(late.check() == check);
  }
}

TEST_CASE("without SPF only own clients are recorded", "[spam]") {
  unsigned lookups = 0;
  spf::Checks checks([&](spf::Checks::Instant) {
    ++lookups;
    return std::make_unique<dns::Zone>();
  });
  GatewayPolicy policy = gateway();
  policy.spam.spf_timeout = std::chrono::seconds(0);
  const Envelope stranger = envelope_of("a@pass.example");
  Sender sender(stranger, policy, checks);
  sender.begin_check();
  CHECK_FALSE(sender.check());
  LogFields fields;
  sender.describe(fields);
  CHECK(fields.empty());
  const Envelope own = envelope_of("a@pass.example", "192.0.2.1");
  CHECK(Sender(own, policy, checks).check() == SenderCheck{});
  CHECK(lookups == 0);
}

TEST_CASE("results are counted and logged", "[spam]") {
  spf::Checks checks(zone);
  const GatewayPolicy policy = gateway();
  struct {
    const char* sender;
    const char* label;
    const char* log;
  } const rows[] = {
      {"a@pass.example", R"(result="pass")", "spf=pass"},
      {"a@fail.example", R"(result="fail")", "spf=fail"},
      {"a@dead.example", R"(result="temperror")",
       R"(spf=temperror spf_problem="dead.example: TXT: timed out")"},
      {"a@broken.example", R"(result="permerror")",
       R"(spf=permerror spf_problem="broken.example: nonsense: unknown mechanism")"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.sender);
    Metric& metric = counter("mxfeed_spf_results_total", row.label);
    const auto before = metric.value();
    const Envelope envelope = envelope_of(row.sender);
    Sender sender(envelope, policy, checks);
    sender.check();
    CHECK(metric.value() == before + 1);
    LogFields fields;
    sender.describe(fields);
    CHECK(fields.str() == row.log);
  }
}

TEST_CASE("a sender is confirmed for his organisation, not by a record for anybody",
          "[spam]") {
  const struct {
    const char* claim;
    Envelope envelope;
    const char* domain;
    bool want;
  } rows[] = {
      {"its own", envelope_of("a@pass.example"), "pass.example", true},
      {"below it", envelope_of("a@pass.example"), "mail.pass.example", true},
      {"another's", envelope_of("a@pass.example"), "fail.example", false},
      {"a fail", envelope_of("a@fail.example"), "fail.example", false},
      {"anybody may", envelope_of("a@xn--bcher-kva.example"), "xn--bcher-kva.example",
       false},
      {"HELO", with_helo("pass.example"), "pass.example", false},
      {"no domain", envelope_of("a@pass.example"), "", false},
  };
  for (const auto& row : rows) {
    INFO(row.claim);
    const GatewayPolicy policy = gateway();
    spf::Checks checks(zone);
    Sender sender(row.envelope, policy, checks);
    CHECK_FALSE(sender.confirms(row.domain));
    sender.check();
    CHECK(sender.confirms(row.domain) == row.want);
  }
}

}  // namespace
}  // namespace mxfeed::spam
