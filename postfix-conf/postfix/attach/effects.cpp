// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "common/base/text.h"
#include "postfix-conf/postfix/attach/notices.h"
#include "postfix-conf/postfix/entrances.h"

namespace mxfeed {
namespace {

// Restrictions that look at something; the others only say what is refused in general.
bool is_check(std::string_view item) {
  constexpr std::string_view kChecks[] = {
      "check_",          "reject_rbl_client", "reject_rhsbl_",
      "reject_unknown_", "reject_unverified", "reject_non_fqdn",
      "reject_invalid_", "warn_if_reject",    "reject_unlisted_",
      "reject_multi_",   "defer_if_",         "reject_plaintext_session"};
  return std::any_of(std::begin(kChecks), std::end(kChecks),
                     [&](std::string_view one) { return item.starts_with(one); });
}

bool has_argument(std::string_view item) {
  return item.starts_with("check_") || item.starts_with("reject_rbl_") ||
         item.starts_with("reject_rhsbl_");
}

constexpr std::string_view kRestrictions[] = {
    "smtpd_client_restrictions",     "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",     "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",  "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions"};

constexpr std::string_view kOtherChecks[] = {
    "content_filter",        "header_checks",
    "mime_header_checks",    "nested_header_checks",
    "body_checks",           "milter_header_checks",
    "smtp_header_checks",    "smtp_body_checks",
    "smtp_generic_maps",     "always_bcc",
    "sender_bcc_maps",       "recipient_bcc_maps",
    "virtual_alias_maps",    "canonical_maps",
    "sender_canonical_maps", "recipient_canonical_maps",
    "postscreen_dnsbl_sites"};

// The service that a change of master.cf concerns.
const PostfixService* service_of(const PostfixSettings& site, const Change& change) {
  const auto found = std::find_if(site.services.begin(), site.services.end(),
                                  [&](const PostfixService& service) {
                                    return change.place == "master.cf: " + service.name;
                                  });
  return found == site.services.end() ? nullptr : &*found;
}

// postconf(5): a number and s, m, h, d or w; without a unit days, as the lifetimes have.
std::optional<std::chrono::seconds> days_or(std::string_view value) {
  if (const auto number = parse_unsigned(value)) {
    return std::chrono::hours(24) *
           static_cast<long>(std::min<std::uint64_t>(*number, 3650));
  }
  return parse_duration(value);
}

std::string shown(const std::optional<std::string>& value) {
  return value ? (value->empty() ? "(empty)" : escape_line(*value)) : "(default)";
}

}  // namespace

std::vector<std::string> also_affects(const PostfixSettings& site,
                                      const PostfixNeeds& needs, const Plan& plan) {
  std::vector<std::string> lines;
  std::vector<std::string> filtered;
  for (const auto& service : site.services) {
    if (!gets_filters(service, needs.use)) continue;
    filtered.push_back(service.name);
    if (site.parameter(service, "smtpd_milters").empty()) {
      lines.push_back(fmt::format(
          "{}: header fields longer than 60000 bytes are truncated, as with any milter",
          escape_untrusted(service.name)));
    }
  }
  const std::string names =
      escape_untrusted(fmt::format("{}", fmt::join(filtered, ", ")));
  if (!filtered.empty()) {
    lines.push_back(fmt::format("{}: each mail waits for the filters", names));
    lines.push_back(fmt::format(
        "{}: mail is deferred (451) while mxfeed-virus does not answer", names));
  }
  for (const auto& change : plan.changes) {
    const auto* const service = service_of(site, change);
    if (change.name.find("_error_limit") != std::string::npos && service != nullptr &&
        change.after) {
      const std::string_view name = std::string_view(change.name).substr(3);
      lines.push_back(fmt::format(
          "{}: {} is raised from {}: a client may cause more errors",
          escape_untrusted(change.place), name, site.parameter(*service, name)));
    }
    if (change.name == "-o cleanup_service_name" && change.after) {
      lines.push_back(
          fmt::format("{}: notices to senders do not name the servers of recipients",
                      escape_untrusted(change.place)));
    }
    if (change.is_global) {
      lines.push_back(fmt::format("main.cf: {}: {} -> {}, for all mail", change.name,
                                  shown(change.before), shown(change.after)));
    }
  }
  return lines;
}

std::vector<std::string> strikes(const PostfixSettings& site, const PostfixNeeds& needs) {
  std::vector<std::string> lines;
  std::set<std::string> said;
  const auto add = [&](std::string line) {
    if (said.insert(line).second) lines.push_back(std::move(line));
  };
  for (const auto& service : site.services) {
    if (!gets_filters(service, needs.use)) continue;
    for (const auto name : kRestrictions) {
      const auto items = list_items(site.parameter(service, name));
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (!is_check(items[i])) continue;
        std::string text(items[i]);
        if (has_argument(items[i]) && i + 1 < items.size()) {
          text += " " + std::string(items[i + 1]);
        }
        add(fmt::format("{}{}: {}",
                        service.options.contains(name)
                            ? escape_untrusted(service.name) + ": -o "
                            : "",
                        name, escape_untrusted(text)));
      }
    }
    for (const auto name : kOtherChecks) {
      const auto value = site.parameter(service, name);
      // Those of parts are by default those of the header.
      const bool is_same =
          name.ends_with("e_header_checks") || name.starts_with("nested");
      if (value.empty() ||
          (is_same && value == site.parameter(service, "header_checks"))) {
        continue;
      }
      add(fmt::format(
          "{}{}: {}",
          service.options.contains(name) ? escape_untrusted(service.name) + ": -o " : "",
          name, escape_untrusted(value)));
    }
  }
  // Of the delivery to the customers' servers.
  if (site.parameter("soft_bounce") == "yes") {
    add("soft_bounce: yes: what a customer's server refuses is tried again");
  }
  return lines;
}

std::vector<std::string> not_in_force(const PostfixSettings& site,
                                      const PostfixNeeds& needs) {
  std::vector<std::string> lines;
  for (const auto& kept : notice_services(site, needs).kept) {
    lines.push_back(
        fmt::format("{}: its notices to senders name the customers' servers", kept));
  }
  if (needs.use.dedicated) return lines;
  for (const auto& endpoint : absent_milters(site, needs)) {
    lines.push_back(fmt::format(
        "verifiers, sealers: {}: the smtpd_milters of this Postfix do not have it",
        escape_untrusted(endpoint)));
  }
  const auto value = site.parameter("maximal_queue_lifetime");
  const auto lifetime = days_or(value);
  if (lifetime && needs.use.longest_lifetime > *lifetime) {
    lines.push_back(fmt::format(
        "queue_lifetime: {}: mail is returned after {}, this Postfix's "
        "maximal_queue_lifetime",
        format_duration(needs.use.longest_lifetime), format_duration(*lifetime)));
  }
  return lines;
}

}  // namespace mxfeed
