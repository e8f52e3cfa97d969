// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/key.h"

#include <fmt/format.h>

#include <initializer_list>

#include "common/base/digest.h"
#include "common/base/text.h"
#include "common/net/organisation.h"
#include "milters/greylist/normalised_sender.h"

namespace mxfeed::greylist {
namespace {

constexpr std::size_t kDigestBytes = 16;

std::string digest_of(std::initializer_list<std::string_view> parts) {
  std::string bytes;
  for (const std::string_view part : parts) {
    bytes += fmt::format("{}:", part.size());
    bytes += part;
  }
  return digest(bytes, kDigestBytes);
}

std::string digest_for(std::string_view about, const Identity& identity,
                       std::string_view whose) {
  return digest_of({about, to_string(identity.kind), identity.text, whose});
}

}  // namespace

std::string scope_of(const Identity& best, std::string_view sender,
                     std::string_view hosted_domain) {
  if (sender.empty()) {
    return best.kind == IdentityKind::domain ? best.text
                                             : fmt::format("<>{}", hosted_domain);
  }
  // Postfix adds a domain of its own to an address without one.
  const auto at = sender.rfind('@');
  if (at == std::string_view::npos || at + 1 == sender.size()) return "@";
  return organisation_of(ascii_lower(sender.substr(at + 1)));
}

Terms terms_for(const Identities& identities, const GreylistPolicy& policy) {
  Terms terms = terms_of(policy, identities.is_verified());
  if (identities.best.kind != IdentityKind::domain) terms.best_passes = kOtherPasses;
  terms.has_provider = !identities.provider.empty();
  return terms;
}

Key passed_key(const Identity& network, std::string_view domain,
               std::string_view mail_digest) {
  return {About::passed, digest_for("passed", network, mail_digest), network,
          std::string(domain), false};
}

Keys keys_of(const Identities& identities, std::string_view sender,
             const Recipient& recipient, std::string_view domain) {
  Keys keys;
  keys.scope = scope_of(identities.best, sender, domain);
  keys.has_best = identities.is_verified();
  const std::string to = ascii_lower(recipient.local_part);
  const std::string retries =
      digest_of({sender_of_retries(sender), to, recipient.domain});
  const std::string messages =
      digest_of({normalised_sender(sender, recipient), to, recipient.domain});
  const auto add = [&](Slot first, const Identity& identity, bool is_second) {
    const auto at = static_cast<std::size_t>(first);
    keys.by_slot[at] = {About::identity, digest_for("identity", identity, keys.scope),
                        identity, keys.scope, is_second};
    keys.by_slot[at + 1] = {About::passed, digest_for("passed", identity, messages),
                            identity, std::string(domain), is_second};
    keys.by_slot[at + 2] = {About::waiting, digest_for("waiting", identity, retries),
                            identity, std::string(domain), is_second};
  };
  if (keys.has_best) add(Slot::best_identity, identities.best, false);
  add(Slot::network_identity, identities.network, keys.has_best);
  const Identity host{IdentityKind::network, identities.host};
  keys.by_slot[static_cast<std::size_t>(Slot::host)] = {
      About::host, digest_for("host", host, {}), host, {}, false};
  if (identities.provider.empty()) return keys;
  keys.has_provider = true;
  const Identity provider{IdentityKind::name, identities.provider};
  keys.by_slot[static_cast<std::size_t>(Slot::provider)] = {
      About::provider, digest_for("provider", provider, {}), provider, {}, false};
  return keys;
}

}  // namespace mxfeed::greylist
