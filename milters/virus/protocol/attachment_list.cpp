// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/protocol/attachment_list.h"

#include <algorithm>

namespace mxfeed::virus {

void AttachmentList::add_suffix(std::string_view suffix) {
  if (!is_suffix(suffix)) return;
  const auto at = std::ranges::lower_bound(suffixes, suffix);
  if (at != suffixes.end() && *at == suffix) return;
  if (suffixes.size() == kMostSuffixes) {
    has_more = true;
  } else {
    suffixes.emplace(at, suffix);
  }
}

std::string join_suffixes(const AttachmentList& list) {
  std::string text;
  for (const std::string& suffix : list.suffixes) text.append(suffix) += '\0';
  return text;
}

bool split_suffixes(std::string_view text, AttachmentList& list) {
  list.suffixes.clear();
  while (!text.empty()) {
    const auto end = text.find('\0');
    const std::string_view suffix = text.substr(0, end);
    const bool rises = list.suffixes.empty() || list.suffixes.back() < suffix;
    if (end == std::string_view::npos || !is_suffix(suffix) || !rises ||
        list.suffixes.size() == AttachmentList::kMostSuffixes) {
      return false;
    }
    list.suffixes.emplace_back(suffix);
    text.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace mxfeed::virus
