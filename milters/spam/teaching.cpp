// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/teaching.h"

#include <algorithm>

#include "common/base/text.h"

namespace mxfeed::spam {

std::optional<HeldKind> taught_by(const Recipient& recipient,
                                  const DomainPolicy& policy) {
  if (!policy.is_hosted() || !policy.spam.enabled) return std::nullopt;
  const TeachingPolicy& teaching = policy.teaching;
  const auto is = [&](std::string_view local_part) {
    return !local_part.empty() && iequals(recipient.local_part, local_part);
  };
  if (is(teaching.report_spam)) return HeldKind::report_spam;
  if (is(teaching.report_ham)) return HeldKind::report_ham;
  if (std::ranges::any_of(teaching.traps, is)) return HeldKind::trap;
  return std::nullopt;
}

std::string_view to_string(Proof proof) {
  switch (proof) {
    case Proof::none:
      return "none";
    case Proof::trusted_client:
      return "trusted-client";
    case Proof::own_server:
      return "own-server";
    case Proof::sender:
      return "sender";
  }
  return "";
}

bool is_same_customer(const DomainPolicy& a, const DomainPolicy& b) {
  if (!a.is_hosted() || !b.is_hosted()) return false;
  if (a.name == b.name) return true;
  return !a.teaching.customer.empty() && a.teaching.customer == b.teaching.customer;
}

bool TaughtRecipients::add(const Recipient& recipient, const DomainPolicy& policy) {
  const auto kind = taught_by(recipient, policy);
  if (kind) all_.push_back({*kind, recipient.as_received, policy});
  return kind.has_value();
}

bool TaughtRecipients::has_report() const {
  return std::ranges::any_of(all_,
                             [](const One& one) { return one.kind != HeldKind::trap; });
}

std::vector<HeldKind> TaughtRecipients::kinds() const {
  std::vector<HeldKind> kinds;
  for (const One& one : all_) kinds.push_back(one.kind);
  return kinds;
}

Proof TaughtRecipients::prove(const One& one, const Reporter& reporter,
                              const std::function<bool()>& confirms) const {
  if (reporter.is_trusted) return Proof::trusted_client;
  const auto& servers = one.policy.teaching.servers;
  const auto is_it = [&](const Network& server) {
    return server.contains(*reporter.client);
  };
  if (reporter.client && std::ranges::any_of(servers, is_it)) return Proof::own_server;
  return confirms() ? Proof::sender : Proof::none;
}

std::optional<Verdict> TaughtRecipients::refusal(const Reporter& reporter,
                                                 const std::function<bool()>& confirms) {
  for (const One& one : all_) {
    if (!is_exchangeable(one.recipient)) {
      return Verdict::reject({550, "5.1.3"}, "spam-taught-address",
                             "Write this recipient's address without quotes");
    }
    if (one.kind == HeldKind::trap) continue;
    if (!is_same_customer(one.policy, reporter.policy)) {
      return Verdict::reject({550, "5.7.1"}, "spam-report-stranger",
                             "Only the users of this domain may report spam here");
    }
    proof_ = prove(one, reporter, confirms);
    if (proof_ == Proof::none) {
      return Verdict::reject({550, "5.7.1"}, "spam-report-unproved",
                             "The sender of this report is confirmed neither by SPF nor "
                             "by DMARC");
    }
  }
  return std::nullopt;
}

void TaughtRecipients::hold(const std::string& token, MessageEdits& edits) const {
  for (const One& one : all_) {
    const HeldAddress held{
        one.kind, token, one.policy.name,
        std::string(one.kind == HeldKind::trap ? "trap" : to_string(proof_)),
        one.recipient};
    edits.remove_recipient(held.recipient);
    edits.add_recipient(held.str());
  }
}

void TaughtRecipients::describe(LogFields& fields) const {
  std::string names;
  for (const HeldKind kind : kinds()) {
    if (!names.empty()) names += ',';
    names += to_string(kind);
  }
  if (names.empty()) return;
  fields.add("taught", names);
  if (has_report()) fields.add("proof", to_string(proof_));
}

}  // namespace mxfeed::spam
