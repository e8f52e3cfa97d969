// SPDX-License-Identifier: GPL-2.0-or-later
//
// The text of a message that the content model learns from.
//
//   From: Jane <jane@example.org>
//   Subject: Your order
//   Content-Type: multipart/mixed; boundary="x"
//   @part text/html
//   @part application/pdf name=invoice.pdf
//   @hidden 7
//   Dear customer, ...
//   @url https://example.org/track
//
// Only fields that the sender wrote are in it, decoded: no trace fields, which tell one
// gateway from another, and no verdicts, neither ours nor those of other software.  HTML
// is given as it is shown; of hidden text only the magnitude is.  Pure.

#pragma once

#include <cstddef>
#include <string>

#include "milters/spam/evidence/message.h"

namespace mxfeed::spam {

// The most bytes of a view.
inline constexpr std::size_t kViewBytes = std::size_t{8} * 1024;

std::string structured_view(const Message& message);

// The same, and apart from each other the text, of which there may be more, and the rest.
struct View {
  std::string whole;
  std::string common;  // without the text
  std::string text;    // at most kTextBytes
};
inline constexpr std::size_t kTextBytes = std::size_t{16} * 1024;

View view_of(const Message& message);

}  // namespace mxfeed::spam
