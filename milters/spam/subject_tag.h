// SPDX-License-Identifier: GPL-2.0-or-later
//
// The tag before a subject.  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mxfeed::spam {

// Whether a reader sees exactly the tag at the start of the subject: the same letters in
// the same case with the same blanks, written as they are or in encoded words that every
// mail program decodes.  Where the tag ends with blanks, they may be missing if nothing
// follows.  Other spellings do not count: a sender may write one to be left alone.
bool subject_has_tag(std::string_view subject, std::string_view tag);

// The Subject with the tag before it, ready for an edit; nothing if it has the tag
// already or the tag is blank.  No subject is an empty one.
std::optional<std::string> tagged_subject(const std::optional<std::string>& subject,
                                          std::string_view tag);

}  // namespace mxfeed::spam
