// SPDX-License-Identifier: GPL-2.0-or-later
//
// What failed when the domains were verified, to tell what has changed since.  Pure.

#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/verify/finding.h"

namespace mxfeed {

struct FailedCheck {
  std::string domain;
  std::string check;
  std::string subject;
  auto operator<=>(const FailedCheck&) const = default;
};
using FailedChecks = std::set<FailedCheck>;

// What was found of a domain.
struct VerifiedDomain {
  std::string domain;
  std::vector<Finding> findings;
};

struct VerifyChange {
  std::string domain;
  Finding finding;  // what fails now; of a check that is ok again, only what it was
  bool is_ok_again = false;
};

struct VerifyChanges {
  std::vector<VerifyChange> changes;
  FailedChecks failed;  // now
};

// A check of a domain that was not looked at as a whole (something was unknown, or its
// server could not be reached) is not ok again.  Domains that are gone are forgotten.
VerifyChanges compare(const FailedChecks& before,
                      const std::vector<VerifiedDomain>& verified);

// As it is stored: a check on each line.
std::string render(const FailedChecks& checks);
// Lines that are malformed are skipped: their checks are told again.
FailedChecks parse_failed_checks(std::string_view text);

}  // namespace mxfeed
