// SPDX-License-Identifier: GPL-2.0-or-later
//
// Recognises milters of other software in smtpd_milters.  Pure.

#pragma once

#include <string>
#include <string_view>

namespace mxfeed {

// What a milter is by its name or its usual port, and where it belongs.
struct KnownMilter {
  std::string_view mark;
  std::string_view name;  // "opendkim, which verifies what comes in"
  std::string_view list;  // "verifiers" or "sealers"
};

// Null for a milter that is not known.  `endpoint` is "inet:localhost:8891".
const KnownMilter* recognise_milter(std::string_view endpoint);

}  // namespace mxfeed
