// SPDX-License-Identifier: GPL-2.0-or-later
//
// The header of a part, line by line; for the walk of walker.h only.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/mime/description.h"
#include "common/mail/mime/lines.h"

namespace mxfeed::mime {

// Reads one header after the other.
//
// Lines that are not fields ("stray" lines) are held back: either the blank line before
// the body is missing, or malformed lines stand between the fields.  Mail programs
// differ, so the lines that follow decide.
class HeaderReader {
 public:
  // A header may have `most` bytes; those given by field() do not count.
  HeaderReader(std::size_t most, Notes& notes) : most_(most), notes_(notes) {}

  // Begins a header.  A part without a Content-Type gets the default type (RFC 2045,
  // 5.2).  The header of a message may begin with a line "From ".
  void begin(std::string_view default_type, bool of_message = false);

  // A whole field of the message's header.
  void field(std::string_view name, std::string_view value);

  enum class Step {
    more,     // the line was taken
    end,      // it was the blank line that ends the header
    body,     // the body begins with the lines of take_stray(), then this one
    dashes,   // it begins with "--" and was not taken: a delimiter, or body text
    too_long  // it was not taken: the header is longer than allowed
  };
  Step read(const Line& line);

  // Whether nothing has been read; a field that may still continue counts as read.
  bool is_empty() const { return !block_.any && !in_field_; }
  bool has_stray() const { return !stray_.empty(); }
  // The stray lines, with their ends; they belong to the body.
  std::vector<std::string> take_stray();

  // Ends the header; returns the part that it describes.
  Description finish();

 private:
  Step end_line();
  std::optional<Step> blank_line(const Line& line);
  Step stray_line(const Line& line);
  bool stray_is_content() const;
  void commit_field();

  const std::size_t most_;
  Notes& notes_;
  std::size_t bytes_ = 0;
  Block block_;
  std::string_view default_type_ = "text/plain";
  std::string field_;  // the current one with its continuations
  bool in_field_ = false;
  bool may_be_from_ = false;  // the next line may be one of a mailbox
  std::vector<std::string> stray_;
  std::size_t stray_bytes_ = 0;
};

}  // namespace mxfeed::mime
