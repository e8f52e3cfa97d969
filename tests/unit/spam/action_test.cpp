// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/action.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

const Report kStatus{"high p=0.99 t=1", ""};

std::string text_of(const MessageEdits& edits) {
  std::string text;
  for (const HeaderEdit& edit : edits.ordered()) {
    if (edit.name == "X-Mxfeed-Spam-Status" && edit.kind == HeaderEdit::Kind::append) {
      text += "+status ";
      continue;
    }
    if (edit.kind == HeaderEdit::Kind::append)
      text += "+" + edit.name + ":" + edit.value + " ";
    if (edit.kind == HeaderEdit::Kind::replace) {
      text += edit.name + "#" + std::to_string(edit.index) + ":" + edit.value + " ";
    }
    if (edit.kind == HeaderEdit::Kind::remove) {
      text += "-" + edit.name + "#" + std::to_string(edit.index) + " ";
    }
  }
  if (!edits.quarantine_reason().empty()) text += "hold:" + edits.quarantine_reason();
  return text;
}

SpamPolicy policy_of(SpamLevel level, SpamAction action, std::string text = "") {
  SpamPolicy policy;
  policy.enabled = true;
  policy.rules[static_cast<std::size_t>(level)] = {action, std::move(text)};
  return policy;
}

TEST_CASE("each action of each level", "[spam]") {
  using enum SpamLevel;
  struct Row {
    const char* name;
    SpamLevel level;
    bool proven;
    bool immature_acts;
    Exempt exempt;
    SpamAction action;
    const char* text;
    Action verdict;
    const char* reason;
    const char* edits;
  };
  const Row rows[] = {
      {"none", none, false, false, Exempt::nobody, SpamAction::none, "", Action::proceed,
       "spam-none", "+status "},
      {"low, no action", low, false, false, Exempt::nobody, SpamAction::none, "",
       Action::proceed, "spam-low", "+status "},
      {"a header with the default text", low, false, false, Exempt::nobody,
       SpamAction::header, "", Action::proceed, "spam-low",
       "+X-Mxfeed-Spam:low +status "},
      {"a header of the domain's own", med, false, false, Exempt::nobody,
       SpamAction::header, "X-Junk: yes, very", Action::proceed, "spam-med",
       "+X-Junk:yes, very +status "},
      {"a header text that is none", med, false, false, Exempt::nobody,
       SpamAction::header, "bad name: x", Action::proceed, "spam-med",
       "+X-Mxfeed-Spam:med +status "},
      {"a tag", low, false, false, Exempt::nobody, SpamAction::subject, "[SPAM: low] ",
       Action::proceed, "spam-low", "Subject#1:[SPAM: low] Hello +status "},
      {"a tag with the default text", med, false, false, Exempt::nobody,
       SpamAction::subject, "", Action::proceed, "spam-med",
       "Subject#1:[SPAM: med] Hello +status "},
      {"low deletes", low, false, false, Exempt::nobody, SpamAction::discard, "",
       Action::discard, "spam-low", ""},
      {"med rejects", med, false, false, Exempt::nobody, SpamAction::reject, "",
       Action::reject, "spam-med", ""},
      {"high, immature, tags", high, false, false, Exempt::nobody, SpamAction::discard,
       "", Action::proceed, "spam-high", "Subject#1:[SPAM: high] Hello +status "},
      {"high, immature, tags rather than rejects", high, false, false, Exempt::nobody,
       SpamAction::reject, "", Action::proceed, "spam-high",
       "Subject#1:[SPAM: high] Hello +status "},
      {"high, immature, adds a header", high, false, false, Exempt::nobody,
       SpamAction::header, "", Action::proceed, "spam-high",
       "+X-Mxfeed-Spam:high +status "},
      {"high, proven, deletes", high, true, false, Exempt::nobody, SpamAction::discard,
       "", Action::discard, "spam-high", ""},
      {"high, proven, rejects", high, true, false, Exempt::nobody, SpamAction::reject, "",
       Action::reject, "spam-high", ""},
      {"high deletes where the domain says so", high, false, true, Exempt::nobody,
       SpamAction::discard, "", Action::discard, "spam-high", ""},
      {"quarantine", high, false, false, Exempt::nobody, SpamAction::quarantine, "",
       Action::proceed, "spam-high", "+status hold:spam high"},
      {"an exempt recipient among others gets a tag", high, true, true, Exempt::some,
       SpamAction::discard, "", Action::proceed, "spam-high",
       "Subject#1:[SPAM: high] Hello +status "},
      {"an exempt recipient among others is not held", high, true, true, Exempt::some,
       SpamAction::quarantine, "", Action::proceed, "spam-high",
       "Subject#1:[SPAM: high] Hello +status "},
      {"exempt", high, true, true, Exempt::all, SpamAction::discard, "", Action::proceed,
       "spam-exempt", ""},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    SpamPolicy policy = policy_of(row.level, row.action, row.text);
    policy.immature_acts = row.immature_acts;
    HeaderView header;
    header.field("Subject", " Hello");
    MessageEdits edits;
    const Decision decision =
        act(row.level, row.proven, policy, row.exempt, header, kStatus, edits);
    CHECK(decision.verdict.action() == row.verdict);
    CHECK(decision.verdict.reason() == row.reason);
    CHECK(text_of(edits) == row.edits);
    if (row.verdict == Action::reject) {
      CHECK(decision.verdict.code() == 550);
      CHECK(decision.verdict.enhanced_code() == "5.7.1");
    }
    CHECK(decision.softened ==
          (decision.action != row.action && row.exempt != Exempt::all));
  }
}

