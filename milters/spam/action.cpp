// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/action.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/mail/header.h"
#include "milters/spam/score.h"
#include "milters/spam/subject_tag.h"

namespace mxfeed::spam {
namespace {

constexpr std::string_view kOwnPrefix = "x-mxfeed-spam";

std::string default_tag(SpamLevel level) {
  return "[SPAM: " + std::string(name_of(level)) + "] ";
}

// "Name: value" of a header rule; the default if it is none.
std::pair<std::string, std::string> header_of(const SpamRule& rule, SpamLevel level) {
  const std::size_t colon = rule.text.find(':');
  if (colon != std::string::npos) {
    const std::string_view name = trim(std::string_view(rule.text).substr(0, colon));
    if (is_field_name(name)) {
      return {std::string(name), unfold(std::string_view(rule.text).substr(colon + 1))};
    }
  }
  return {"X-Mxfeed-Spam", std::string(name_of(level))};
}

// What may be done at most.
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

std::string_view reason_of(SpamLevel level) {
  switch (level) {
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
  if (lower == "subject" && !subject_) subject_ = value;
  if (lower.starts_with("x-")) ++counts_[lower];
}

std::size_t remove_forged(const HeaderView& header, const SpamPolicy& policy,
                          MessageEdits& edits) {
  std::size_t removed = 0;
  const auto remove = [&](const std::string& name, unsigned count) {
    for (unsigned index = count; index > 0; --index) edits.remove(name, index);
    removed += count;
  };
  std::vector<std::string> custom;
  if (policy.enabled) {
    for (const SpamRule& rule : policy.rules) {
      if (rule.action != SpamAction::header) continue;
      std::string name = ascii_lower(header_of(rule, SpamLevel::none).first);
      if (!name.starts_with(kOwnPrefix) &&
          std::find(custom.begin(), custom.end(), name) == custom.end()) {
        custom.push_back(std::move(name));
      }
    }
  }
  for (const auto& [name, count] : header.extension_fields()) {
    if (name.starts_with(kOwnPrefix) ||
        std::find(custom.begin(), custom.end(), name) != custom.end()) {
      remove(name, count);
    }
  }
  return removed;
}

Decision act(SpamLevel level, bool proven, const SpamPolicy& policy, Exempt exempt,
             const HeaderView& header, std::string_view status_text,
             MessageEdits& edits) {
  if (exempt == Exempt::all) return {Verdict::proceed("spam-exempt"), SpamAction::none};
  const SpamRule& rule = policy.rules[static_cast<std::size_t>(level)];
  const SpamAction action = softened(rule.action, level, proven, policy, exempt);
  Decision decision{Verdict::proceed(reason_of(level)), action, action != rule.action};
  switch (action) {
    case SpamAction::none:
      break;
    case SpamAction::header: {
      const auto [name, value] = header_of(rule, level);
      edits.append(name, value);
      break;
    }
    case SpamAction::subject: {
      const bool own_text =
          rule.action == SpamAction::subject && !trim(rule.text).empty();
      const auto subject =
          tagged_subject(header.subject(), own_text ? rule.text : default_tag(level));
      if (!subject) break;
      if (header.subject()) {
        edits.replace("Subject", 1, *subject);
      } else {
        edits.append("Subject", *subject);
      }
      break;
    }
    case SpamAction::discard:
      decision.verdict = Verdict::discard(reason_of(level));
      return decision;
    case SpamAction::reject:
      decision.verdict = Verdict::reject({550, "5.7.1"}, reason_of(level),
                                         "Message refused: classified as spam");
      return decision;
    case SpamAction::quarantine:
      edits.quarantine("spam " + std::string(name_of(level)));
      break;
  }
  edits.append("X-Mxfeed-Spam-Status", status_text);
  return decision;
}

}  // namespace mxfeed::spam
