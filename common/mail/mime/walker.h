// SPDX-License-Identifier: GPL-2.0-or-later
//
// A walk through the MIME parts of a message as it streams by (RFC 2045, 2046, 2231).
//
// The walker reads at least as much as mail programs do: what one of them may show or
// open as a part should be a part here.  So malformed content is never dropped; it is
// reported as an Anomaly.  Where programs differ, a walk follows one Reading (reading.h)
// and notes for which others it would have gone differently.  The default one gives the
// most parts: of two boundary parameters both divide.
//
// Each byte of the message belongs to exactly one part:
//   - leaf parts: their content, decoded;
//   - containers (multipart/*, message/rfc822): what stands outside of their parts, i.e.
//     preamble and epilogue, as it is;
//   - a file that is encoded in the text of a part (uuencode, base64 with a "begin" line,
//     yEnc, BinHex 4.0) is a part of its own below that part, whose text goes on after
//     it.
// Besides, a leaf that programs open as a message (`is_message`) has the parts of that
// message below it.
// Not given are: invalid bytes in base64, header fields of parts, delimiters and the line
// break before a delimiter.
//
// Cost: linear time, no recursion, memory bounded by Limits for any message.  When a
// limit is exceeded, all open parts of that stream end, and the rest is given undecoded
// as one part with `kind` opaque: nothing goes unseen.  How the body is cut into chunks
// makes no difference to the parts, the anomalies and the content of each part.
//
//   Walker walker(visitor);
//   walker.field(name, value);   // each header field, in order
//   walker.body(chunk);          // any number of times
//   walker.end();
//
// One thread at a time.  Throws nothing itself; what the visitor throws passes through,
// and the walker can then only be destroyed.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/mail/mime/anomalies.h"
#include "common/mail/mime/reading.h"

namespace mxfeed::mime {

struct Limits {
  std::size_t depth = 64;         // of parts, files in text included
  std::size_t encoded_depth = 8;  // of messages in encoded messages or in leaf parts
  std::size_t parts = 10'000;
  std::size_t header_bytes = std::size_t{256} * 1024;  // of the header of one part
  std::size_t boundary = 1000;                         // bytes
  std::uint64_t expanded = std::uint64_t{64} << 20;    // of what is longer than encoded
  bool parts_in_text = true;  // Ambiguity::outside counts in texts, too
  // Whether the parts of attached messages are given; else each is a leaf, as it is.
  bool opens_messages = true;
};

enum class Encoding : std::uint8_t { none, base64, quoted_printable };

struct Part {
  enum class Kind : std::uint8_t {
    leaf,
    multipart,
    message,    // message/rfc822, message/global, message/news
    uuencoded,  // a file in the text of its parent, in one of several encodings
    opaque      // the undecoded rest after a limit
  };
  Kind kind = Kind::leaf;
  std::size_t number = 0;  // in the order of begin_part(), from 0
  std::size_t depth = 0;   // the message itself: 0
  std::string type;  // "text/plain", lower case; the default of RFC 2045, 5.2 if none
  bool declared = false;  // there was a valid Content-Type
  std::string charset;    // lower case; may be empty
  Encoding encoding = Encoding::none;
  // A leaf with the parts of a message below it.  Known at the latest when they begin.
  bool is_message = false;
  // The data ended before a delimiter came.  Known when the part ends.
  bool has_no_end = false;
  std::string disposition;  // "attachment", lower case; may be empty
  // From Content-Disposition, then from Content-Type; mail programs differ in which they
  // use.  Decoded (RFC 2231, 2047) to UTF-8 and not made safe: a name may hold slashes
  // and control characters.
  std::vector<std::string> file_names;
  // Parameters of Content-Type, name in lower case, value decoded to UTF-8.
  std::vector<std::pair<std::string, std::string>> parameters;

  bool is_text() const { return type.starts_with("text/"); }
  bool is_container() const { return kind == Kind::multipart || kind == Kind::message; }
};

// Receives the parts.  Calls nest as the parts do: a part begins after its container
// and ends before it; data belongs to the part given with it, which need not be the last
// begun.
class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual void begin_part(const Part&) {}
  // Decoded content, any number of times; valid during the call only.
  virtual void data(const Part&, std::string_view /*bytes*/) {}
  virtual void end_part(const Part&) {}
};

class Walk;

class Walker {
 public:
  // The visitor must outlive the walker.
  explicit Walker(Visitor& visitor, Limits limits = {}, const Reading& reading = {});
  ~Walker();
  Walker(const Walker&) = delete;
  Walker& operator=(const Walker&) = delete;

  // A field of the message's header; `value` folded with LF or CRLF or unfolded.
  void field(std::string_view name, std::string_view value);
  // The body, cut anywhere.
  void body(std::string_view chunk);
  // After end(), only the functions below may be called.
  void end();

  // The anomalies found so far; complete after end().
  Anomalies anomalies() const;
  // Where this walk would have gone differently for other readings; complete after end().
  const Ambiguities& ambiguities() const;
  // Bytes read so far: the body, decoded messages in it, and files that are longer than
  // their encoding.
  std::uint64_t walked() const;
  // Parts begun so far, containers included.
  std::size_t parts() const;

 private:
  std::unique_ptr<Walk> walk_;
};

}  // namespace mxfeed::mime
