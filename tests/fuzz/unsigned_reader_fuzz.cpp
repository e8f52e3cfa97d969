// SPDX-License-Identifier: GPL-2.0-or-later
//
// The numbers of mxfeed-scan's own sscanf(): what it reads, the C library reads too.  The
// first line is the format, the rest the text; the text is also read with both formats.

#include <cstdio>
#include <string>

#include "milters/virus/scan/unsigned_reader.h"
#include "tests/fuzz/fuzz.h"

namespace {

using mxfeed::fuzz::require;
using mxfeed::virus::read_unsigneds;
using mxfeed::virus::Unsigneds;

Unsigneds by_libc(const char* text, bool is_pair) {
  Unsigneds read;
  // NOLINTBEGIN(cert-err34-c)
  read.count = is_pair ? std::sscanf(text, "%u,%u", &read.values[0], &read.values[1])
                       : std::sscanf(text, "%u", &read.values[0]);
  // NOLINTEND(cert-err34-c)
  return read;
}

void compare(const std::string& text, const std::string& format) {
  const auto read = read_unsigneds(text.c_str(), format.c_str());
  if (!read) return;
  const bool is_pair = format.c_str() == std::string_view("%u,%u");
  require(is_pair || format.c_str() == std::string_view("%u"), "the format is known");
  require(*read == by_libc(text.c_str(), is_pair), "both read the same");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = mxfeed::fuzz::as_text(data, size);
  const auto end = bytes.find('\n');
  const std::string format(bytes.substr(0, end));
  const std::string text(end == std::string_view::npos ? "" : bytes.substr(end + 1));
  compare(text, format);
  compare(text, "%u");
  compare(text, "%u,%u");
  return 0;
}
