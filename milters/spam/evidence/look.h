// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether two names look alike to a reader, in whatever script they are written (Unicode
// Technical Standard 39, 4).  Takes any bytes; UTF-8 is expected.  Pure, thread-safe.

#pragma once

#include <string_view>

namespace mxfeed::spam {

// Whether a reader who knows `name` sees it in `shown`: all its words are there, in any
// order, case, or with letters that look like them.  A name of one word must be all that
// is shown.
bool shows_name(std::string_view shown, std::string_view name);

// Whether a word has letters of scripts that no language mixes (5.2, highly restrictive).
bool is_of_mixed_scripts(std::string_view word);

}  // namespace mxfeed::spam
