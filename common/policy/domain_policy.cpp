// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/domain_policy.h"

#include <algorithm>
#include <utility>

#include "common/policy/tagged_value.h"

namespace mxfeed {

template <>
struct LastValue<GreylistWhen> {
  static constexpr auto value = GreylistWhen::never;
};
template <>
struct LastValue<VirusAction> {
  static constexpr auto value = VirusAction::quarantine;
};
template <>
struct LastValue<EncryptedAction> {
  static constexpr auto value = EncryptedAction::reject;
};
template <>
struct LastValue<AttachmentPreset> {
  static constexpr auto value = AttachmentPreset::strict;
};
template <>
struct LastValue<AttachmentAction> {
  static constexpr auto value = AttachmentAction::header;
};
template <>
struct LastValue<SpamAction> {
  static constexpr auto value = SpamAction::quarantine;
};

template <>
struct LastValue<SpamEngine> {
  static constexpr auto value = SpamEngine::spamd;
};
template <>
struct LastValue<EngineRole> {
  static constexpr auto value = EngineRole::evidence;
};
template <>
struct LastValue<RedisType> {
  static constexpr auto value = RedisType::cluster;
};

namespace {

constexpr char kDomainValue = 'D';
constexpr char kGatewayValue = 'G';

// The fields of both directions, once; tags rise.  The first two are a domain's own, see
// StoredPolicy.
constexpr unsigned kNameTag = 1;
constexpr unsigned kSubdomainsTag = 2;

template <typename Visitor, typename Policy>
void visit_domain(Visitor& field, Policy& policy) {
  field(kNameTag, policy.name);
  field(kSubdomainsTag, policy.subdomains);
  field(3, policy.content_class);
  field(6, policy.max_size);

  field(10, policy.greylist.when);
  field(11, policy.greylist.shadow);
  field(12, policy.greylist.delay);
  field(13, policy.greylist.retry_window);
  field(14, policy.greylist.keep);
  field(15, policy.greylist.unverified_delay);
  field(16, policy.greylist.traps);
  field(17, policy.greylist.trap_delay);
  field(24, policy.greylist.allow);
  field(25, policy.greylist.deny);

  field(30, policy.virus.infected);
  field(31, policy.virus.unscannable);
  field(32, policy.virus.encrypted);

  field(40, policy.attachments.preset);
  field(41, policy.attachments.blocked);
  field(42, policy.attachments.action);

  field(50, policy.spam.enabled);
  field(51, policy.spam.immature_acts);
  field(52, policy.spam.begins[0]);
  field(53, policy.spam.begins[1]);
  field(54, policy.spam.begins[2]);
  field(55, policy.spam.uses_lists);
  for (unsigned level = 0; level < 4; ++level) {
    field(60 + 2 * level, policy.spam.rules[level].action);
    field(61 + 2 * level, policy.spam.rules[level].text);
  }
  field(68, policy.spam.bulk.action);
  field(69, policy.spam.bulk.text);

  field(90, policy.quarantine.keep);
  field(91, policy.quarantine.quota);
  field(92, policy.senders.allow);
  field(93, policy.senders.block);
  field(94, policy.senders.protect);
  field(95, policy.teaching.traps);
  field(96, policy.teaching.report_spam);
  field(97, policy.teaching.report_ham);
  field(98, policy.teaching.customer);
  field(99, policy.teaching.servers);
}

template <typename Visitor, typename Policy>
void visit_gateway(Visitor& field, Policy& policy) {
  field(1, policy.generation);
  field(2, policy.trusted_networks);
  field(3, policy.scan_other_mail);
  field(4, policy.smtputf8);
  field(5, policy.host_name);
  field(6, policy.host_addresses);

  field(10, policy.greylist.store);
  field(11, policy.greylist.ipv4_prefix);
  field(12, policy.greylist.ipv6_prefix);
  field(13, policy.greylist.code);
  field(14, policy.greylist.text);
  field(15, policy.greylist.spf_timeout);
  field(16, policy.greylist.fallback);
  field(24, policy.greylist.allow);
  field(25, policy.greylist.deny);
  field(26, policy.greylist.blocklists);

  field(30, policy.virus.database);
  field(31, policy.virus.workers);
  field(32, policy.virus.max_scan_size);
  field(33, policy.virus.max_file_size);
  field(34, policy.virus.max_files);
  field(35, policy.virus.max_recursion);
  field(36, policy.virus.max_scan_time);
  field(37, policy.virus.reload_in_place);

  field(50, policy.spam.spf_timeout);
  field(51, policy.spam.lists);
  field(52, policy.spam.lists_timeout);
  field(53, policy.spam.authserv_id);
  field(54, policy.spam.arc_sealers);
  field(55, policy.spam.engine);
  field(56, policy.spam.engine_server);
  field(57, policy.spam.engine_role);
  field(58, policy.spam.engine_timeout);
  field(59, policy.spam.authserv_results);

  field(70, policy.redis.servers);
  field(71, policy.redis.type);
  field(72, policy.redis.master);
  field(73, policy.redis.user);
  field(74, policy.redis.password_file);
  field(75, policy.redis.prefix);

  field(90, policy.quarantine.is_reachable);
}

}  // namespace

std::string_view GatewayPolicy::trust(const Envelope& envelope) const {
  const auto& address = envelope.client.address;
  if (!address) return "local";
  if (envelope.authenticated) return "authenticated";
  const bool is_near = std::ranges::any_of(trusted_networks, [&](const Network& network) {
    return network.contains(*address);
  });
  return is_near ? "trusted-network" : "";
}

std::string_view to_string(GreylistWhen value) {
  switch (value) {
    case GreylistWhen::always:
      return "always";
    case GreylistWhen::suspicious:
      return "suspicious";
    case GreylistWhen::never:
      return "never";
  }
  return "";
}

std::string_view to_string(VirusAction value) {
  switch (value) {
    case VirusAction::discard:
      return "delete";
    case VirusAction::reject:
      return "reject";
    case VirusAction::quarantine:
      return "quarantine";
  }
  return "";
}

std::string_view to_string(EncryptedAction value) {
  switch (value) {
    case EncryptedAction::header:
      return "header";
    case EncryptedAction::reject:
      return "reject";
  }
  return "";
}

std::string_view to_string(SpamAction value) {
  switch (value) {
    case SpamAction::none:
      return "none";
    case SpamAction::header:
      return "header";
    case SpamAction::subject:
      return "subject";
    case SpamAction::discard:
      return "delete";
    case SpamAction::reject:
      return "reject";
    case SpamAction::quarantine:
      return "quarantine";
  }
  return "";
}

std::string_view to_string(SpamEngine value) {
  switch (value) {
    case SpamEngine::builtin:
      return "builtin";
    case SpamEngine::rspamd:
      return "rspamd";
    case SpamEngine::spamd:
      return "spamd";
  }
  return "";
}

std::string_view to_string(EngineRole value) {
  switch (value) {
    case EngineRole::verdict:
      return "verdict";
    case EngineRole::evidence:
      return "evidence";
  }
  return "";
}

std::string_view to_string(RedisType value) {
  switch (value) {
    case RedisType::single:
      return "single";
    case RedisType::sentinel:
      return "sentinel";
    case RedisType::cluster:
      return "cluster";
  }
  return "";
}

std::string encode(const DomainPolicy& policy) {
  TaggedWriter writer(kDomainValue, policy.unknown);
  visit_domain(writer, policy);
  return std::move(writer).finish();
}

std::string encode(const GatewayPolicy& policy) {
  TaggedWriter writer(kGatewayValue, policy.unknown);
  visit_gateway(writer, policy);
  return std::move(writer).finish();
}

std::optional<DomainPolicy> decode_domain_policy(std::string_view bytes) {
  DomainPolicy policy;
  TaggedReader reader(kDomainValue, bytes);
  visit_domain(reader, policy);
  if (!reader.finish(policy.unknown)) return std::nullopt;
  return policy;
}

std::optional<GatewayPolicy> decode_gateway_policy(std::string_view bytes) {
  GatewayPolicy policy;
  TaggedReader reader(kGatewayValue, bytes);
  visit_gateway(reader, policy);
  if (!reader.finish(policy.unknown)) return std::nullopt;
  return policy;
}

std::optional<StoredPolicy> split_policy(std::string_view bytes) {
  StoredPolicy stored;
  if (bytes.empty() || bytes.front() != kDomainValue) return std::nullopt;
  bytes.remove_prefix(1);
  for (const unsigned wanted : {kNameTag, kSubdomainsTag}) {
    stored.shared = bytes;
    const auto tag = take_varint(bytes);
    if (!tag) return std::nullopt;
    if (*tag != wanted) {
      bytes = stored.shared;
      continue;
    }
    const auto content = take_bytes(bytes);
    if (!content) return std::nullopt;
    if (wanted == kNameTag) {
      stored.name = *content;
    } else {
      const auto value = number_of_bytes(*content, 1);
      if (!value) return std::nullopt;
      stored.subdomains = *value == 1;
    }
  }
  stored.shared = bytes;
  return stored;
}

EncodedPolicy::EncodedPolicy(const DomainPolicy& policy) {
  const std::string whole = encode(policy);
  shared_ = split_policy(whole)->shared;
}

void EncodedPolicy::append_value(std::string_view name, bool subdomains,
                                 std::string& out) const {
  out += kDomainValue;
  put_varint(out, kNameTag);
  put_varint(out, name.size());
  out += name;
  put_varint(out, kSubdomainsTag);
  put_varint(out, subdomains ? 1 : 0);
  if (subdomains) out += '\x01';
  out += shared_;
}

}  // namespace mxfeed
