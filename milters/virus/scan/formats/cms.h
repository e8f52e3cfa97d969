// SPDX-License-Identifier: GPL-2.0-or-later
//
// Cryptographic Message Syntax (RFC 5652) and PKCS #7 (RFC 2315), as in S/MIME and in
// signed documents (*.p7m): DER or streamed BER, also in base64.  Content that is signed,
// compressed or just wrapped is taken out; enveloped content is encrypted.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

void examine_cms(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
