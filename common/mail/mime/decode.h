// SPDX-License-Identifier: GPL-2.0-or-later
//
// Transfer encodings of parts as they stream by; for the walk of walker.h only.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/mail/mime/walker.h"

namespace mxfeed::mime {

// Decodes one part (RFC 2045, 6.7 and 6.8).  Invalid bytes are skipped in base64 and kept
// in quoted-printable.
class Decoder {
 public:
  explicit Decoder(Encoding encoding) : encoding_(encoding) {}

  // Appends to `out`; `in` may end anywhere.
  void decode(std::string_view in, std::string& out, Anomalies& anomalies);
  // Ends the part: appends what was held back.
  void finish(std::string& out, Anomalies& anomalies);

 private:
  void decode_base64(std::string_view in, std::string& out, Anomalies& anomalies);
  void base64_byte(char c, std::string& out, Anomalies& anomalies);
  void quoted_byte(char c, std::string& out, Anomalies& anomalies);
  void quoted_first(char c, std::string& out);

  Encoding encoding_;
  std::uint32_t group_ = 0;
  unsigned bits_ = 0;
  bool padded_ = false;
  std::string escape_;  // "", "=", "=A" or "= \t" on the way to a line end
};

}  // namespace mxfeed::mime
