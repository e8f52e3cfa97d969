// SPDX-License-Identifier: GPL-2.0-or-later
//
// Mail, and files that are encoded in text, where no walk through a mail sees them: in an
// archive, in an encoded attachment, or quoted in a text.  Some programs decode them
// there.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

// What is found is a message; the walk through it decodes the files.
void examine_text(std::string_view content, Findings& findings);

// The messages of a mailbox file ("mbox") behind its first one.
void examine_mailbox(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
