// SPDX-License-Identifier: GPL-2.0-or-later
//
// A short name for any bytes, as good as unique.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mxfeed {

// BLAKE2b (RFC 7693) of 1 to 64 bytes; the same on every machine.  Thread-safe.
std::string digest(std::string_view bytes, std::size_t size);

}  // namespace mxfeed
