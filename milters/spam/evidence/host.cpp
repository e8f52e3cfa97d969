// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/evidence/host.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/mail/address.h"

namespace mxfeed::spam {
namespace {

bool is_ascii_host(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
}
bool is_host(char c) {
  return is_ascii_host(c) || static_cast<unsigned char>(c) >= 0x80;
}

std::string_view without_end(std::string_view host) {
  return host.substr(0, host.find_last_not_of(".-_") + 1);
}

std::string_view registered(std::string_view host) {
  std::size_t dot = host.rfind('.');
  if (dot == host.npos || dot == 0) return host;
  std::size_t before = host.rfind('.', dot - 1);
  if (before == host.npos) return host;
  const std::size_t second = dot - before - 1;
  if (host.size() - dot - 1 == 2 && second <= 3 && before > 0) {
    before = host.rfind('.', before - 1);
    if (before == host.npos) return host;
  }
  return host.substr(before + 1);
}

}  // namespace

std::string leading_host(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_host);
  const std::string_view host =
      without_end(text.substr(0, static_cast<std::size_t>(end - text.begin())));
  if (const auto domain = Domain::parse(host)) return domain->str();
  // Punctuation that is not ASCII may follow the host name.
  const auto ascii_end = std::find_if_not(host.begin(), host.end(), is_ascii_host);
  return ascii_lower(
      without_end(host.substr(0, static_cast<std::size_t>(ascii_end - host.begin()))));
}

std::string host_of(std::string_view url) {
  url = trim(url);
  if (istarts_with(url, "http://")) {
    url.remove_prefix(7);
  } else if (istarts_with(url, "https://")) {
    url.remove_prefix(8);
  } else if (!istarts_with(url, "www.")) {
    return "";
  }
  url = url.substr(0, url.find_first_of("/?#\\ \t\r\n"));
  if (const std::size_t user = url.rfind('@'); user != url.npos) {
    url.remove_prefix(user + 1);
  }
  if (url.starts_with('[')) return ascii_lower(url.substr(0, url.find(']') + 1));
  return leading_host(url);
}

bool is_same_site(std::string_view host, std::string_view other) {
  return registered(host) == registered(other);
}

}  // namespace mxfeed::spam
