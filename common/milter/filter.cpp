// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/filter.h"

namespace mxfeed {
namespace {

Verdict try_again_later() {
  return Verdict::defer({451, "4.3.0"}, "fault", "Try again later");
}

}  // namespace

Verdict Filter::on_fault(const Fault&) noexcept {
  return try_again_later();
}
Verdict Milter::on_fault(const Fault&) noexcept {
  return try_again_later();
}

Verdict Filter::on_limit(std::string_view) noexcept {
  return Verdict::reject({552, "5.3.4"}, "limit",
                         "Message exceeds a limit of this system");
}

}  // namespace mxfeed
