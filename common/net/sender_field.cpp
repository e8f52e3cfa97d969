// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/sender_field.h"

#include <vector>

#include "common/base/text.h"
#include "common/mail/address.h"

namespace mxfeed {
namespace {

constexpr std::string_view kOwn = "own";
constexpr std::string_view kSpf = "spf=";
constexpr std::string_view kMailFrom = "smtp.mailfrom=";
constexpr std::string_view kHelo = "smtp.helo=";
constexpr std::string_view kDmarc = "dmarc=pass";

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    while (end < text.size() && !is_space(text[end])) ++end;
    if (end > begin) found.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return found;
}

// The name as it is, if it is a domain in the form that compose() writes.
std::optional<std::string> written_domain(std::string_view name) {
  const auto domain = Domain::parse(name);
  if (!domain || domain->str() != name) return std::nullopt;
  return domain->str();
}

}  // namespace

bool SenderCheck::is_verified() const {
  if (!spf) return true;
  return (*spf == spf::Result::pass || dmarc) && identity == SenderIdentity::mail_from &&
         !domain.empty();
}

SenderCheck sender_check(spf::Result result, SenderIdentity identity,
                         std::string_view domain) {
  const auto name = Domain::parse(domain);
  return {result, identity, name ? name->str() : "", false};
}

std::string compose(const SenderCheck& check) {
  if (!check.spf) return std::string(kOwn);
  std::string text = std::string(kSpf) + std::string(spf::to_string(*check.spf));
  if (check.domain.empty()) return text;
  text += ' ';
  text += check.identity == SenderIdentity::helo ? kHelo : kMailFrom;
  text += check.domain;
  if (check.dmarc) text.append(" ").append(kDmarc);
  return text;
}

std::optional<SenderCheck> parse_sender_check(std::string_view value) {
  if (value.size() > kMaxSenderField) return std::nullopt;
  const auto found = words(value);
  if (found.empty()) return std::nullopt;
  SenderCheck check;
  if (found[0] == kOwn) return check;
  if (!found[0].starts_with(kSpf)) return std::nullopt;
  check.spf = spf::parse_result(found[0].substr(kSpf.size()));
  if (!check.spf) return std::nullopt;
  for (std::size_t i = 1; i < found.size(); ++i) {
    if (found[i] == kDmarc) check.dmarc = true;
    const bool is_helo = found[i].starts_with(kHelo);
    if (!is_helo && !found[i].starts_with(kMailFrom)) continue;
    if (!check.domain.empty()) return std::nullopt;
    const auto domain =
        written_domain(found[i].substr(is_helo ? kHelo.size() : kMailFrom.size()));
    if (!domain) return std::nullopt;
    check.identity = is_helo ? SenderIdentity::helo : SenderIdentity::mail_from;
    check.domain = *domain;
  }
  if (check.domain.empty()) check.dmarc = false;
  return check;
}

bool is_verified(std::string_view value) {
  const auto check = parse_sender_check(value);
  return check && check->is_verified();
}

}  // namespace mxfeed
