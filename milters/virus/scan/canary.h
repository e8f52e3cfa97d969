// SPDX-License-Identifier: GPL-2.0-or-later
//
// What an engine must find before it is put in force: a random text that a signature of
// ours knows, in an encoded part of a mail.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mxfeed::virus {

// So many random bytes, written as hexadecimal digits.  Throws Fault.
std::string random_hex(std::size_t bytes);

// A mail with the payload in its attachment.
std::string canary_mail(std::string_view payload);

}  // namespace mxfeed::virus
