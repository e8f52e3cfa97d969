// SPDX-License-Identifier: GPL-2.0-or-later
//
// What bench_scan_engine and bench_bare_clamav differ in.

#pragma once

#include <memory>
#include <string>

namespace mxfeed::virus {

class Scanner {
 public:
  virtual ~Scanner() = default;
  virtual void scan(const std::string& mail) = 0;
};

// With the signatures of a directory.  Throws Fault.
std::unique_ptr<Scanner> make_scanner(const std::string& database);

}  // namespace mxfeed::virus
