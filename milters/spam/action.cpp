// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/action.h"

#include <algorithm>

#include "common/base/base64.h"
#include "common/base/text.h"
#include "common/mail/header.h"
#include "milters/spam/score.h"

namespace mxfeed::spam {
namespace {

constexpr std::string_view kOwnPrefix = "x-mxfeed-spam";
constexpr std::size_t kLongLine = 900;  // RFC 5322, 2.1.1: 998 with name and CRLF

// RFC 2047: words of at most 75 characters, no character cut.
std::string encoded(std::string_view text) {
  constexpr std::size_t kBytes = 45;
  std::string out;
  while (!text.empty()) {
    std::size_t length = std::min(kBytes, text.size());
    while (length > 1 && length < text.size() &&
           (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) {
      --length;
    }
    if (!out.empty()) out += ' ';
    out += "=?UTF-8?B?" + base64(text.substr(0, length)) + "?=";
    text.remove_prefix(length);
  }
  return out;
}

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

std::optional<std::string> tagged_subject(const std::optional<std::string>& subject,
                                          std::string_view tag) {
  if (trim(tag).empty()) return std::nullopt;
  const bool ascii = std::all_of(tag.begin(), tag.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x80;
  });
  std::string text = ascii ? std::string(tag) : encoded(tag);
  if (!subject || trim(*subject).empty()) return std::string(trim(text));
  if (subject_has_tag(*subject, tag)) return std::nullopt;
  std::string rest(trim(*subject));
  // Postfix would keep a CR in the field.
  std::erase(rest, '\r');
  const bool joins_word = rest.starts_with("=?") || !ascii;
  if (joins_word && text.back() != ' ') text += ' ';
  const std::size_t first_line = std::min(rest.find('\n'), rest.size());
  if (text.size() + first_line > kLongLine) {
    while (text.ends_with(' ')) text.pop_back();
    text += "\n ";
  }
  return text + rest;
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
