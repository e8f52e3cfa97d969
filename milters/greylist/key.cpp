// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/key.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/digest.h"
#include "common/base/text.h"

namespace mxfeed::greylist {
namespace {

constexpr std::size_t kDigestBytes = 16;
constexpr std::string_view kSeparators = ".-_=/~";

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}
bool is_separator(char c) {
  return kSeparators.find(c) != std::string_view::npos;
}

// draft-levine-smtp-batv: "prvs=" tag "=" local part; some write "msprvs1=" or "btv1==".
std::string_view without_batv(std::string_view local) {
  for (const std::string_view prefix : {"prvs=", "msprvs1=", "btv1=="}) {
    if (!local.starts_with(prefix)) continue;
    const auto rest = local.substr(prefix.size());
    const auto end = rest.find('=');
    if (end == std::string_view::npos || end == 0) return local;
    const auto skip = rest.find_first_not_of('=', end);
    return skip == std::string_view::npos ? local : rest.substr(skip);
  }
  return local;
}

// Takes the text up to the next '=' (or all of it) off the front.
std::string_view take(std::string_view& text) {
  const auto end = text.find('=');
  const auto piece = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return piece;
}

// SRS0=hash=day=domain=user; SRS1=hash=forwarder==hash=day=domain=user, where the second
// separator is part of the inner SRS0 and may also be '+' or '-'.
std::string without_srs(std::string_view local) {
  const bool first = local.starts_with("srs0");
  if ((!first && !local.starts_with("srs1")) || local.size() < 6 ||
      std::string_view("=+-").find(local[4]) == std::string_view::npos) {
    return std::string(local);
  }
  std::string_view rest = local.substr(5);
  take(rest);  // the hash
  std::string forwarder;
  if (!first) {
    forwarder = fmt::format("{}=", take(rest));
    if (!rest.empty() &&
        std::string_view("=+-").find(rest[0]) != std::string_view::npos) {
      rest.remove_prefix(1);
    }
    take(rest);  // the inner hash
  }
  take(rest);  // the day
  if (rest.empty()) return std::string(local);
  return fmt::format("{}={}{}", local.substr(0, 4), forwarder, rest);
}

// 8-4-4-4-12 hexadecimal digits at the beginning of `text`.
bool begins_with_uuid(std::string_view text) {
  constexpr std::array<std::size_t, 5> kGroups = {8, 4, 4, 4, 12};
  std::size_t at = 0;
  for (std::size_t group = 0; group < kGroups.size(); ++group) {
    if (group > 0 && (at >= text.size() || text[at++] != '-')) return false;
    for (std::size_t i = 0; i < kGroups[group]; ++i, ++at) {
      if (at >= text.size() || !is_hex(text[at])) return false;
    }
  }
  return at == text.size() || is_separator(text[at]);
}
constexpr std::size_t kUuidSize = 36;

bool is_identifier(std::string_view word) {
  const auto digits = std::ranges::count_if(word, is_digit);
  const bool all_hex = std::ranges::all_of(word, is_hex);
  return (all_hex && digits > 0 && word.size() >= 4) || (all_hex && word.size() >= 16) ||
         (digits >= 2 && word.size() >= 8);
}

void append_without_digits(std::string& to, std::string_view word) {
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (!is_digit(word[i])) {
      to += word[i];
    } else if (i == 0 || !is_digit(word[i - 1])) {
      to += '#';
    }
  }
}

std::string without_identifiers(std::string_view local) {
  std::string result;
  while (!local.empty()) {
    if (is_separator(local[0])) {
      result += local[0];
      local.remove_prefix(1);
      continue;
    }
    if (begins_with_uuid(local)) {
      result += '#';
      local.remove_prefix(kUuidSize);
      continue;
    }
    const auto word = local.substr(0, local.find_first_of(kSeparators));
    if (is_identifier(word)) {
      result += '#';
    } else {
      append_without_digits(result, word);
    }
    local.remove_prefix(word.size());
  }
  return result;
}

// The recipient as senders write it into their own address, '=' for '@'.
std::string without_recipient(std::string local, const Recipient& recipient) {
  if (recipient.local_part.empty()) return local;
  const std::string own =
      ascii_lower(fmt::format("{}={}", recipient.local_part, recipient.domain));
  if (const auto at = local.find(own); at != std::string::npos) {
    local.replace(at, own.size(), 1, '#');
  }
  return local;
}

}  // namespace

std::string normalised_sender(std::string_view sender, const Recipient& recipient) {
  if (sender.empty()) return {};
  const std::string lower = ascii_lower(sender);
  const auto at = std::min(lower.rfind('@'), lower.size());
  const std::string_view domain = std::string_view(lower).substr(at);
  std::string local = without_srs(without_batv(std::string_view(lower).substr(0, at)));
  local = without_recipient(std::move(local), recipient);
  if (const auto plus = local.find('+'); plus != std::string::npos && plus > 0) {
    local.resize(plus);
  }
  return without_identifiers(local).append(domain);
}

std::string key_of(const IpAddress& client, std::string_view sender,
                   const Recipient& recipient, std::string_view domain,
                   const GatewayPolicy::Greylist& settings) {
  std::string bytes;
  const auto add = [&bytes](std::string_view part) {
    bytes += fmt::format("{}:", part.size());
    bytes += part;
  };
  add(normalised_sender(sender, recipient));
  add(ascii_lower(recipient.local_part));
  add(recipient.domain);
  return fmt::format(
      "{} {} {}",
      client.network(client.is_v4() ? settings.ipv4_prefix : settings.ipv6_prefix),
      domain, to_hex(digest(bytes, kDigestBytes)));
}

}  // namespace mxfeed::greylist
