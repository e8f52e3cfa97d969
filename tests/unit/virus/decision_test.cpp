// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/decision.h"

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

using enum VirusAction;

struct Case {
  const char* name;
  ScanVerdict found;
  VirusPolicy policy;
  Action action;
  int code;
  const char* reason;
  const char* header;
  const char* quarantine;
  const char* rule;
};

VirusPolicy with(VirusAction infected, VirusAction unscannable,
                 EncryptedAction encrypted = EncryptedAction::header) {
  return {infected, unscannable, encrypted};
}

const Case kCases[] = {
    {"clean", ScanVerdict::clean, {}, Action::proceed, 0, "virus-clean", "clean", "", ""},
    {"infected, delete", ScanVerdict::infected, with(discard, reject), Action::discard, 0,
     "virus-infected", "", "", "infected=delete"},
    {"infected, reject", ScanVerdict::infected, with(reject, discard), Action::reject,
     550, "virus-infected", "", "", "infected=reject"},
    {"infected, quarantine", ScanVerdict::infected, with(quarantine, reject),
     Action::proceed, 0, "virus-infected", "infected (N)", "virus: infected (N)",
     "infected=quarantine"},
    {"unscannable, delete", ScanVerdict::unscannable, with(reject, discard),
     Action::discard, 0, "virus-unscannable", "", "", "unscannable=delete"},
    {"unscannable, reject", ScanVerdict::unscannable, with(discard, reject),
     Action::reject, 550, "virus-unscannable", "", "", "unscannable=reject"},
    {"unscannable, quarantine", ScanVerdict::unscannable, with(discard, quarantine),
     Action::proceed, 0, "virus-unscannable", "unscannable (N)", "virus: unscannable (N)",
     "unscannable=quarantine"},
    {"encrypted, header",
     ScanVerdict::encrypted,
     {},
     Action::proceed,
     0,
     "virus-encrypted",
     "encrypted (N)",
     "",
     "encrypted=header"},
    {"encrypted, reject", ScanVerdict::encrypted,
     with(discard, discard, EncryptedAction::reject), Action::reject, 550,
     "virus-encrypted", "", "", "encrypted=reject"},
    {"error", ScanVerdict::error, {}, Action::defer, 451, "virus-error", "", "", ""},
    {"error, whatever the policy", ScanVerdict::error,
     with(quarantine, quarantine, EncryptedAction::reject), Action::defer, 451,
     "virus-error", "", "", ""},
};

TEST_CASE("what becomes of a scanned message follows the table", "[virus]") {
  for (const Case& c : kCases) {
    DYNAMIC_SECTION(c.name) {
      const Decision got = verdict_for({c.found, "N"}, c.policy);
      CHECK(got.verdict.action() == c.action);
      CHECK(got.verdict.code() == c.code);
      CHECK(got.verdict.reason() == c.reason);
      CHECK(got.header == c.header);
      CHECK(got.quarantine == c.quarantine);
      CHECK(got.rule == c.rule);
      CHECK(got.verdict.text().find("N") == std::string::npos);
    }
  }
}

TEST_CASE("a signature's name cannot break a header field", "[virus]") {
  CHECK(plain_name("Win.Test.EICAR_HDB-1") == "Win.Test.EICAR_HDB-1");
  CHECK(plain_name("a b\r\nX-Evil: 1") == "a_b__X-Evil:_1");
  CHECK(plain_name("a(b)\\c\xff") == "a_b__c_");
  CHECK(plain_name("") == "unnamed");
  CHECK(plain_name(std::string(1000, 'a')).size() == 120);
}

}  // namespace
}  // namespace mxfeed::virus
