// SPDX-License-Identifier: GPL-2.0-or-later
//
// The result of a message in which several things were found.

#pragma once

#include <string>
#include <string_view>

#include "milters/virus/protocol/wire.h"

namespace mxfeed::virus {

// The worst finding; among equal ones, the first.  Infected is worse than unscannable,
// and that worse than encrypted.
struct WorstFinding {
  ScanVerdict verdict = ScanVerdict::clean;
  std::string name;

  void consider(ScanVerdict found, std::string_view what) {
    if (rank(found) <= rank(verdict)) return;
    verdict = found;
    name = what;
  }

 private:
  static int rank(ScanVerdict v) {
    return v == ScanVerdict::infected      ? 3
           : v == ScanVerdict::unscannable ? 2
           : v == ScanVerdict::encrypted   ? 1
                                           : 0;
  }
};

}  // namespace mxfeed::virus
