// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/lists/list_names.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/mail/mailbox.h"
#include "common/net/dns.h"
#include "common/net/organisation.h"
#include "milters/spam/evidence/host.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kMostAuthors = 10;
// Of text that is searched for links.
constexpr std::size_t kMostText = std::size_t{64} * 1024;

void add_once(std::vector<std::string>& keys, std::string key) {
  if (key.empty() || std::ranges::find(keys, key) != keys.end()) return;
  keys.push_back(std::move(key));
}

// What a list of domains is asked for about a host.
std::string key_of(const std::string& host) {
  std::string_view text = host;
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
  }
  if (const auto address = IpAddress::parse(text)) {
    return address->is_v4() && address->is_public() ? dns::list_key(*address) : "";
  }
  if (host.find('.') == std::string::npos) return "";
  return organisation_of(host);
}

std::string domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  return at == std::string_view::npos ? "" : leading_host(address.substr(at + 1));
}

// Of plain text, which mail programs turn into links.
void add_links_of(std::string_view text, std::vector<std::string>& keys) {
  constexpr std::string_view kBegins[] = {"http://", "https://", "www."};
  const std::string lower = ascii_lower(text.substr(0, kMostText));
  for (std::size_t at = 0; keys.size() < kMostLinkDomains; ++at) {
    at = std::min(lower.find("http", at), lower.find("www.", at));
    if (at == std::string::npos) return;
    const std::string_view rest = std::string_view(lower).substr(at);
    for (const auto begin : kBegins) {
      if (rest.starts_with(begin)) add_once(keys, key_of(host_of(rest)));
    }
  }
}

}  // namespace

std::string client_key(const IpAddress& client) {
  return client.is_public() ? dns::list_key(client) : "";
}

std::vector<std::string> link_keys(const Message& message) {
  std::vector<std::string> keys;
  for (const bool is_visible : {true, false}) {
    for (const Link& link : message.html.links) {
      if (keys.size() == kMostLinkDomains) return keys;
      if (trim(link.text).empty() != is_visible)
        add_once(keys, key_of(host_of(link.target)));
    }
  }
  add_links_of(message.plain, keys);
  return keys;
}

std::vector<std::string> sender_keys(std::string_view envelope_sender,
                                     const Message& message) {
  std::vector<std::string> keys;
  add_once(keys, key_of(domain_of(envelope_sender)));
  for (const std::string_view name : {"From", "Reply-To"}) {
    const std::string* const value = message.find(name);
    if (value == nullptr) continue;
    for (const Mailbox& one : parse_mailboxes(*value, kMostAuthors)) {
      add_once(keys, key_of(domain_of(one.address)));
    }
  }
  return keys;
}

}  // namespace mxfeed::spam
