// SPDX-License-Identifier: GPL-2.0-or-later
//
// SHA-256 (FIPS 180-4).

#pragma once

#include <string>
#include <string_view>

namespace mxfeed {

// The digest, 32 bytes.
std::string sha256(std::string_view bytes);

}  // namespace mxfeed
