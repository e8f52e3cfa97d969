// SPDX-License-Identifier: GPL-2.0-or-later
//
// Base64 of armoured content.

#pragma once

#include <string>
#include <string_view>

namespace mxfeed::virus {

// Decodes up to the first '=' or the end; what is not of the alphabet is skipped.
std::string decode_base64(std::string_view text);

}  // namespace mxfeed::virus
