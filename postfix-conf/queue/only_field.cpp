// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/only_field.h"

#include "common/base/text.h"
#include "common/mail/header.h"

namespace mxfeed {

void OnlyField::add(std::string_view line) {
  size_ += line.size() + 1;
  if (is_too_long()) return;
  if (!line.empty() && is_blank(line[0])) {
    if (is_inside_) value_.append("\n").append(line);
    return;
  }
  const auto colon = line.find(':');
  is_inside_ =
      colon != std::string_view::npos && iequals(trim(line.substr(0, colon)), name_);
  if (!is_inside_) return;
  ++count_;
  value_ = line.substr(colon + 1);
}

std::optional<std::string> OnlyField::value() const {
  if (count_ != 1 || is_too_long()) return std::nullopt;
  return unfold(value_);
}

}  // namespace mxfeed
