// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is done with a scanned message: a pure function of the result and the policy.
// Each row of the table in mxfeed-virus(8) is a row of decision_test.cpp.

#pragma once

#include <string>
#include <string_view>

#include "common/mail/held_address.h"
#include "common/mail/verdict.h"
#include "common/policy/domain_policy.h"
#include "milters/virus/joint_policy.h"
#include "milters/virus/protocol/wire.h"

namespace mxfeed::virus {

constexpr std::string_view kHeaderName = "X-Mxfeed-Virus";

struct Decision {
  Verdict verdict;
  std::string header = {};      // value of the field to add with a verdict to proceed
  std::string quarantine = {};  // the reason, if the message is to be held
  std::string rule = {};  // "infected=delete": the key and value that decided; or empty
  HeldKind held_as = HeldKind::virus;
  std::string held_for = {};    // the reason in the addresses of the quarantine
  std::string attachment = {};  // what recipients do not take; may be empty
};

// Clean proceeds; infected, unscannable and encrypted follow the policy; an error is
// always deferred: nothing passes unscanned.
[[nodiscard]] Decision verdict_for(const ScanResult& result, const VirusPolicy& policy);

// The whole decision.  The attachments count for a message that is clean or encrypted,
// before its encryption; if they are wanted and unknown, it is deferred.
[[nodiscard]] Decision decide(const ScanResult& result, const JointPolicy& policy);

// Makes a name from a signature file safe for a header field: printable ASCII without
// blanks, parentheses and backslashes, at most 120 bytes.
std::string plain_name(std::string_view name);

}  // namespace mxfeed::virus
