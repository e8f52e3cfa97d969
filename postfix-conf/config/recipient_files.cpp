// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/recipient_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/base/text.h"
#include "common/mail/address.h"
#include "postfix-conf/config/section.h"
#include "postfix-conf/config/settings.h"

namespace mxfeed {

RecipientFile RecipientFile::parse(std::string_view text) {
  RecipientFile file;
  std::size_t number = 0;
  for (auto line : split(text, '\n')) {
    ++number;
    line = trim(line);
    if (line.empty() || line.starts_with('#')) continue;
    const auto at = line.rfind('@');
    const auto local_part = line.substr(0, at);
    const auto domain =
        at == std::string_view::npos ? std::nullopt : Domain::parse(line.substr(at + 1));
    if (!is_local_part(local_part) || (at != std::string_view::npos && !domain)) {
      if (!file.damage_) {
        file.damage_ = {number, fmt::format("{} is neither an address nor a local part",
                                            in_quotes(line))};
      }
      continue;
    }
    file.all_.push_back({domain ? domain->str() : "", ascii_lower(local_part)});
  }
  std::sort(file.all_.begin(), file.all_.end());
  return file;
}

std::vector<std::string> RecipientFile::of(std::string_view domain) const {
  std::vector<std::string> found;
  const auto add = [&](std::string_view wanted) {
    auto one = std::lower_bound(
        all_.begin(), all_.end(), wanted,
        [](const Recipient& a, std::string_view name) { return a.domain < name; });
    for (; one != all_.end() && one->domain == wanted; ++one) {
      found.push_back(one->local_part);
    }
  };
  add("");
  add(domain);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace mxfeed
