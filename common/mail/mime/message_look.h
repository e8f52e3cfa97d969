// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether a file is a message although its type does not say so; for the walk of walker.h
// only.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "common/mail/mime/walker.h"

namespace mxfeed::mime {

// Whether programs open the part as a message because of a file name such as "x.eml".
bool is_message_by_name(const Part& part);

// Reads the beginning of a file: a message has a header with a Content-Type or a
// Content-Transfer-Encoding.  A header without them does not matter here, since nothing
// in such a message is encoded.
class MessageLook {
 public:
  enum class Answer { unknown, message, other };

  // Holds the bytes back while the answer is unknown.
  Answer read(std::string_view bytes);
  std::string take() { return std::move(held_); }

 private:
  Answer read_line(std::string_view line);

  std::string held_;
  std::size_t read_ = 0;      // of held_: whole lines
  std::size_t searched_ = 0;  // no line ends between read_ and here
  bool any_ = false;
};

}  // namespace mxfeed::mime
