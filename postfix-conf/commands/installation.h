// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes what is wanted as a generation and puts it in force.

#pragma once

#include <cstdint>

#include "postfix-conf/commands/apply.h"
#include "postfix-conf/commands/apply_report.h"
#include "postfix-conf/commands/in_force.h"
#include "postfix-conf/commands/waiting.h"
#include "postfix-conf/generate/compile.h"
#include "postfix-conf/generate/generations.h"

namespace mxfeed {

// The lock of the state is held.
class Installation {
 public:
  // The references must outlive the object.
  Installation(const ApplyOptions& options, Generations& generations, InForce in_force,
               ApplyReport& report);

  enum class Reason {
    apply,
    again,  // of a generation that was in force before
    fit,    // attach, which checks Postfix itself
  };

  // Returns the exit status.  Goes back to the generation before if a milter cannot load
  // the new one or if Postfix's look-ups differ.  Throws Fault.
  int install(Wanted wanted, GenerationMeta meta, Reason reason);

 private:
  void wait_for_quarantine_route(Generated& next) const;
  bool has_conflicts(const Generated& next) const;
  StillWaiting waits() const;
  int put_in_force(const Generated& next, std::uint64_t number, Reason reason);
  int go_back(const Generated& next, std::uint64_t number);
  void reload_patterns(const Generated& next) const;

  const ApplyOptions& options_;
  Generations& generations_;
  const InForce in_force_;
  ApplyReport& report_;
};

}  // namespace mxfeed
