// SPDX-License-Identifier: GPL-2.0-or-later
//
// Transfer encodings of parts as they stream by; for the walk of walker.h only.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/mail/mime/notes.h"
#include "common/mail/mime/walker.h"

namespace mxfeed::mime {

// Decodes one part (RFC 2045, 6.7 and 6.8).  Invalid bytes are skipped in base64 and kept
// in quoted-printable.
class Decoder {
 public:
  // `blanks_matter`: the part is saved rather than read, so blanks at the end of a line
  // of quoted-printable are worth a reading.
  Decoder(Encoding encoding, bool blanks_matter)
      : encoding_(encoding), blanks_matter_(blanks_matter) {}

  // Appends to `out`; `in` may end anywhere.
  void decode(std::string_view in, std::string& out, Notes& notes);
  // Ends the part: appends what was held back.
  void finish(std::string& out, Notes& notes);

 private:
  void decode_base64(std::string_view in, std::string& out, Notes& notes);
  void base64_lines(std::string_view in, std::string& out, Notes& notes);
  void end_line(std::string& out, Notes& notes);
  void base64_byte(char c, std::string& out, Notes& notes);
  void base64_value(int value, std::string& out, Notes& notes);
  void plain(std::string_view in, std::string& out, Notes& notes);
  void end_blanks(std::string& out, Notes& notes);
  void quoted_byte(char c, std::string& out, Notes& notes);
  void quoted_first(char c, std::string& out);

  const Encoding encoding_;
  const bool blanks_matter_;
  std::uint32_t group_ = 0;
  unsigned bits_ = 0;
  bool any_ = false;             // digits
  bool padded_ = false;          // behind digits
  bool broken_ = false;          // by a byte that is no base64, behind digits
  bool was_broken_ = false;      // before
  bool digits_in_line_ = false;  // up to now
  bool broken_in_line_ = false;  // the same
  bool ended_ = false;           // base64 goes on, but not in this reading
  unsigned line_ends_ = 0;       // behind the last digit
  std::string line_;             // of base64, until it is known whether it is skipped
  std::string blanks_;           // which may be at the end of a line
  std::string escape_;           // "", "=", "=A" or "= \t" on the way to a line end
};

}  // namespace mxfeed::mime
