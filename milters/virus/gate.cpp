// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/gate.h"

#include "common/base/text.h"

namespace mxfeed::virus {

Gate::Kind Gate::kind_of(const DomainPolicy& policy) {
  return {policy.content_class, policy.is_hosted(), policy.spam.enabled,
          policy.virus.encrypted, policy.attachments};
}

Gate::Gate(const Envelope& envelope, const GatewayPolicy& gateway)
    : is_trusted_(!gateway.trust(envelope).empty()),
      without_smtputf8_(envelope.smtputf8 && !gateway.smtputf8),
      utf8_sender_(!is_ascii(envelope.sender)),
      declared_size_(envelope.declared_size) {}

Admission Gate::admit(const Recipient& recipient, const DomainPolicy& policy,
                      const std::function<bool()>& comes_again) {
  // Mail that only announces SMTPUTF8 can be delivered without it.
  const bool utf8_addresses =
      utf8_sender_ || !is_ascii(recipient.local_part) || !is_ascii(recipient.domain);
  if (without_smtputf8_ && policy.is_hosted() && utf8_addresses) {
    return Admission::needs_smtputf8;
  }
  const bool has_limit = policy.is_hosted() && policy.max_size != 0;
  if (has_limit && declared_size_ > policy.max_size) return Admission::too_large;
  if (!first_) first_ = kind_of(policy);
  if (first_->content_class != policy.content_class && !is_trusted_ && !closed_) {
    closed_ = !first_->filters_like(kind_of(policy)) || !comes_again();
  }
  if (closed_) return Admission::other_class;
  if (!policy.is_hosted()) has_other_ = true;
  if (has_limit && (max_size_ == 0 || policy.max_size < max_size_)) {
    max_size_ = policy.max_size;
  }
  return Admission::admitted;
}

void Gate::see_header(std::string_view name, std::string_view value) {
  if (!without_smtputf8_ || utf8_header_) return;
  utf8_header_ = !is_ascii(name) || !is_ascii(value);
}

}  // namespace mxfeed::virus
