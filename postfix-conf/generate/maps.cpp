// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/maps.h"

#include <set>

#include "common/mail/address.h"
#include "common/mail/held_address.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/generate/next_hops.h"
#include "postfix-conf/generate/quarantine_services.h"
#include "postfix-conf/generate/recipient_access.h"

namespace mxfeed {
namespace {

// Nobody listens there, so mail is deferred, and the path explains why.  Not retry(8):
// smtpd(8) refuses recipients that resolve to it, but a paused domain accepts mail.
constexpr const char* kPaused = "lmtp:unix:mxfeed/delivery-paused-by-the-operator";
constexpr const char* kRemoved = "retry:4.3.5 domain is no longer relayed here";
// The reply of smtpd(8), as for any domain that is not ours (RFC 3463, 3.8).
constexpr const char* kRefused = "error:5.7.1 domain is not relayed here";

std::string delivery(Row row, const Hosted& hosted) {
  if (hosted.service == Service::mailbox) return kMailboxRoute;
  // What its server refuses is for the keeper to end, unless Postfix may bounce it.
  const bool may_bounce = row == Row::active && hosted.on_refusal == OnRefusal::bounce;
  return (may_bounce ? "mxfeed-relay:" : "mxfeed-soft:") + hosted.route;
}

std::string transport(Row row, const Hosted& hosted) {
  switch (row) {
    case Row::active:
    case Row::protect:
      return delivery(row, hosted);
    case Row::paused:
      return kPaused;
    case Row::kept:
      return kRemoved;
    case Row::refused:
      return kRefused;
    case Row::none:
      break;
  }
  return {};
}

// postconf(5), relay_domains and transport(5): without the name of the map in
// parent_domain_matches_subdomains, ".example.com" stands for names below example.com.
void each_row(const Hosted& hosted, std::string_view own, std::string_view below,
              const LineSink& line) {
  for (const auto& name : key_forms(hosted.name)) {
    if (!own.empty()) line(name, own);
    if (!below.empty()) line("." + name, below);
  }
}

// Whether relay_domains has it: mail for what is gone is put off, not refused.
bool is_taken(const Hosted& hosted, Row row) {
  return is_relayed(row) || (row == Row::kept && hosted.intake == Intake::gone);
}

void relay_domain_lines(const Generated&, const Hosted& hosted, const LineSink& line) {
  const auto value = [&](Row row) {
    return is_taken(hosted, row) ? to_string(hosted.service) : std::string_view();
  };
  each_row(hosted, value(hosted.own), value(hosted.below), line);
}

void transport_lines(const Generated& generated, const Hosted& hosted,
                     const LineSink& line) {
  auto below = transport(hosted.below, hosted);
  // relay_domains would take names below it too.
  if (generated.site.parents_match && below.empty() && is_taken(hosted, hosted.own) &&
      !is_covered(generated, hosted.name)) {
    below = kRefused;
  }
  each_row(hosted, transport(hosted.own, hosted), below, line);
  // What its server refuses is for the keeper to send to the provider.
  if (hosted.own == Row::active && hosted.on_refusal == OnRefusal::bounce &&
      hosted.service != Service::mailbox && has_provider(generated.master_cf)) {
    for (const auto& name : key_forms(hosted.name)) {
      line("postmaster@" + name, transport(Row::protect, hosted));
    }
  }
}

void relay_recipient_lines(const Generated& generated, const Hosted& hosted,
                           const LineSink& line) {
  if (!generated.site.has_relay_recipients || !is_relayed(hosted.own)) return;
  for (const auto& name : key_forms(hosted.name))
    line("@" + name, to_string(hosted.service));
}

bool answers_alike(const Hosted& a, const Hosted& b) {
  return a.own == b.own && a.below == b.below && a.service == b.service &&
         a.route == b.route && a.intake == b.intake && a.on_refusal == b.on_refusal;
}

// Adds the lines that are new, and the keys that are gone.
void add_changed(const std::vector<MapLine>& now, const std::vector<MapLine>& before,
                 std::vector<MapLine>& changed) {
  if (now == before) return;
  // There may be a hundred thousand recipients.
  const std::set<MapLine> lines_before(before.begin(), before.end());
  std::set<std::string_view> keys;
  for (const auto& line : now) {
    keys.insert(line.key);
    if (!lines_before.contains(line)) changed.push_back(line);
  }
  for (const auto& line : before) {
    if (!keys.contains(line.key)) changed.push_back({line.key, ""});
  }
}

}  // namespace

std::vector<std::string> key_forms(const std::string& name) {
  if (name.find("xn--") == std::string::npos) return {name};
  const auto domain = Domain::parse(name);
  return domain ? domain->map_keys() : std::vector<std::string>{name};
}

const MapKind kRelayDomains = {.name = "relay_domains", .lines = relay_domain_lines};
// Also without a domain that uses the quarantine: what waits for it must not be bounced.
const MapKind kTransport = {
    .name = "transport",
    .lines = transport_lines,
    .constant = {std::string(kQuarantineDomain), kQuarantineRoute}};
const MapKind kRelayRecipients = {.name = "relay_recipients",
                                  .lines = relay_recipient_lines};
const std::array<const MapKind*, 6> kMaps = {&kRelayDomains,    &kTransport,
                                             &kRelayRecipients, &kRecipientAccess,
                                             &kTlsPolicy,       &kEtrnClients};

void each_line(const MapKind& kind, const Generated& generated, const LineSink& line) {
  if (kind.whole != nullptr) return kind.whole(generated, line);
  for (const auto& one : generated.hosted) kind.lines(generated, one, line);
  if (!kind.constant.key.empty()) line(kind.constant.key, kind.constant.value);
}

std::vector<MapLine> map_lines(const MapKind& kind, const Generated& generated) {
  std::vector<MapLine> lines;
  each_line(kind, generated, [&](std::string_view key, std::string_view value) {
    lines.push_back({std::string(key), std::string(value)});
  });
  return lines;
}

std::string relay_recipient_patterns(const Generated& generated) {
  std::string text = "# Written by mxfeed.\n";
  if (!generated.site.has_relay_recipients) return text;
  for (const auto& one : generated.hosted) {
    if (!is_relayed(one.below)) continue;
    for (const auto& name : key_forms(one.name)) {
      text += "/@.+\\.";
      for (const char c : name) {
        if (c == '.') text += '\\';
        text += c;
      }
      text.append("$/ ").append(to_string(one.service)).append("\n");
    }
  }
  return text;
}

std::vector<MapLine> changed_lines(const MapKind& kind, const Generated& now,
                                   const Generated& before) {
  std::vector<MapLine> changed;
  if (kind.whole != nullptr) {
    add_changed(map_lines(kind, now), map_lines(kind, before), changed);
    return changed;
  }
  auto old = before.hosted.begin();
  const auto lines_of = [&](const Generated& generated, const Hosted& one) {
    std::vector<MapLine> lines;
    kind.lines(generated, one, [&](std::string_view key, std::string_view value) {
      lines.push_back({std::string(key), std::string(value)});
    });
    return lines;
  };
  // What a row says may then follow from other rows too.
  const bool alone = now.site == before.site && !now.site.parents_match &&
                     !kind.follows_from_others &&
                     has_provider(now.master_cf) == has_provider(before.master_cf);
  for (const auto& one : now.hosted) {
    for (; old != before.hosted.end() && old->name < one.name; ++old) {
      add_changed({}, lines_of(before, *old), changed);
    }
    const bool is_new = old == before.hosted.end() || old->name != one.name;
    if (is_new || !alone || !answers_alike(one, *old)) {
      add_changed(lines_of(now, one),
                  is_new ? std::vector<MapLine>() : lines_of(before, *old), changed);
    }
    if (!is_new) ++old;
  }
  for (; old != before.hosted.end(); ++old) {
    add_changed({}, lines_of(before, *old), changed);
  }
  return changed;
}

}  // namespace mxfeed