TEST_CASE("bulk has an action of its own", "[spam]") {
  struct {
    SpamAction action;
    const char* text;
    const char* edits;
  } const rows[] = {
      {SpamAction::none, "", "+status "},
      {SpamAction::header, "", "+X-Mxfeed-Spam:bulk +status "},
      {SpamAction::header, "X-Bulk: yes", "+X-Bulk:yes +status "},
      {SpamAction::subject, "", "Subject#1:[BULK] Hello +status "},
      {SpamAction::quarantine, "", "+status hold:spam bulk"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.edits);
    SpamPolicy policy = policy_of(SpamLevel::low, SpamAction::discard);
    policy.bulk = {row.action, row.text};
    HeaderView header;
    header.field("Subject", " Hello");
    MessageEdits edits;
    const Decision decision = act({SpamLevel::none, true}, false, policy, Exempt::nobody,
                                  header, kStatus, edits);
    CHECK(decision.verdict.action() == Action::proceed);
    CHECK(decision.verdict.reason() == "spam-bulk");
    CHECK(text_of(edits) == row.edits);
  }
}

TEST_CASE("the evidence is told beside the field of a header action", "[spam]") {
  const Report report{"low p=0.60 t=1", "date-missing,html-only"};
  for (const SpamAction action : {SpamAction::header, SpamAction::subject}) {
    MessageEdits edits;
    HeaderView header;
    header.field("Subject", " Hello");
    const Decision decision =
        act(SpamLevel::low, false, policy_of(SpamLevel::low, action), Exempt::nobody,
            header, report, edits);
    CHECK(decision.action == action);
    const bool is_told =
        text_of(edits).find("+X-Mxfeed-Spam-Evidence:date-missing,html-only") !=
        std::string::npos;
    CHECK(is_told == (action == SpamAction::header));
  }
}

TEST_CASE("of several Subject fields each gets the tag that lacks it", "[spam]") {
  HeaderView header;
  header.field("SUBJECT", " one");
  header.field("Subject", " [S] two");
  header.field("subject\t", " [ S ] three");
  MessageEdits edits;
  const Decision decision =
      act(SpamLevel::low, false, policy_of(SpamLevel::low, SpamAction::subject, "[S] "),
          Exempt::nobody, header, kStatus, edits);
  CHECK(decision.action == SpamAction::subject);
  CHECK(text_of(edits) == "Subject#3:[S] [ S ] three Subject#1:[S] one +status ");
}

TEST_CASE("a missing Subject is added", "[spam]") {
  MessageEdits edits;
  const Decision decision =
      act(SpamLevel::low, false, policy_of(SpamLevel::low, SpamAction::subject, "[S] "),
          Exempt::nobody, HeaderView(), kStatus, edits);
  CHECK(decision.action == SpamAction::subject);
  CHECK(text_of(edits) == "+Subject:[S] +status ");
}

TEST_CASE("forged copies of our fields go, highest index first", "[spam]") {
  HeaderView header;
  for (const char* name :
       {"X-Mxfeed-Spam", "x-mxfeed-spam", "X-Mxfeed-Spam-Status ", "X-MXFEED-Later",
        "X-Mxfeed-Virus", "X-Spam-Status", "X-Junk", "Subject"}) {
    header.field(name, " x");
  }
  SpamPolicy policy = policy_of(SpamLevel::low, SpamAction::header, "X-Junk: yes");
  SECTION("with the domain's own field") {
    MessageEdits edits;
    CHECK(remove_forged(header, policy, edits) == 5);
    CHECK(text_of(edits) ==
          "-x-mxfeed-spam#2 -x-mxfeed-later#1 -x-mxfeed-spam#1 -x-mxfeed-spam-status#1 "
          "-x-junk#1 ");
  }
  SECTION("not the domain's own where spam is off") {
    policy.enabled = false;
    MessageEdits edits;
    CHECK(remove_forged(header, policy, edits) == 4);
  }
  SECTION("never a field that is not an X- one") {
    policy.rules[1].text = "Subject: yes";
    MessageEdits edits;
    CHECK(remove_forged(header, policy, edits) == 4);
  }
}

}  // namespace
}  // namespace mxfeed::spam
