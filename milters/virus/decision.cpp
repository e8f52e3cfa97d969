// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/decision.h"

namespace mxfeed::virus {
namespace {

constexpr std::size_t kMaxPlainName = 120;

struct Texts {
  std::string_view key;     // in mxfeed.toml
  std::string_view reason;  // slug
  const char* reply;
};

Decision act(VirusAction action, const Texts& texts, const std::string& label) {
  const std::string key(texts.key);
  switch (action) {
    case VirusAction::discard:
      return {Verdict::discard(texts.reason), "", "", key + "=delete"};
    case VirusAction::reject:
      return {Verdict::reject({550, "5.7.1"}, texts.reason, texts.reply), "", "",
              key + "=reject"};
    case VirusAction::quarantine:
      return {Verdict::proceed(texts.reason), label, "virus: " + label,
              key + "=quarantine"};
  }
  return {Verdict::defer({451, "4.3.0"}, "virus-error", "Try again later"), "", "", ""};
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
  return {Verdict::defer({451, "4.3.0"}, "virus-error", "Try again later"), "", "", ""};
}

}  // namespace mxfeed::virus
