// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/sender.h"

#include <fmt/format.h>

#include "common/base/clock.h"
#include "common/base/metrics.h"
#include "common/net/organisation.h"

namespace mxfeed::spam {
namespace {

void count(spf::Result result) {
  counter("mxfeed_spf_results_total",
          fmt::format(R"(result="{}")", spf::to_string(result)))
      .add();
}

}  // namespace

CheckedIdentity checked_identity(const Envelope& envelope) {
  if (envelope.sender.empty()) return {SenderIdentity::helo, envelope.helo};
  const std::size_t at = envelope.sender.rfind('@');
  // Postfix adds a domain of its own to an address without one.
  if (at == std::string::npos) return {};
  return {SenderIdentity::mail_from, envelope.sender.substr(at + 1)};
}

Sender::Sender(const Envelope& envelope, const GatewayPolicy& gateway,
               spf::Checks& checks)
    : envelope_(envelope),
      gateway_(gateway),
      checks_(checks),
      is_own_(!gateway.trust(envelope).empty()),
      identity_(checked_identity(envelope)) {}

void Sender::begin_check() {
  const auto timeout = gateway_.spam.spf_timeout;
  if (is_own_ || check_ || verdict_ || timeout.count() == 0) return;
  if (identity_.domain.empty()) {
    verdict_.emplace();
    return;
  }
  spf::Session session{*envelope_.client.address, envelope_.helo, envelope_.sender};
  if (!gateway_.host_name.empty()) session.receiver = gateway_.host_name;
  session.time = system_time();
  check_.emplace(
      checks_.begin(std::move(session), std::chrono::steady_clock::now() + timeout));
}

std::optional<SenderCheck> Sender::check() {
  if (is_own_) return SenderCheck{};
  begin_check();
  if (check_) verdict_ = check_->wait();
  check_.reset();
  if (!verdict_) return std::nullopt;
  count(verdict_->result);
  return sender_check(verdict_->result, identity_.identity, identity_.domain);
}

bool Sender::confirms(std::string_view domain) const {
  return verdict_ && verdict_->result == spf::Result::pass && !verdict_->is_open &&
         identity_.identity == SenderIdentity::mail_from &&
         organisation_of(verdict_->domain) == organisation_of(domain);
}

void Sender::describe(LogFields& fields) const {
  if (!verdict_) return;
  fields.add("spf", spf::to_string(verdict_->result));
  if (verdict_->result == spf::Result::temperror ||
      verdict_->result == spf::Result::permerror) {
    fields.add("spf_problem", verdict_->problem);
  }
}

}  // namespace mxfeed::spam
