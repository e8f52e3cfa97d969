// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/envelope.h"

#include <algorithm>

namespace mxfeed {

Recipient Recipient::parse(std::string_view address) {
  constexpr std::size_t kMaxLocalPart = 320;
  if (address.starts_with('<')) address.remove_prefix(1);
  if (address.ends_with('>')) address.remove_suffix(1);
  const auto at = std::min(address.rfind('@'), address.size());
  auto domain = address.substr(std::min(at + 1, address.size()));
  if (domain.ends_with('.')) domain.remove_suffix(1);
  const auto local_part = address.substr(0, at);
  const auto path = Path::parse(local_part);
  return {path && path->domain.empty() ? path->local_part
                                       : std::string(local_part.substr(0, kMaxLocalPart)),
          ascii_lower(domain)};
}

}  // namespace mxfeed
