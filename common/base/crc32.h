// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds accidental damage of stored bytes.

#pragma once

#include <cstdint>
#include <string_view>

namespace mxfeed {

// CRC-32 as in Ethernet and gzip (ISO 3309).  `before` is that of the bytes before these.
std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0);

}  // namespace mxfeed
