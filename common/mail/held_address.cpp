// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/held_address.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/base/fault.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kTokenBytes = 16;
constexpr std::string_view kReceipt = "released";

std::optional<std::string> decoded(std::string_view hex, std::size_t most) {
  if (hex.size() > 2 * most) return std::nullopt;
  return from_hex(hex);
}

}  // namespace

std::string_view to_string(HeldKind kind) {
  switch (kind) {
    case HeldKind::virus:
      return "virus";
    case HeldKind::attachment:
      return "attachment";
    case HeldKind::spam:
      return "spam";
    case HeldKind::trap:
      return "trap";
    case HeldKind::report_spam:
      return "report_spam";
    case HeldKind::report_ham:
      return "report_ham";
    case HeldKind::mailbox:
      return "mailbox";
  }
  return "";
}

std::optional<HeldKind> parse_held_kind(std::string_view text) {
  for (const HeldKind kind :
       {HeldKind::virus, HeldKind::attachment, HeldKind::spam, HeldKind::trap,
        HeldKind::report_spam, HeldKind::report_ham, HeldKind::mailbox}) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

bool teaches(HeldKind kind) {
  switch (kind) {
    case HeldKind::virus:
    case HeldKind::attachment:
    case HeldKind::spam:
    case HeldKind::mailbox:
      return false;
    case HeldKind::trap:
    case HeldKind::report_spam:
    case HeldKind::report_ham:
      break;
  }
  return true;
}

std::string random_token() {
  std::array<char, kTokenBytes> bytes;
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Fault("make token", "getrandom", errno_text(errno));
  }
  return to_hex({bytes.data(), bytes.size()});
}

bool is_token(std::string_view text) {
  return text.size() == 2 * kTokenBytes && from_hex(text).has_value();
}

std::string HeldAddress::str() const {
  return fmt::format("{}.{}.{}.{}.{}@{}", to_string(kind), token, to_hex(domain),
                     to_hex(std::string_view(reason).substr(0, kMaxReason)),
                     to_hex(recipient), kQuarantineDomain);
}

std::optional<HeldAddress> HeldAddress::parse(std::string_view local_part) {
  const auto parts = split(local_part, '.');
  if (parts.size() != 5 || !is_token(parts[1])) return std::nullopt;
  const auto kind = parse_held_kind(parts[0]);
  const auto domain = decoded(parts[2], kMaxDomain);
  const auto reason = decoded(parts[3], kMaxReason);
  const auto recipient = decoded(parts[4], kMaxRecipient);
  if (!kind || !domain || domain->empty() || !reason || !recipient ||
      !is_exchangeable(*recipient)) {
    return std::nullopt;
  }
  return HeldAddress{*kind, std::string(parts[1]), *domain, *reason, *recipient};
}

bool is_exchangeable(std::string_view recipient) {
  constexpr std::string_view kSpecial = "\"\\()<>[],;:";
  if (recipient.size() > HeldAddress::kMaxRecipient) return false;
  const auto at = recipient.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == recipient.size()) return false;
  if (recipient.find('@', at + 1) != std::string_view::npos) return false;
  return std::all_of(recipient.begin(), recipient.end(), [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > ' ' && byte != 0x7f && kSpecial.find(c) == std::string_view::npos;
  });
}

std::string receipt_address(std::string_view token) {
  return fmt::format("{}.{}@{}", kReceipt, token, kQuarantineDomain);
}

std::optional<std::string> parse_receipt(std::string_view local_part) {
  const auto parts = split(local_part, '.');
  if (parts.size() != 2 || parts[0] != kReceipt || !is_token(parts[1])) {
    return std::nullopt;
  }
  return std::string(parts[1]);
}

}  // namespace mxfeed
