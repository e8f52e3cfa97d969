// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/joint_policy.h"

#include <vector>

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

using enum VirusAction;

// The recipients' domains: one that is not ours has no class.
DomainPolicy hosted(const char* name, VirusPolicy virus) {
  DomainPolicy policy;
  policy.name = name;
  policy.virus = virus;
  policy.content_class = 1;
  return policy;
}

const DomainPolicy kDeletes =
    hosted("delete.example", {discard, discard, EncryptedAction::reject});
const DomainPolicy kRejects =
    hosted("reject.example", {reject, reject, EncryptedAction::header});
const DomainPolicy kHolds =
    hosted("hold.example", {quarantine, quarantine, EncryptedAction::reject});
const DomainPolicy kOther;  // its own policy, of [defaults], deletes

struct Case {
  const char* name;
  std::vector<DomainPolicy> recipients;
  bool scan_other_mail;
  bool scans;
  VirusAction infected;
  EncryptedAction encrypted;
  const char* domain;
};

const Case kCases[] = {
    {"one that deletes",
     {kDeletes},
     false,
     true,
     discard,
     EncryptedAction::reject,
     "delete.example"},
    {"equal ones",
     {kDeletes, kDeletes},
     false,
     true,
     discard,
     EncryptedAction::reject,
     "delete.example"},
    {"reject beats delete",
     {kDeletes, kRejects},
     false,
     true,
     reject,
     EncryptedAction::header,
     "delete.example"},
    {"in any order",
     {kRejects, kDeletes},
     false,
     true,
     reject,
     EncryptedAction::header,
     "reject.example"},
    {"quarantine beats reject",
     {kRejects, kHolds},
     false,
     true,
     quarantine,
     EncryptedAction::header,
     "reject.example"},
    {"quarantine beats delete",
     {kHolds, kDeletes, kDeletes},
     false,
     true,
     quarantine,
     EncryptedAction::reject,
     "hold.example"},
    {"other mail only",
     {kOther, kOther},
     false,
     false,
     reject,
     EncryptedAction::header,
     "rcpt.example"},
    {"other mail is not deleted",
     {kOther, kDeletes},
     false,
     true,
     reject,
     EncryptedAction::header,
     "delete.example"},
    {"nor after one of ours",
     {kDeletes, kOther},
     false,
     true,
     reject,
     EncryptedAction::header,
     "delete.example"},
    {"other mail that is scanned",
     {kOther},
     true,
     true,
     discard,
     EncryptedAction::header,
     "rcpt.example"},
    {"it has its own policy",
     {kOther, kDeletes},
     true,
     true,
     discard,
     EncryptedAction::header,
     "delete.example"},
    {"it yields as others do",
     {kOther, kHolds},
     true,
     true,
     quarantine,
     EncryptedAction::header,
     "hold.example"},
};

TEST_CASE("the least destructive action of all recipients is taken", "[virus]") {
  for (const Case& c : kCases) {
    DYNAMIC_SECTION(c.name) {
      JointPolicy joint(c.scan_other_mail);
      for (const auto& policy : c.recipients) {
        joint.add({"a", "rcpt.example", false}, policy);
      }
      CHECK(joint.scans() == c.scans);
      CHECK(joint.virus().infected == c.infected);
      CHECK(joint.virus().encrypted == c.encrypted);
      CHECK(joint.domain() == c.domain);
    }
  }
}

TEST_CASE("each setting yields on its own", "[virus]") {
  const VirusPolicy got =
      least_destructive({discard, quarantine, EncryptedAction::reject},
                        {reject, discard, EncryptedAction::reject});
  CHECK(got == VirusPolicy{reject, quarantine, EncryptedAction::reject});
}

TEST_CASE("what Postfix routes to us is ours if the policy does not find it", "[virus]") {
  JointPolicy joint(false);
  joint.add({"a", "rcpt.example", true}, kOther);
  CHECK(joint.scans());
  CHECK(joint.virus() == kOther.virus);
}

TEST_CASE("without a recipient nothing is left out", "[virus]") {
  CHECK(JointPolicy(true).scans());
  CHECK_FALSE(JointPolicy(false).scans());
  CHECK(JointPolicy(true).virus() == VirusPolicy{});
}

}  // namespace
}  // namespace mxfeed::virus
