// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/normalised_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.h"

namespace mxfeed::greylist {
namespace {

constexpr std::string_view kSeparators = ".-_=/~";

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_vowel(char c) {
  return std::string_view("aeiouyAEIOUY").find(c) != std::string_view::npos;
}
bool is_separator(char c) {
  return kSeparators.find(c) != std::string_view::npos;
}

// draft-levine-smtp-batv: "prvs=" tag "=" local part; some write "msprvs1=" or "btv1==".
std::string_view without_batv(std::string_view local) {
  for (const std::string_view prefix : {"prvs=", "msprvs1=", "btv1=="}) {
    if (!istarts_with(local, prefix)) continue;
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
  const bool first = istarts_with(local, "srs0");
  if ((!first && !istarts_with(local, "srs1")) || local.size() < 6 ||
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

// Letters as they come in no language: hardly a vowel, or many consonants in a row.
bool is_random_letters(std::string_view word) {
  constexpr std::size_t kShortest = 8;
  constexpr std::size_t kConsonants = 5;
  if (word.size() < kShortest) return false;
  std::size_t vowels = 0;
  std::size_t row = 0;
  std::size_t longest = 0;
  for (const char c : word) {
    if (!is_letter(c)) return false;
    row = is_vowel(c) ? 0 : row + 1;
    longest = std::max(longest, row);
    if (row == 0) ++vowels;
  }
  return longest >= kConsonants || vowels * 5 < word.size();
}

// "xKqPzRtAbc": capitals within a long word.  "JohnMacDoe" looks like that, too; it only
// has to share its place with other such senders of its domain.
bool is_mixed_case(std::string_view word) {
  constexpr std::size_t kShortest = 10;
  return word.size() >= kShortest && std::ranges::any_of(word.substr(1), is_upper) &&
         std::ranges::any_of(word, [](char c) { return is_letter(c) && !is_upper(c); });
}

bool is_identifier(std::string_view word) {
  const auto digits = std::ranges::count_if(word, is_digit);
  const bool all_hex = std::ranges::all_of(word, is_hex);
  return (all_hex && digits > 0 && word.size() >= 4) || (all_hex && word.size() >= 16) ||
         (digits >= 2 && word.size() >= 8) || is_random_letters(word) ||
         is_mixed_case(word);
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
  if (const auto at = ascii_lower(local).find(own); at != std::string::npos) {
    local.replace(at, own.size(), 1, '#');
  }
  return local;
}

struct Sender {
  std::string local;   // case kept: it tells random letters from words
  std::string domain;  // with "@", in lower case; empty if there is none
};

Sender without_stamps(std::string_view sender) {
  const auto at = std::min(sender.rfind('@'), sender.size());
  return {without_srs(without_batv(sender.substr(0, at))),
          ascii_lower(sender.substr(at))};
}

}  // namespace

std::string sender_of_retries(std::string_view sender) {
  const auto [local, domain] = without_stamps(sender);
  return ascii_lower(local) + domain;
}

std::string normalised_sender(std::string_view sender, const Recipient& recipient) {
  if (sender.empty()) return {};
  auto [local, domain] = without_stamps(sender);
  local = without_recipient(std::move(local), recipient);
  if (const auto plus = local.find('+'); plus != std::string::npos && plus > 0) {
    local.resize(plus);
  }
  return ascii_lower(without_identifiers(local)) + domain;
}

}  // namespace mxfeed::greylist
