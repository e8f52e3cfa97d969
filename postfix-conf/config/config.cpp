// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/config.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"

namespace mxfeed {
namespace {

// Stands for a file: the line is relative to that of the domain, which is kRelativeBase.
constexpr std::uint32_t kRelative = 0xFFFFFFFF;
constexpr std::uint32_t kRelativeBase = 0x80000000;

}  // namespace

void Places::set(const Setting<DomainSettings>& row, Place place) {
  for (auto& [written, old] : places_) {
    if (written == &row) {
      old = place;
      return;
    }
  }
  places_.emplace_back(&row, place);
}

void Places::make_relative(Place domain) {
  for (auto& [row, place] : places_) {
    if (place.file != domain.file) continue;
    place = {kRelative, kRelativeBase + (place.line - domain.line)};
  }
}

Place Places::of(const Setting<DomainSettings>& row, Place domain) const {
  for (const auto& [written, place] : places_) {
    if (written != &row) continue;
    if (place.file != kRelative) return place;
    return {domain.file, domain.line + (place.line - kRelativeBase)};
  }
  return {};
}

DomainPolicy built_in_policy() {
  DomainPolicy policy;
  policy.spam.rules = {SpamRule{}, SpamRule{SpamAction::subject, "[SPAM: low] "},
                       SpamRule{SpamAction::subject, "[SPAM: med] "},
                       SpamRule{SpamAction::discard, ""}};
  return policy;
}

std::string Endpoint::str() const {
  return fmt::format("[{}]:{}", name() != nullptr ? *name() : address()->str(), port);
}

std::string why_undeliverable(const GatewayConfig& gateway, const IpAddress& address) {
  for (const auto& host : gateway.hosts) {
    if (std::find(host.addresses.begin(), host.addresses.end(), address) !=
        host.addresses.end()) {
      return fmt::format("an address of gateway host \"{}\": mail would loop", host.name);
    }
  }
  const auto& allowed = gateway.allow_private;
  if (std::any_of(allowed.begin(), allowed.end(),
                  [&](const Network& one) { return one.contains(address); }) ||
      address.is_public()) {
    return {};
  }
  if (address.is_unspecified()) return "the unspecified address cannot be a server";
  if (address.is_loopback()) return "a loopback address is this gateway itself";
  if (address.is_link_local()) {
    return "a link-local address cannot be reached from another network";
  }
  if (address.is_multicast()) return "a multicast or reserved address cannot be a server";
  return "a private address: it is behind NAT and cannot be reached from here; give "
         "the public address that is forwarded to the server, or add the network to "
         "allow_private if it is reached over a private line";
}

bool is_gateway_name(const GatewayConfig& gateway, std::string_view name) {
  const auto is_name = [&](const std::string& one) { return iequals(one, name); };
  return std::any_of(gateway.mx.begin(), gateway.mx.end(), is_name) ||
         std::any_of(gateway.backup_mx.begin(), gateway.backup_mx.end(), is_name) ||
         std::any_of(gateway.hosts.begin(), gateway.hosts.end(),
                     [&](const HostConfig& host) { return is_name(host.name); });
}

std::string Config::describe(const Place& place) const {
  if (place.line == 0) return "default";
  return fmt::format("{}:{}", escape_untrusted(files.at(place.file)), place.line);
}

std::string Config::describe(const Problem& problem) const {
  std::string text = problem.place.line == 0
                         ? escape_untrusted(files.at(problem.place.file))
                         : describe(problem.place);
  for (const auto* part : {&problem.subject, &problem.key, &problem.cause}) {
    if (!part->empty()) text.append(": ").append(*part);
  }
  return text;
}

std::string_view DomainSettings::recipient_command() const {
  constexpr std::string_view kCommand = "command:";
  const std::string_view source = recipients;
  return source.starts_with(kCommand) ? source.substr(kCommand.size())
                                      : std::string_view();
}

const HostConfig* GatewayConfig::find_host(std::string_view name) const {
  for (const auto& one : hosts) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

const RecipientCommand* Config::find_recipient_command(std::string_view name) const {
  for (const auto& one : gateway.recipient_commands) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

const DomainConfig* Config::find(std::string_view name) const {
  const auto found =
      std::lower_bound(domains.begin(), domains.end(), name,
                       [](const DomainConfig& domain, std::string_view wanted) {
                         return domain.name < wanted;
                       });
  return found != domains.end() && found->name == name ? &*found : nullptr;
}

std::string_view to_string(Service value) {
  switch (value) {
    case Service::feed:
      return "feed";
    case Service::backup:
      return "backup";
    case Service::direct:
      return "direct";
    case Service::mailbox:
      return "mailbox";
  }
  return "";
}

std::string_view to_string(DomainState value) {
  switch (value) {
    case DomainState::active:
      return "active";
    case DomainState::paused:
      return "paused";
    case DomainState::protect:
      return "protect";
    case DomainState::suspended:
      return "suspended";
    case DomainState::removed:
      return "removed";
  }
  return "";
}

std::string_view to_string(WhileUp value) {
  switch (value) {
    case WhileUp::accept:
      return "accept";
    case WhileUp::defer:
      return "defer";
  }
  return "";
}

std::string_view to_string(WhileDown value) {
  switch (value) {
    case WhileDown::accept:
      return "accept";
    case WhileDown::defer:
      return "defer";
  }
  return "";
}

std::string_view to_string(Blocklist value) {
  switch (value) {
    case Blocklist::off:
      return "off";
    case Blocklist::score:
      return "score";
    case Blocklist::reject:
      return "reject";
  }
  return "";
}

std::string_view to_string(OnRefusal value) {
  switch (value) {
    case OnRefusal::bounce:
      return "bounce";
    case OnRefusal::bounce_verified:
      return "bounce-verified";
    case OnRefusal::hold:
      return "hold";
  }
  return "";
}

std::string_view to_string(BackupRight value) {
  switch (value) {
    case BackupRight::allowed:
      return "allowed";
    case BackupRight::refused:
      return "refused";
    case BackupRight::suspended:
      return "suspended";
  }
  return "";
}

}  // namespace mxfeed
