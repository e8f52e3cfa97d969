// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/joint_policy.h"

#include <algorithm>

namespace mxfeed::virus {
namespace {

// Of a recipient whose own mail is not scanned: it cannot get an infected message, since
// that has one content, but nothing of its is lost.
constexpr VirusPolicy kUnscanned{VirusAction::reject, VirusAction::reject,
                                 EncryptedAction::header};

// The values are in this order.
static_assert(VirusAction::discard < VirusAction::reject &&
              VirusAction::reject < VirusAction::quarantine &&
              EncryptedAction::header < EncryptedAction::reject);

}  // namespace

VirusPolicy least_destructive(const VirusPolicy& a, const VirusPolicy& b) {
  return {std::max(a.infected, b.infected), std::max(a.unscannable, b.unscannable),
          std::min(a.encrypted, b.encrypted)};
}

void JointPolicy::add(const Recipient& recipient, const DomainPolicy& policy) {
  const bool is_hosted = policy.is_hosted() || recipient.may_be_hosted;
  const VirusPolicy& wanted = is_hosted || scan_other_mail_ ? policy.virus : kUnscanned;
  virus_ = virus_ ? least_destructive(*virus_, wanted) : wanted;
  const std::string& domain = policy.name.empty() ? recipient.domain : policy.name;
  recipients_.push_back({recipient.as_received, domain, wanted, policy.attachments});
  wants_attachments_ = wants_attachments_ || policy.attachments.has_rules();
  if (domain_.empty() || (is_hosted && !has_hosted_)) domain_ = domain;
  has_hosted_ = has_hosted_ || is_hosted;
}

}  // namespace mxfeed::virus
