// SPDX-License-Identifier: GPL-2.0-or-later
//
// How a session ends a message: its limits, the edits, the answer.
#include "tests/support/catch.h"
#include "tests/unit/milter/scripted_milter.h"

namespace mxfeed {
namespace {

TEST_CASE("limits hold at the limit and break one past it", "[session]") {
  struct Case {
    const char* name;
    int headers;
    std::size_t value;
    Action want;
  };
  const Case cases[] = {
      {"fields at the limit", 10, 1, Action::proceed},
      {"one field more", 11, 1, Action::reject},
      {"bytes at the limit", 4, 24, Action::proceed},
      {"one byte more", 4, 25, Action::reject},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      Rig rig;
      Session& session = rig.session({.header_bytes = 100, .headers = 10});
      session.mail("<a@b.example>");
      CHECK(session.recipient("<c@d.example>").action() == Action::proceed);
      for (int i = 0; i < c.headers; ++i) session.header("A", std::string(c.value, 'x'));
      CHECK(session.end(rig.sink).action() == c.want);
    }
  }
  Rig rig;
  Session& session = rig.session({.recipients = 2});
  session.mail("<a@b.example>");
  CHECK(session.recipient("<1@d.example>").action() == Action::proceed);
  CHECK(session.recipient("<2@d.example>").action() == Action::proceed);
  CHECK(session.recipient("<3@d.example>").code() == 452);
  CHECK(session.end(rig.sink).action() == Action::proceed);
}

TEST_CASE("edits are carried out in order, with the hold last", "[session]") {
  Rig rig;
  rig.script.on_end = [](MessageEdits& edits) {
    edits.append("X-A", "1");
    edits.remove("X-B", 1);
    edits.remove("X-B", 2);
    edits.quarantine("why");
    return Verdict::proceed();
  };
  Session& session = rig.session();
  session.mail("<a@b.example>");
  CHECK(session.recipient("<c@d.example>").action() == Action::proceed);
  CHECK(session.end(rig.sink).action() == Action::proceed);
  CHECK(rig.sink.done == "X-B2= X-B1= X-A0=1 hold:why");
}

TEST_CASE("a recipient is exchanged: the new one comes before the old one goes",
          "[session]") {
  for (const int failing : {1000, 1, 2}) {
    CAPTURE(failing);
    Rig rig;
    std::string known_as;
    rig.script.on_recipient = [&](const Recipient& recipient) {
      known_as = recipient.as_received;
      return Verdict::proceed();
    };
    rig.script.on_end = [&](MessageEdits& edits) {
      edits.remove_recipient(known_as);
      edits.add_recipient("x@held.example");
      return Verdict::proceed();
    };
    rig.sink.until_failure = failing;
    Session& session = rig.session();
    session.mail("<a@b.example>");
    CHECK(session.recipient("<C%d@e.example>", "C@d.example").action() ==
          Action::proceed);
    CHECK(session.end(rig.sink).code() == (failing < 3 ? 451 : 0));
    CHECK(std::string("to:x@held.example not-to:C%d@e.example ")
              .starts_with(rig.sink.done));
    CHECK((rig.sink.done.find("not-to") != std::string::npos) == (failing != 1));
  }
}

TEST_CASE("an edit that fails defers, whatever the filter would do", "[session]") {
  for (const int failing : {1, 2}) {
    Rig rig;
    rig.script.fail_open = true;
    rig.script.on_end = [](MessageEdits& edits) {
      edits.append("X-A", "1");
      edits.append("X-B", "2");
      edits.quarantine("why");
      return Verdict::proceed();
    };
    rig.sink.until_failure = failing;
    Session& session = rig.session();
    session.mail("<a@b.example>");
    CHECK(session.recipient("<c@d.example>").action() == Action::proceed);
    const Verdict verdict = session.end(rig.sink);
    CHECK(verdict.code() == 451);
    CHECK(verdict.reason() == "edit-fault");
    CHECK(rig.sink.done.find("hold") == std::string::npos);
  }
}

TEST_CASE("nothing is edited when the verdict is not to proceed", "[session]") {
  Rig rig;
  rig.script.on_end = [](MessageEdits& edits) {
    edits.append("X-A", "1");
    return Verdict::discard("test");
  };
  Session& session = rig.session();
  session.mail("<a@b.example>");
  CHECK(session.recipient("<c@d.example>").action() == Action::proceed);
  CHECK(session.end(rig.sink).action() == Action::discard);
  CHECK(rig.sink.done.empty());
}

TEST_CASE("a discard for one recipient becomes a deferral", "[session]") {
  Rig rig;
  rig.script.on_recipient = [](const Recipient&) { return Verdict::discard("test"); };
  Session& session = rig.session();
  session.mail("<a@b.example>");
  CHECK(session.recipient("<c@d.example>").code() == 451);
}

TEST_CASE("a filter that does not want the content is not asked at the end",
          "[session]") {
  Rig rig;
  rig.script.wants_content = false;
  Session& session = rig.session();
  for (int message = 0; message < 2; ++message) {
    rig.script.asked.clear();
    session.mail("<a@b.example>");
    CHECK(session.recipient("<c@d.example>").action() == Action::proceed);
    CHECK(session.data().action() == Action::proceed);
    CHECK(rig.script.asked == "begin rcpt:c@d.example data gone ");
    CHECK_FALSE(session.in_transaction());
    CHECK(Session::active_transactions() == 0);
    session.abort();
  }
}

TEST_CASE("after a fault the answer is given at DATA, and only a pass ends there",
          "[session]") {
  for (const bool fail_open : {true, false}) {
    Rig rig;
    rig.script.fail_open = fail_open;
    rig.script.on_recipient = [](const Recipient& recipient) -> Verdict {
      if (recipient.local_part == "x") fail();
      return Verdict::proceed();
    };
    Session& session = rig.session();
    session.mail("<a@b.example>");
    CHECK(session.recipient("<c@d.example>").action() == Action::proceed);
    CHECK(session.recipient("<x@d.example>").code() == (fail_open ? 0 : 451));
    CHECK(session.data().code() == (fail_open ? 0 : 451));
    CHECK(session.in_transaction() == !fail_open);
  }
}

TEST_CASE("a filter without recipient verdicts still learns the recipients",
          "[session]") {
  Rig rig;
  rig.script.needs = {.headers = true, .recipients = true};
  Session& session = rig.session();
  session.mail("<a@b.example>");
  CHECK(session.recipient("<c@d.example>").action() == Action::proceed);
  CHECK(rig.script.asked == "begin ");
  CHECK(rig.script.envelope->recipients.size() == 1);
}

}  // namespace
}  // namespace mxfeed
