// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/attachment_rules.h"

#include "milters/virus/decision.h"
#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

using Kind = AttachmentKind;
using Do = AttachmentAction;
using enum AttachmentPreset;

AttachmentList list(AttachmentKinds kinds, const std::vector<std::string>& suffixes,
                    bool has_more = false) {
  AttachmentList all;
  all.kinds = kinds;
  for (const std::string& one : suffixes) all.add_suffix(one);
  all.has_more = has_more;
  return all;
}

struct Case {
  const char* name;
  AttachmentPolicy policy;
  AttachmentList found;
  std::optional<std::string> blocked;
};

const Case kCases[] = {
    {"no rules", {}, list({Kind::program}, {".exe"}), std::nullopt},
    {"an action alone is no rule",
     {off, {}, Do::discard},
     list({Kind::program}, {}),
     std::nullopt},
    {"no attachment", {strict, {".exe"}}, list({}, {}), std::nullopt},
    {"a kind by its suffix",
     {executables, {}},
     list({Kind::program}, {".exe", ".txt"}),
     ".exe"},
    {"a kind by its content",
     {executables, {}},
     list({Kind::program}, {".txt"}),
     "program"},
    {"a kind of the other preset",
     {executables, {}},
     list({Kind::macro}, {".docm"}),
     std::nullopt},
    {"a kind of this preset", {strict, {}}, list({Kind::macro}, {".docm"}), ".docm"},
    {"a suffix", {off, {".zip"}}, list({}, {".zip"}), ".zip"},
    {"two suffixes in one", {off, {".tar.gz"}}, list({}, {".gz", ".tar.gz"}), ".tar.gz"},
    {"another suffix", {off, {".tar.gz"}}, list({}, {".gz"}), std::nullopt},
    {"a kind in the list",
     {off, {"disk-image"}},
     list({Kind::disk_image}, {}),
     "disk-image"},
    {"a suffix is not its kind",
     {off, {".exe"}},
     list({Kind::program}, {".txt"}),
     std::nullopt},
    {"besides the preset", {executables, {".zip"}}, list({}, {".zip"}), ".zip"},
    {"too many suffixes", {off, {".zip"}}, list({}, {".a"}, true), "too many types"},
    {"too many suffixes for a kind", {strict, {}}, list({}, {".a"}, true), std::nullopt},
};

TEST_CASE("a domain's rules name what they do not take", "[virus]") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    CHECK(blocked_attachment(c.found, c.policy) == c.blocked);
  }
}

const auto kProgram = list({Kind::program}, {".exe"});

DomainPolicy hosted(AttachmentPolicy attachments, EncryptedAction encrypted = {}) {
  DomainPolicy policy;
  policy.name = "acme.example";
  policy.content_class = 1;
  policy.attachments = std::move(attachments);
  policy.virus.encrypted = encrypted;
  return policy;
}

JointPolicy joint(const std::vector<DomainPolicy>& policies) {
  JointPolicy all(false);
  for (const DomainPolicy& policy : policies) {
    all.add(Recipient{"a", "acme.example"}, policy);
  }
  return all;
}

struct Joint {
  const char* name;
  std::vector<AttachmentPolicy> policies;
  std::optional<Do> action;
};

const Joint kJoint[] = {
    {"none has rules", {{}, {}}, std::nullopt},
    {"one", {{executables, {}, Do::reject}}, Do::reject},
    {"reject before delete",
     {{executables, {}, Do::discard}, {executables, {}, Do::reject}},
     Do::reject},
    {"quarantine before reject",
     {{executables, {}, Do::reject}, {executables, {}, Do::quarantine}},
     Do::quarantine},
    {"header before quarantine",
     {{executables, {}, Do::header}, {executables, {}, Do::quarantine}},
     Do::header},
    {"one takes it", {{executables, {}, Do::discard}, {}}, Do::header},
    {"one takes this kind", {{}, {off, {"macro"}, Do::reject}}, std::nullopt},
};

TEST_CASE("of several actions on attachments the least destructive is taken", "[virus]") {
  for (const Joint& c : kJoint) {
    CAPTURE(c.name);
    std::vector<DomainPolicy> policies;
    for (const auto& one : c.policies) policies.push_back(hosted(one));
    const auto blocked = blocked_for(joint(policies).recipients(), kProgram);
    CHECK(blocked.has_value() == c.action.has_value());
    if (blocked && c.action) CHECK(blocked->action == *c.action);
  }
}

