// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/action.h"

#include <set>

#include "common/base/text.h"
#include "common/mail/header.h"
#include "milters/spam/score.h"
#include "milters/spam/subject_tag.h"

namespace mxfeed::spam {
namespace {

constexpr std::string_view kEvidenceField = "X-Mxfeed-Spam-Evidence";
constexpr std::string_view kVirusField =
    "X-Mxfeed-Virus";  // written by mxfeed-virus, which runs before us

std::string default_tag(const Rating& rating) {
  if (rating.is_bulk) return "[BULK] ";
  return "[SPAM: " + std::string(rating.name()) + "] ";
}

// "Name: value" of a header rule; the default if the text has no valid name.
std::pair<std::string, std::string> header_of(const SpamRule& rule,
                                              const Rating& rating) {
  const std::size_t colon = rule.text.find(':');
  if (colon != std::string::npos) {
    const std::string_view name = trim(std::string_view(rule.text).substr(0, colon));
    if (is_field_name(name)) {
      return {std::string(name), unfold(std::string_view(rule.text).substr(colon + 1))};
    }
  }
  return {"X-Mxfeed-Spam", std::string(rating.name())};
}

// The strongest action that is allowed.
SpamAction softened(SpamAction wanted, SpamLevel level, bool proven,
                    const SpamPolicy& policy, Exempt exempt) {
  const bool deletes = wanted == SpamAction::discard || wanted == SpamAction::reject;
  if (exempt == Exempt::some && (deletes || wanted == SpamAction::quarantine)) {
    return SpamAction::subject;
  }
  if (deletes && level == SpamLevel::high && !proven && !policy.immature_acts) {
    return SpamAction::subject;
  }
  return wanted;
}

// If there are several subjects, mail programs show the first, the last or all.
void tag_subjects(const std::vector<std::string>& subjects, std::string_view tag,
                  MessageEdits& edits) {
  if (subjects.empty()) {
    if (const auto subject = tagged_subject(std::nullopt, tag)) {
      edits.append("Subject", *subject);
    }
    return;
  }
  for (unsigned i = 0; i < subjects.size(); ++i) {
    if (const auto subject = tagged_subject(subjects[i], tag)) {
      edits.replace("Subject", i + 1, *subject);
    }
  }
}

std::string_view reason_of(const Rating& rating) {
  if (rating.is_bulk) return "spam-bulk";
  switch (rating.level) {
    case SpamLevel::none:
      return "spam-none";
    case SpamLevel::low:
      return "spam-low";
    case SpamLevel::med:
      return "spam-med";
    case SpamLevel::high:
      return "spam-high";
  }
  return "spam-none";
}

}  // namespace

void HeaderView::field(std::string_view name, std::string_view value) {
  const std::string lower = ascii_lower(trim(name));
  if (lower == "subject") subjects_.emplace_back(value);
  if (is_own_field(lower)) {
    own_fields_.see(lower);
  } else if (lower.starts_with("x-")) {
    ++counts_[lower];
  }
}

std::size_t remove_forged(const HeaderView& header, const SpamPolicy& policy,
                          MessageEdits& edits) {
  std::size_t removed = header.own_fields().remove(edits, kVirusField);
  std::set<std::string> added;  // by the domain's rules
  if (policy.enabled) {
    const auto see = [&](const SpamRule& rule) {
      if (rule.action != SpamAction::header) return;
      added.insert(ascii_lower(header_of(rule, SpamLevel::none).first));
    };
    for (const SpamRule& rule : policy.rules) see(rule);
    see(policy.bulk);
  }
  for (const auto& [name, count] : header.extension_fields()) {
    if (!added.contains(name)) continue;
    for (unsigned index = count; index > 0; --index) edits.remove(name, index);
    removed += count;
  }
  return removed;
}

std::string_view Rating::name() const {
  return is_bulk ? "bulk" : to_string(level);
}

const SpamRule& rule_of(const Rating& rating, const SpamPolicy& policy) {
  if (rating.is_bulk) return policy.bulk;
  return policy.rules[static_cast<std::size_t>(rating.level)];
}

Decision act(const Rating& rating, bool proven, const SpamPolicy& policy, Exempt exempt,
             const HeaderView& header, const Report& report, MessageEdits& edits) {
  if (exempt == Exempt::all) return {Verdict::proceed("spam-exempt"), SpamAction::none};
  const SpamRule& rule = rule_of(rating, policy);
  const SpamAction action = softened(rule.action, rating.level, proven, policy, exempt);
  Decision decision{Verdict::proceed(reason_of(rating)), action, action != rule.action};
  switch (action) {
    case SpamAction::none:
      break;
    case SpamAction::header: {
      const auto [name, value] = header_of(rule, rating);
      edits.append(name, value);
      if (!report.evidence.empty()) edits.append(kEvidenceField, report.evidence);
      break;
    }
    case SpamAction::subject: {
      const bool own_text =
          rule.action == SpamAction::subject && !trim(rule.text).empty();
      tag_subjects(header.subjects(), own_text ? rule.text : default_tag(rating), edits);
      break;
    }
    case SpamAction::discard:
      decision.verdict = Verdict::discard(reason_of(rating));
      return decision;
    case SpamAction::reject:
      decision.verdict = Verdict::reject({550, "5.7.1"}, reason_of(rating),
                                         "Message refused: classified as spam");
      return decision;
    case SpamAction::quarantine:
      edits.quarantine("spam " + std::string(rating.name()));
      break;
  }
  edits.append("X-Mxfeed-Spam-Status", report.status);
  return decision;
}

}  // namespace mxfeed::spam
