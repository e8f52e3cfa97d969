// SPDX-License-Identifier: GPL-2.0-or-later
//
// One question to a server that ends the connection after its answer.

#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "common/base/server_address.h"

namespace mxfeed {

// Connects, sends the question, and reads the answer up to the end of the connection.
// Throws Fault: no connection, timed out, closed before all was sent, an answer of more
// than `most` bytes.  Thread-safe.
std::string exchange(const ServerAddress& server, std::string_view question,
                     std::size_t most, std::chrono::steady_clock::time_point deadline);

}  // namespace mxfeed
