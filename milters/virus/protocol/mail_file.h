// SPDX-License-Identifier: GPL-2.0-or-later
//
// A mail in a file, read as the milter would get it.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mxfeed::virus {

class MessageFile;

// A message as it comes from Postfix to a milter.
struct MilterMessage {
  struct Field {
    std::string name;
    std::string value;  // folded with LF, leading space kept
    bool operator==(const Field&) const = default;
  };
  std::vector<Field> header;
  std::string body;  // lines end with CR LF
  bool operator==(const MilterMessage&) const = default;
};

// The file's content as Postfix 3.7 hands it over when its lines come by SMTP from a
// stranger (smtpd.c, cleanup_message.c, mime_state.c, is_header.c).  Lines end with LF or
// CR LF.
//   - Any other CR becomes a blank.
//   - A first line "From " or ">From " becomes a field X-Mailbox-Line.
//   - A line that is neither a field nor a folded one ends the header and begins the
//   body.
//   - Blanks before the colon of a field go; its value ends at a NUL; a field of more
//   than
//     60000 bytes is cut, at a fold if there is one.
//   - Bcc, Resent-Bcc, Content-Length and Return-Path go (message_drop_headers).
MilterMessage as_postfix(std::string_view file);

// Adds it as the milter does; throws what MessageFile throws.
void add(const MilterMessage& message, MessageFile& to);

}  // namespace mxfeed::virus
