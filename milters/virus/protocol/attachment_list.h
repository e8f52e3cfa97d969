// SPDX-License-Identifier: GPL-2.0-or-later
//
// What attachments a message has, files in archives included: the same for every domain.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/policy/attachment_kinds.h"

namespace mxfeed::virus {

struct AttachmentList {
  static constexpr std::size_t kMostSuffixes = 250;

  AttachmentKinds kinds;
  // Of file names, distinct, sorted, each is_suffix(): the last one of a name, and the
  // last two together.
  std::vector<std::string> suffixes;
  bool has_more = false;  // suffixes that are not listed

  void add_suffix(std::string_view suffix);
  bool operator==(const AttachmentList&) const = default;
};

// The suffixes as one text: each ends with NUL.
std::string join_suffixes(const AttachmentList& list);
// False if the text is not the suffixes of a list.
bool split_suffixes(std::string_view text, AttachmentList& list);

}  // namespace mxfeed::virus
