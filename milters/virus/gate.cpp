// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/gate.h"

namespace mxfeed::virus {

bool Gate::admit(std::uint32_t content_class) {
  if (!class_) class_ = content_class;
  if (*class_ != content_class) closed_ = true;
  return !closed_;
}

}  // namespace mxfeed::virus
