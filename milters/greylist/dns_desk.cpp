// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/dns_desk.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/clock.h"
#include "common/base/metrics.h"
#include "milters/greylist/mail_host.h"

namespace mxfeed::greylist {
namespace {

using SteadyTime = std::chrono::steady_clock;

Metric& resting() {
  static Metric& metric = gauge("mxfeed_greylist_spf_resting");
  return metric;
}

}  // namespace

std::optional<spf::Check> DnsDesk::begin(const Envelope& envelope,
                                         const GatewayPolicy& gateway) {
  const auto budget = gateway.greylist.spf_timeout;
  if (budget.count() == 0 || !envelope.client.address) return std::nullopt;
  const auto now = SteadyTime::now();
  if (!breaker_.allows(now)) return std::nullopt;
  spf::Session session{*envelope.client.address, envelope.helo, envelope.sender};
  if (!gateway.host_name.empty()) session.receiver = gateway.host_name;
  session.time = system_time();
  return checks_.begin(std::move(session), now + budget);
}

bool DnsDesk::is_mail_host(std::string_view domain, const Client& client,
                           spf::Checks::Instant deadline) const {
  const auto now = SteadyTime::now();
  if (now >= deadline || !breaker_.allows(now)) return false;
  const auto lookup = lookups_(deadline);
  return greylist::is_mail_host(domain, *client.address, *lookup);
}

spf::Verdict DnsDesk::end(spf::Check check) {
  spf::Verdict verdict = check.wait();
  counter("mxfeed_greylist_spf_total",
          fmt::format(R"(result="{}")", spf::to_string(verdict.result)))
      .add();
  if (verdict.result != spf::Result::temperror) {
    breaker_.succeeded();
    resting().set(0);
  } else if (breaker_.failed(SteadyTime::now())) {
    resting().set(1);
  }
  return verdict;
}

}  // namespace mxfeed::greylist
