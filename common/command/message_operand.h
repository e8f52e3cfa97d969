// SPDX-License-Identifier: GPL-2.0-or-later
//
// A mail in a FILE operand, as a filter would have got it from Postfix.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mxfeed {

// The bytes of the file, "-": of standard input; more than `most` are cut after one byte
// more.  Throws CommandError if it cannot be read.
std::string read_operand(const std::string& file, std::size_t most);

// What smtpd(8) and cleanup(8) make of the lines of a mail: ended by CRLF, other CR a
// blank, a first line "From " a header field, an empty line where the header ends without
// one.
std::string as_received(std::string_view mail);

}  // namespace mxfeed
