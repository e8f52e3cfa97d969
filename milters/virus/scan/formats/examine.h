// SPDX-License-Identifier: GPL-2.0-or-later
//
// Looks for content that libclamav does not open, or opens in another way than the
// programs of the recipients, and for encrypted content.  Neither a file name nor a
// declared type matters, because programs go by either: the content itself decides.
//
// libclamav shows each content that it has opened, and the engine has each of them
// examined.  What is found inside is scanned like a part of a mail, and examined again.
//
// A pure function.  Time and memory are bounded by the room, for any content.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

void examine(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
