// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lines of the mail log, also of peers' texts, and what is stored of where it was left.

#include <algorithm>

#include "postfix-conf/postfix/delivery_log.h"
#include "postfix-conf/postfix/mail_log.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  const auto line = fuzz::as_text(data, size);
  if (const auto recipient = parse_sent(line)) {
    fuzz::require(recipient->size() <= 512 && !recipient->empty(), "bounded");
    fuzz::require(std::none_of(recipient->begin(), recipient->end(),
                               [](char c) { return c == '\n' || c == '\0' || c == ' '; }),
                  "it is one value of a request");
    fuzz::require(line.find("to=<" + *recipient + ">, ") != std::string_view::npos,
                  "it stands in the line");
  }
  if (const auto delivery = parse_delivery(line, "4XyZ")) {
    fuzz::require(line.find("4XyZ: to=<" + delivery->recipient) != std::string_view::npos,
                  "it is of this message");
  }
  if (const auto mark = LogMark::parse(line)) {
    fuzz::require(LogMark::parse(mark->str()) == mark, "a mark is its own mark");
  }
  return 0;
}
