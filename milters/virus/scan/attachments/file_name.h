// SPDX-License-Identifier: GPL-2.0-or-later
//
// The suffixes that a file may have once it is saved under a name from a mail or an
// archive.  Programs change such names in many ways: Windows drops dots and blanks at
// the end and what follows a colon, some programs stop at NUL, and characters that show
// nothing, or turn the text around, hide the suffix from people only.
//
// Pure and bounded: of a very long name only the beginning and the end count.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/policy/attachment_kinds.h"

namespace mxfeed::virus {

struct NameLook {
  std::vector<std::string> suffixes;  // each is_suffix(); with duplicates
  AttachmentKinds kinds;
};

// Of a part of a mail, or of a file in an archive.
enum class NameOf { part, member };

// `name` is UTF-8 or any other bytes, with or without folders before it.  A member that
// ends with a slash is a folder, and nothing; neither are the files that every office
// document consists of.
NameLook look_at_name(std::string_view name, NameOf of);

// Whether browsers open a file of that name as a page.
bool is_page_name(std::string_view name);

}  // namespace mxfeed::virus
