// SPDX-License-Identifier: GPL-2.0-or-later
//
// The tag before a subject.  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mxfeed::spam {

// Whether a reader sees exactly the tag at the start of the subject: the same letters in
// the same case with the same blanks, written plainly or in encoded words that every mail
// program decodes.  Blanks at the end of the tag may be missing if nothing follows.
// Other spellings do not count: a sender could use them to avoid the tag.
bool subject_has_tag(std::string_view subject, std::string_view tag);

// The subject with the tag before it, ready for an edit; nothing if it already has the
// tag or the tag is blank.  A missing subject counts as an empty one.
std::optional<std::string> tagged_subject(const std::optional<std::string>& subject,
                                          std::string_view tag);

}  // namespace mxfeed::spam
