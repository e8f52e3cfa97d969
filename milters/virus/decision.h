// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is done with a scanned message: a pure function of the result and the policy.
// Each row of the table in mxfeed-virus(8) is a row of decision_test.cpp.

#pragma once

#include <string>
#include <string_view>

#include "common/mail/verdict.h"
#include "common/policy/domain_policy.h"
#include "milters/virus/protocol/wire.h"

namespace mxfeed::virus {

constexpr std::string_view kHeaderName = "X-Mxfeed-Virus";

struct Decision {
  Verdict verdict;
  std::string header;      // value of the field to add with a verdict to proceed
  std::string quarantine;  // the reason, if the message is to be held
  std::string rule;        // "infected=delete": the key and value that decided; or empty
};

// Clean proceeds; infected, unscannable and encrypted follow the policy; an error is
// always deferred: nothing passes unscanned.
[[nodiscard]] Decision verdict_for(const ScanResult& result, const VirusPolicy& policy);

// Makes a name from a signature file safe for a header field: printable ASCII without
// blanks, parentheses and backslashes, at most 120 bytes.
std::string plain_name(std::string_view name);

}  // namespace mxfeed::virus
