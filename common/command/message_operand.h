// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads a message from a FILE operand and gives it the form in which a filter would get
// it from Postfix.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mxfeed {

// The bytes of the file, or of standard input for "-".  If there are more than `most`,
// returns `most` + 1 of them.  Throws CommandError if they cannot be read.
std::string read_operand(const std::string& file, std::size_t most);

// The message as Postfix 3.7 hands it to a milter when it comes by SMTP from a stranger
// (smtpd.c, cleanup_message.c, mime_state.c, is_header.c).  Lines may end with LF or CR
// LF in the file; here they end with CR LF.
//   - Any other CR becomes a blank.
//   - A first line "From " or ">From " becomes a field X-Mailbox-Line, and so do those
//     that follow it (Postfix 3.10: the first alone).
//   - A line that is neither a field nor a folded one ends the header; an empty line goes
//     before it.
//   - Blanks before the colon of a field go; its value ends at a NUL; a field of
//     more than 60000 bytes is cut, at a fold if there is one.
//   - Bcc, Resent-Bcc, Content-Length and Return-Path go (message_drop_headers).
std::string as_received(std::string_view mail);

}  // namespace mxfeed
