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

// Calls `place` with that of each setting.
template <typename Call>
void each_place(DomainSettings& s, const Call& place) {
  const auto all = [&](auto&... settings) { (place(settings.place), ...); };
  all(s.service, s.deliver_to, s.state, s.subdomains, s.requested, s.acknowledged,
      s.queue_lifetime, s.standby_mailboxes, s.greylist_when, s.greylist_shadow,
      s.greylist_delay, s.recipients, s.blocklist, s.on_refusal, s.tls, s.max_size,
      s.virus_infected, s.virus_unscannable, s.virus_encrypted, s.spam_enabled,
      s.spam_immature_acts, s.spam_low, s.spam_med, s.spam_high, s.spam_bulk);
}

}  // namespace

void make_relative(DomainSettings& settings, Place domain) {
  each_place(settings, [&](Place& place) {
    if (place.line == 0 || place.file != domain.file) return;
    place = {kRelative, kRelativeBase + (place.line - domain.line)};
  });
}

Place DomainConfig::absolute(Place relative) const {
  if (relative.file != kRelative) return relative;
  return {place.file, place.line + (relative.line - kRelativeBase)};
}

DomainSettings DomainConfig::whole_settings() const {
  DomainSettings whole = *settings;
  each_place(whole, [&](Place& one) { one = absolute(one); });
  whole.deliver_to = deliver_to;
  return whole;
}

std::string Endpoint::str() const {
  return fmt::format("[{}]:{}", address.str(), port);
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
    case DomainState::removed:
      return "removed";
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