struct Decided {
  const char* name;
  ScanVerdict found;
  AttachmentPolicy policy;
  EncryptedAction encrypted;
  Action action;
  const char* reason;
  const char* header;
  const char* quarantine;
  const char* rule;
};

// Each row of the table in mxfeed-virus(8).
const Decided kDecided[] = {
    {"reject",
     ScanVerdict::clean,
     {executables, {}, Do::reject},
     {},
     Action::reject,
     "attachment-blocked",
     "",
     "",
     "attachments=reject"},
    {"delete",
     ScanVerdict::clean,
     {executables, {}, Do::discard},
     {},
     Action::discard,
     "attachment-blocked",
     "",
     "",
     "attachments=delete"},
    {"quarantine",
     ScanVerdict::clean,
     {executables, {}, Do::quarantine},
     {},
     Action::proceed,
     "attachment-blocked",
     "clean; attachment (.exe)",
     "attachment: .exe",
     "attachments=quarantine"},
    {"header",
     ScanVerdict::clean,
     {executables, {}, Do::header},
     {},
     Action::proceed,
     "virus-clean",
     "clean; attachment (.exe)",
     "",
     "attachments=header"},
    {"a virus comes first",
     ScanVerdict::infected,
     {executables, {}, Do::quarantine},
     {},
     Action::discard,
     "virus-infected",
     "",
     "",
     "infected=delete"},
    {"unscannable comes first",
     ScanVerdict::unscannable,
     {executables, {}, Do::quarantine},
     {},
     Action::reject,
     "virus-unscannable",
     "",
     "",
     "unscannable=reject"},
    {"before encrypted",
     ScanVerdict::encrypted,
     {executables, {}, Do::quarantine},
     EncryptedAction::reject,
     Action::proceed,
     "attachment-blocked",
     "encrypted; attachment (.exe)",
     "attachment: .exe",
     "attachments=quarantine"},
    {"a header beside encrypted",
     ScanVerdict::encrypted,
     {executables, {}, Do::header},
     EncryptedAction::header,
     Action::proceed,
     "virus-encrypted",
     "encrypted (N); attachment (.exe)",
     "",
     "attachments=header"},
    {"a header does not save what is encrypted",
     ScanVerdict::encrypted,
     {executables, {}, Do::header},
     EncryptedAction::reject,
     Action::reject,
     "virus-encrypted",
     "",
     "",
     "encrypted=reject"},
    {"an error",
     ScanVerdict::error,
     {executables, {}, Do::discard},
     {},
     Action::defer,
     "virus-error",
     "",
     "",
     ""},
    {"nothing blocked",
     ScanVerdict::clean,
     {off, {".zip"}, Do::discard},
     {},
     Action::proceed,
     "virus-clean",
     "clean",
     "",
     ""},
};

TEST_CASE("attachments count behind viruses and before encryption", "[virus]") {
  for (const Decided& c : kDecided) {
    CAPTURE(c.name);
    ScanResult result{c.found, "N"};
    result.attachments = kProgram;
    const Decision got = decide(result, joint({hosted(c.policy, c.encrypted)}));
    CHECK(got.verdict.action() == c.action);
    CHECK(got.verdict.reason() == c.reason);
    CHECK(got.header == c.header);
    CHECK(got.quarantine == c.quarantine);
    CHECK(got.rule == c.rule);
    if (!c.quarantine[0]) continue;
    CHECK(got.held_as == HeldKind::attachment);
    CHECK(got.held_for == ".exe");
  }
}

TEST_CASE("a rejection names what is not accepted", "[virus]") {
  ScanResult result{ScanVerdict::clean, ""};
  result.attachments = kProgram;
  const Decision got = decide(result, joint({hosted({executables, {}})}));
  CHECK(got.verdict.code() == 550);
  CHECK(got.verdict.text() == "Attachment of type .exe is not accepted");
}

TEST_CASE("where rules are not answered, the message is put off", "[virus]") {
  const ScanResult unlisted{ScanVerdict::clean, ""};
  CHECK(decide(unlisted, joint({hosted({executables, {}})})).verdict.action() ==
        Action::defer);
  CHECK(decide(unlisted, joint({hosted({})})).verdict.action() == Action::proceed);
  const ScanResult infected{ScanVerdict::infected, ""};
  CHECK(decide(infected, joint({hosted({executables, {}})})).verdict.action() ==
        Action::discard);
}

}  // namespace
}  // namespace mxfeed::virus
