// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/clock.h"

namespace mxfeed {

Time system_time() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace mxfeed
