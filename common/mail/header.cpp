// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/header.h"

#include "common/base/text.h"

namespace mxfeed {

bool is_field_name(std::string_view name) {
  for (const char c : name) {
    if (c <= ' ' || c >= 0x7F || c == ':') return false;
  }
  return !name.empty();
}

std::string unfold(std::string_view value) {
  std::string out;
  value = trim(value);
  out.reserve(value.size());
  for (const char c : value) {
    if (c != '\r' && c != '\n') out += c;
  }
  return out;
}

}  // namespace mxfeed
