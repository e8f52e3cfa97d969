// SPDX-License-Identifier: GPL-2.0-or-later
//
// The tag before a subject.  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mxfeed::spam {

// Whether the decoded subject begins with the tag, whatever its letters' case and the
// white space in and around it.  An empty tag begins every subject.
bool subject_has_tag(std::string_view subject, std::string_view tag);

// The Subject with the tag before it, ready for an edit; nothing if it begins with the
// tag already.
std::optional<std::string> tagged_subject(const std::optional<std::string>& subject,
                                          std::string_view tag);

}  // namespace mxfeed::spam
