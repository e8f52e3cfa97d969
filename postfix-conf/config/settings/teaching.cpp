// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/settings/teaching.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/text.h"
#include "common/mail/envelope.h"
#include "common/mail/held_address.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMostLocalPart = 64;  // RFC 5321, 4.5.3.1.1
constexpr std::size_t kMostTraps = 100;

// Only what a filter can exchange for an address of the quarantine.
bool is_plain(std::string_view local_part) {
  return local_part.size() <= kMostLocalPart &&
         std::all_of(local_part.begin(), local_part.end(),
                     [](char c) { return c > ' ' && c <= '~'; }) &&
         is_exchangeable(std::string(local_part) + "@x.example");
}

// In lower case; nothing after an error.
std::optional<std::string> local_part(const Entry& entry, const Place& place,
                                      std::string_view text) {
  const Recipient recipient{ascii_lower(text), {}};
  if (!is_plain(text)) {
    entry.error(place, fmt::format("{} is not what stands before the @, such as "
                                   "\"old-sales\"",
                                   in_quotes(text)));
  } else if (!recipient.role().empty()) {
    entry.error(place, fmt::format("{} must take mail (RFC 2142)", in_quotes(text)));
  } else {
    return recipient.local_part;
  }
  return std::nullopt;
}

void read_report(const Entry& entry, std::string& address) {
  const auto given = entry.string();
  if (!given) return;
  address.clear();
  if (given->empty()) return;
  if (auto found = local_part(entry, entry.place(), *given)) address = *std::move(found);
}

bool has(const std::vector<std::string>& traps, const std::string& address) {
  return std::find(traps.begin(), traps.end(), address) != traps.end();
}

}  // namespace

void read_spam_traps(const Entry& entry, const Setting<DomainSettings>&,
                     DomainSettings& settings) {
  const auto given = entry.strings();
  if (!given) return;
  auto& traps = settings.policy.teaching.traps;
  traps.clear();
  for (const auto& one : *given) {
    auto found = local_part(entry, one.place, one.value);
    if (!found) continue;
    if (has(traps, *found)) {
      entry.error(one.place, fmt::format("{} is a duplicate", in_quotes(one.value)));
    } else {
      traps.push_back(*std::move(found));
    }
  }
  if (given->size() > kMostTraps) {
    entry.error(fmt::format("must not have more than {} addresses", kMostTraps));
  }
}

void read_report_spam(const Entry& entry, const Setting<DomainSettings>&,
                      DomainSettings& settings) {
  read_report(entry, settings.policy.teaching.report_spam);
}

void read_report_ham(const Entry& entry, const Setting<DomainSettings>&,
                     DomainSettings& settings) {
  read_report(entry, settings.policy.teaching.report_ham);
}

void check_teaching(const Entry& spam, const TeachingPolicy& teaching) {
  const auto& [traps, report_spam, report_ham, customer, servers] = teaching;
  for (const std::string& report : {report_spam, report_ham}) {
    if (!report.empty() && has(traps, report)) {
      spam.error(fmt::format("{} is a trap and takes reports, too", in_quotes(report)));
    }
  }
  if (!report_spam.empty() && report_spam == report_ham) {
    spam.error(fmt::format("{} takes reports of spam and of wanted mail",
                           in_quotes(report_ham)));
  }
}

}  // namespace mxfeed
