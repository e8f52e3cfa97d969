// SPDX-License-Identifier: GPL-2.0-or-later
//
// Irregularities in the MIME structure of a message.

#pragma once

#include <cstdint>
#include <string>

namespace mxfeed::mime {

enum class Anomaly : std::uint32_t {
  duplicate_field = 1u << 0,      // Content-Type, -Transfer-Encoding, -Disposition differ
  duplicate_parameter = 1u << 1,  // in one field, with different values
  malformed_type = 1u << 2,       // Content-Type without type/subtype
  missing_boundary = 1u << 3,     // multipart without one; the first "--x" line is taken
  odd_boundary = 1u << 4,         // empty, over 70 bytes (RFC 2046, 5.1.1), or ambiguous
  boundary_prefix = 1u << 5,      // a delimiter followed by more text
  missing_final_boundary = 1u << 6,
  no_parts = 1u << 7,               // multipart in which no delimiter was found
  part_after_end = 1u << 8,         // a delimiter after the final one
  header_without_end = 1u << 9,     // a line that is no field before the blank line
  odd_field = 1u << 10,             // "Name : x", a continuation first, a NUL
  unknown_encoding = 1u << 11,      // Content-Transfer-Encoding; taken as 8bit
  encoded_container = 1u << 12,     // message/rfc822 or multipart
  bad_base64 = 1u << 13,            // bytes outside of the alphabet, data after padding
  bad_quoted_printable = 1u << 14,  // "=" without two hexadecimal digits
  bare_cr = 1u << 15,               // taken as the end of a line
  bare_lf = 1u << 16,
  nul = 1u << 17,        // in a field of a part or text not encoded
  long_line = 1u << 18,  // over 998 bytes (RFC 5322, 2.1.1)
  uuencoded = 1u << 19,
  partial_message = 1u << 20,  // message/partial, if only in one of several fields
  bad_uuencoded = 1u << 21,    // or inline_encoded: without its last line
  too_deep = 1u << 22,         // Limits
  too_many_parts = 1u << 23,
  header_too_big = 1u << 24,
  boundary_too_long = 1u << 25,
  external_body = 1u << 26,     // message/external-body
  inline_encoded = 1u << 27,    // yEnc, BinHex, or base64 with a "begin" line, in text
  expands_too_much = 1u << 28,  // Limits
};

// A set of anomalies.
class Anomalies {
 public:
  void add(Anomaly anomaly) { bits_ |= static_cast<std::uint32_t>(anomaly); }
  void add(Anomalies more) { bits_ |= more.bits_; }
  bool has(Anomaly anomaly) const {
    return (bits_ & static_cast<std::uint32_t>(anomaly)) != 0;
  }
  bool any() const { return bits_ != 0; }
  // Whether a limit was exceeded: then there is an opaque part, or a file in text was
  // left undecoded or cut.
  bool exceeded() const {
    return has(Anomaly::too_deep) || has(Anomaly::too_many_parts) ||
           has(Anomaly::header_too_big) || has(Anomaly::boundary_too_long) ||
           has(Anomaly::expands_too_much);
  }
  std::uint32_t bits() const { return bits_; }
  // "missing-boundary,bare-lf"; for logs.
  std::string str() const;
  bool operator==(const Anomalies&) const = default;

 private:
  std::uint32_t bits_ = 0;
};

}  // namespace mxfeed::mime
