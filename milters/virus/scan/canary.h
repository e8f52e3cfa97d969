// SPDX-License-Identifier: GPL-2.0-or-later
//
// The test that an engine must pass before it is used: it must find a random text, for
// which we add a signature, in an encoded part of a message.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mxfeed::virus {

// Random bytes, written as hexadecimal digits.  Throws Fault.
std::string random_hex(std::size_t bytes);

// A message with the payload in its attachment.
std::string canary_mail(std::string_view payload);

}  // namespace mxfeed::virus
