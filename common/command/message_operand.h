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

// The mail as Postfix 3.7 hands it to a milter when its lines come by SMTP from a
// stranger (smtpd.c, cleanup_message.c, mime_state.c, is_header.c).  Lines end with LF or
// CR LF in the file, with CR LF here.
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
