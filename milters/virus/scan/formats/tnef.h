// SPDX-License-Identifier: GPL-2.0-or-later
//
// TNEF, the winmail.dat of Outlook ([MS-OXTNEF]): attachments and texts are taken out.
// libclamav opens it too, but leaves out what is in the properties of an attachment.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

void examine_tnef(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
