// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "common/base/text.h"
#include "common/mail/address.h"
#include "milters/spam/evidence/host.h"
#include "milters/spam/evidence/look.h"
#include "milters/spam/evidence/table.h"

namespace mxfeed::spam {
namespace {

// Whether the host is an IP address; private addresses do not count: devices in the
// recipient's own network link to them.
bool is_foreign_address(std::string_view host) {
  std::string_view text = host;
  if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
  if (const auto address = IpAddress::parse(text)) {
    return !address->is_private() && !address->is_loopback() && !address->is_link_local();
  }
  return std::all_of(host.begin(), host.end(),
                     [](char c) { return is_digit(c) || c == '.'; });
}

// The host that the text of a link shows: "www.bank.example",
// "https://bank.example/login".  Empty for other text, and if the name is cut short.
std::string host_shown(std::string_view text) {
  text = trim(text);
  if (text.find(' ') != text.npos || text.ends_with("...") ||
      text.ends_with("\xE2\x80\xA6")) {  // U+2026, an ellipsis
    return "";
  }
  const std::string host = host_of(text);
  return host.find('.') == host.npos ? "" : host;
}

// What stands between "//" and the path.
std::string_view authority_of(std::string_view url) {
  const std::size_t begin = url.find("//");
  if (begin == url.npos) return {};
  url.remove_prefix(begin + 2);
  return url.substr(0, url.find_first_of("/?#\\"));
}

// Zero-width characters and soft hyphens.
bool has_invisible(std::string_view text) {
  static constexpr std::string_view kInvisible[] = {"\xC2\xAD",     "\xE2\x80\x8B",
                                                    "\xE2\x80\x8C", "\xE2\x80\x8D",
                                                    "\xE2\x81\xA0", "\xEF\xBB\xBF"};
  return std::any_of(std::begin(kInvisible), std::end(kInvisible),
                     [&](std::string_view one) { return text.find(one) != text.npos; });
}

// Within one label; the name of another script below a Latin domain is usual.
bool mixes_scripts(std::string_view host) {
  if (host.find("xn--") == host.npos) return false;
  const auto domain = Domain::parse(host);
  if (!domain) return false;
  const std::string name = domain->u_labels();
  const auto labels = split(name, '.');
  return std::any_of(labels.begin(), labels.end(), is_of_mixed_scripts);
}

}  // namespace

void UrlSource::judge(const Message& message, Findings& findings) const {
  for (const Link& link : message.html.links) {
    const std::string host = host_of(link.target);
    if (host.empty()) continue;
    if (is_foreign_address(host)) findings.add(evidence("url-address"));
    const std::string_view authority = authority_of(link.target);
    if (authority.find('@') != authority.npos) findings.add(evidence("url-user"));
    if (has_invisible(authority)) findings.add(evidence("url-invisible"));
    if (mixes_scripts(host)) findings.add(evidence("url-mixed-script"));
    const std::string shown = host_shown(link.text);
    if (!shown.empty() && !is_same_site(shown, host) && !is_list_mail(message)) {
      findings.add(evidence("url-misleads"));
    }
  }
  // A body that consists of a single URL.
  const std::string_view text = trim(message.plain);
  if (message.whole && !text.empty() && text.find_first_of(" \n") == text.npos &&
      !host_of(text).empty()) {
    findings.add(evidence("url-only"));
  }
}

}  // namespace mxfeed::spam
