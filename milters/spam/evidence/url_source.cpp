// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "common/base/text.h"
#include "common/mail/address.h"
#include "milters/spam/evidence/host.h"
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

}  // namespace

void UrlSource::judge(const Message& message, Findings& findings) const {
  for (const Link& link : message.html.links) {
    const std::string host = host_of(link.target);
    if (host.empty()) continue;
    if (is_foreign_address(host)) findings.add(evidence("url-address"));
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
