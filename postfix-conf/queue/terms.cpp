// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/terms.h"

#include <algorithm>
#include <utility>

#include "common/mail/envelope.h"
#include "common/mail/held_address.h"
#include "postfix-conf/postfix/queue.h"

namespace mxfeed {
namespace {

// Whether mail waits because the operator wants it to.
bool is_endless(Row row) {
  switch (row) {
    case Row::paused:
    case Row::protect:
      return true;
    case Row::none:
    case Row::active:
    case Row::kept:
    case Row::refused:
      break;
  }
  return false;
}

}  // namespace

std::optional<Time> Term::deadline(Time arrived) const {
  if (is_endless) return std::nullopt;
  return std::max(arrived + lifetime, not_before);
}

Terms::Terms(const Generated& generated, std::optional<std::chrono::seconds> others)
    : generated_(generated) {
  others_.lifetime = others.value_or(std::chrono::seconds(0));
  others_.is_endless = !others;
}

const Term& Terms::of(std::string_view address) {
  std::string domain = Recipient::parse(address).domain;
  const auto found = known_.find(domain);
  if (found != known_.end()) return found->second;
  Term term = find(domain);
  return known_.emplace(std::move(domain), std::move(term)).first->second;
}

Term Terms::find(const std::string& domain) const {
  if (domain.empty()) return others_;
  if (domain == kQuarantineDomain) {
    // To return it would tell its sender, perhaps a forged one, and lose what is held.
    Term held = others_;
    held.is_endless = true;
    return held;
  }
  for (const auto& spelling : spellings_of(domain)) {
    const auto [row, key] = decide(generated_, spelling);
    if (row == Row::none || row == Row::refused) continue;
    const auto* const hosted =
        generated_.find(std::string_view(key).substr(key.starts_with('.') ? 1 : 0));
    if (hosted == nullptr) continue;
    Term term;
    term.domain = hosted->name;
    term.customer = hosted->customer;
    term.lifetime = hosted->queue_lifetime;
    term.not_before = hosted->extended_until;
    term.on_refusal = hosted->on_refusal;
    if (hosted->intake == Intake::gone) {
      // Perhaps by mistake: not before the operator can have noticed.
      term.not_before =
          std::max(term.not_before, hosted->gone_since + generated_.use.removal_grace);
    }
    term.is_standby = hosted->standby && hosted->own != Row::kept;
    term.is_here = hosted->service == Service::mailbox;
    term.is_endless = is_endless(row) || term.is_standby;
    return term;
  }
  return others_;
}

}  // namespace mxfeed
