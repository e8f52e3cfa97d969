// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/fault.h"

#include <system_error>

namespace mxfeed {
namespace {

std::string joined(std::string_view doing, std::string_view subject,
                   std::string_view cause) {
  std::string text(doing);
  text.append(": ").append(subject).append(": ").append(cause);
  return text;
}

}  // namespace

Fault::Fault(std::string_view doing, std::string_view subject, std::string_view cause)
    : std::runtime_error(joined(doing, subject, cause)),
      cause_at_(doing.size() + subject.size() + 4) {}

std::string_view Fault::cause() const {
  return std::string_view(what()).substr(cause_at_);
}

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

}  // namespace mxfeed
