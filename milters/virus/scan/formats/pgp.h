// SPDX-License-Identifier: GPL-2.0-or-later
//
// OpenPGP messages (RFC 4880, 9580), binary or in armour anywhere in a text: encrypted
// ones are found, and the content of those that are only signed or compressed is taken
// out.  Signatures alone, keys and clear-signed texts are nothing.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

void examine_pgp(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
