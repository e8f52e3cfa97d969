// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs the steps of one session, so that no exception leaves them for C.  Session turns
// the exceptions of a filter into its verdict; these are the session's own (out of
// memory).

#pragma once

#include <exception>
#include <string_view>

#include "common/base/log.h"
#include "common/milter/session_loss.h"

namespace mxfeed {

class StepGuard {
 public:
  // False if the step throws, which is logged and counted, and from then on without
  // running it: the state of the client is unknown.
  template <typename Step>
  bool run(const Step& step) noexcept {
    if (has_failed_) return false;
    try {
      step();
      return true;
    } catch (const std::exception& error) {
      fail(error.what());
    } catch (...) {
      fail("unknown exception in a milter callback");
    }
    return false;
  }

 private:
  void fail(std::string_view cause) noexcept {
    has_failed_ = true;
    log(Severity::error, cause);
    report(SessionLoss::failed_step);
  }

  bool has_failed_ = false;
};

}  // namespace mxfeed
