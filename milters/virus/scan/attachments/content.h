// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kinds of a file by its content, whatever its name.  Pure; looks at the head and the
// end, and searches documents with code for where that stands.

#pragma once

#include <string_view>

#include "common/policy/attachment_kinds.h"

namespace mxfeed::virus {

AttachmentKinds kinds_of_content(std::string_view content);

// Whether it begins as a page does: blanks and a tag.
bool begins_as_markup(std::string_view head);
// Whether it begins as XML that is no page: such files are not opened by browsers as one.
bool begins_as_other_xml(std::string_view head);

}  // namespace mxfeed::virus
