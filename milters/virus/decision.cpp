// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/decision.h"

#include <utility>

#include "milters/virus/attachment_rules.h"

namespace mxfeed::virus {
namespace {

constexpr std::size_t kMaxPlainName = 120;

struct Texts {
  std::string_view key;     // in mxfeed.toml
  std::string_view reason;  // slug
  const char* reply;
};

Decision put_off() {
  return {Verdict::defer({451, "4.3.0"}, "virus-error", "Try again later")};
}

Decision act(VirusAction action, const Texts& texts, const std::string& label) {
  const std::string key(texts.key);
  switch (action) {
    case VirusAction::discard:
      return {Verdict::discard(texts.reason), "", "", key + "=delete"};
    case VirusAction::reject:
      return {Verdict::reject({550, "5.7.1"}, texts.reason, texts.reply), "", "",
              key + "=reject"};
    case VirusAction::quarantine:
      return {.verdict = Verdict::proceed(texts.reason),
              .header = label,
              .quarantine = "virus: " + label,
              .rule = key + "=quarantine",
              .held_as = HeldKind::virus,
              .held_for = label};
  }
  return put_off();
}

// `decision` is that of the message without its attachments.
Decision act_on_attachment(const BlockedAttachment& blocked, Decision decision) {
  constexpr std::string_view kReason = "attachment-blocked";
  const std::string rule = std::string("attachments=").append(to_string(blocked.action));
  const std::string text = "Attachment of type " + blocked.what + " is not accepted";
  decision.attachment = blocked.what;
  switch (blocked.action) {
    case AttachmentAction::header:
      if (decision.header.empty()) return decision;  // rejected
      decision.header += "; attachment (" + blocked.what + ")";
      decision.rule = rule;
      return decision;
    case AttachmentAction::quarantine:
      decision.verdict = Verdict::proceed(kReason);
      if (decision.header.empty()) decision.header = "encrypted";
      decision.header += "; attachment (" + blocked.what + ")";
      decision.quarantine = "attachment: " + blocked.what;
      decision.held_as = HeldKind::attachment;
      decision.held_for = blocked.what;
      break;
    case AttachmentAction::reject:
      decision.verdict = Verdict::reject({550, "5.7.1"}, kReason, text.c_str());
      decision.header.clear();
      break;
    case AttachmentAction::discard:
      decision.verdict = Verdict::discard(kReason);
      decision.header.clear();
      break;
  }
  decision.rule = rule;
  return decision;
}

}  // namespace

std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name.substr(0, kMaxPlainName)) {
    const bool fits = c > ' ' && c < 0x7f && c != '(' && c != ')' && c != '\\';
    plain += fits ? c : '_';
  }
  return plain.empty() ? "unnamed" : plain;
}

Decision verdict_for(const ScanResult& result, const VirusPolicy& policy) {
  const std::string label =
      std::string(to_string(result.verdict)) + " (" + plain_name(result.name) + ")";
  switch (result.verdict) {
    case ScanVerdict::clean:
      return {Verdict::proceed("virus-clean"), "clean", "", ""};
    case ScanVerdict::infected:
      return act(policy.infected,
                 {"infected", "virus-infected", "Message contains malware"}, label);
    case ScanVerdict::unscannable:
      return act(policy.unscannable,
                 {"unscannable", "virus-unscannable", "Message cannot be scanned"},
                 label);
    case ScanVerdict::encrypted:
      switch (policy.encrypted) {
        case EncryptedAction::header:
          return {Verdict::proceed("virus-encrypted"), label, "", "encrypted=header"};
        case EncryptedAction::reject:
          return {Verdict::reject({550, "5.7.1"}, "virus-encrypted",
                                  "Message has encrypted content"),
                  "", "", "encrypted=reject"};
      }
      break;
    case ScanVerdict::error:
      break;
  }
  return put_off();
}

Decision decide(const ScanResult& result, const JointPolicy& policy) {
  Decision decision = verdict_for(result, policy.virus());
  const bool counts =
      result.verdict == ScanVerdict::clean || result.verdict == ScanVerdict::encrypted;
  if (!counts || !policy.wants_attachments()) return decision;
  if (!result.attachments) return put_off();
  const auto blocked = blocked_for(policy.recipients(), *result.attachments);
  return blocked ? act_on_attachment(*blocked, std::move(decision)) : decision;
}

}  // namespace mxfeed::virus
