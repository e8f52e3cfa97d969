// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/recipient_access.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "common/mail/held_address.h"

namespace mxfeed {
namespace {

constexpr std::string_view kSuspended = "450 4.3.2 mail for this domain is suspended";
constexpr std::string_view kGone = "450 4.3.2 domain is not configured here at present";
constexpr std::string_view kUnknown = "550 5.1.1 no such recipient";
constexpr std::string_view kNothing = "DUNNO";

// What the domain's recipients get; empty if nothing.
std::string answer(const Hosted& hosted) {
  switch (hosted.intake) {
    case Intake::suspended:
      return std::string(kSuspended);
    case Intake::gone:
      return std::string(kGone);
    case Intake::open:
      break;
  }
  if (!is_relayed(hosted.own)) return {};
  std::string classes = hosted.blocklist ? kBlocklistClass : "";
  if (hosted.callout) {
    if (!classes.empty()) classes += ", ";
    classes += hosted.while_down == WhileDown::defer ? kCalloutDeferClass : kCalloutClass;
  }
  return classes;
}

const std::vector<std::string>* recipients(const Generated& generated,
                                           const Hosted& hosted) {
  if (hosted.intake != Intake::open || !is_relayed(hosted.own)) return nullptr;
  const auto found = generated.recipients.find(hosted.name);
  return found == generated.recipients.end() ? nullptr : &found->second;
}

// Whether a row of a parent would answer for the name.
bool has_parent_with_row(const Generated& generated, std::string_view name) {
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    name.remove_prefix(dot + 1);
    if (name.find('.') == std::string_view::npos)
      return false;  // has two labels at least
    const auto* const parent = generated.find(name);
    if (parent != nullptr &&
        (!answer(*parent).empty() || recipients(generated, *parent) != nullptr)) {
      return true;
    }
  }
  return false;
}

// RFC 5321, 4.5.1; RFC 2142.
bool is_role(std::string_view local_part) {
  return local_part == "postmaster" || local_part == "abuse";
}

// The recipients whose mail a filter keeps from the domain's server, which need not know
// them.
std::vector<std::string> taught_by(const TeachingPolicy& teaching) {
  std::vector<std::string> all = teaching.traps;
  for (const std::string& report : {teaching.report_spam, teaching.report_ham}) {
    if (!report.empty()) all.push_back(report);
  }
  return all;
}

void lines(const Generated& generated, const Hosted& hosted, const LineSink& line) {
  const bool is_ours =
      is_relayed(hosted.own) || is_relayed(hosted.below) || hosted.intake == Intake::gone;
  if (!is_ours) return;
  std::string own = answer(hosted);
  const auto* const list = recipients(generated, hosted);
  std::string below = own;
  if (own.empty() && list == nullptr && has_parent_with_row(generated, hosted.name)) {
    own = below = kNothing;
  }
  const bool is_open = hosted.intake == Intake::open && is_relayed(hosted.own);
  const bool has_row = list != nullptr || !own.empty();
  const auto teaching = is_open && has_row
                            ? taught_by(generated.policies.at(hosted.policy).teaching)
                            : std::vector<std::string>();
  const bool has_below = hosted.below != Row::none && hosted.below != Row::refused;
  const std::string_view known = own.empty() ? kNothing : std::string_view(own);
  std::string address;
  for (const auto& name : key_forms(hosted.name)) {
    const auto add = [&](std::string_view local_part, std::string_view value) {
      address.assign(local_part).append("@").append(name);
      line(address, value);
    };
    if (list != nullptr) {
      for (const auto& one : *list) {
        if (std::find(teaching.begin(), teaching.end(), one) != teaching.end()) continue;
        add(one, is_role(one) ? kNothing : known);
      }
      // Without a mailbox nobody would get it.
      const bool takes_roles = hosted.service != Service::mailbox;
      for (const std::string_view role : {"postmaster", "abuse"}) {
        if (takes_roles && !std::binary_search(list->begin(), list->end(), role))
          add(role, kNothing);
      }
    }
    for (const auto& one : teaching) add(one, kNothing);
    const std::string_view value = list != nullptr ? kUnknown : std::string_view(own);
    if (!value.empty()) line(name, value);
    if (has_below && !below.empty()) line("." + name, below);
  }
}

}  // namespace

// Only our milters send to the quarantine.
const MapKind kRecipientAccess = {
    .name = "recipient_access",
    .lines = lines,
    .constant = {std::string(kQuarantineDomain), std::string(kUnknown)},
    .follows_from_others = true};

}  // namespace mxfeed
