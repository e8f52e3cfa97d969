// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/session.h"

#include "tests/support/catch.h"
#include "tests/unit/milter/scripted_milter.h"

namespace mxfeed {
namespace {

TEST_CASE("a transaction asks the filter in protocol order", "[session]") {
  Rig rig;
  Session& session = rig.session();
  session.mail("<a@b.example>", {.authenticated = true, .smtputf8 = true});
  CHECK(rig.script.envelope->sender == "a@b.example");
  CHECK(rig.script.envelope->authenticated);
  CHECK(rig.script.envelope->smtputf8);
  CHECK(rig.script.envelope->client.name == "mail.example");
  CHECK(session.recipient("<C@D.Example>").action() == Action::proceed);
  REQUIRE(rig.script.envelope->recipients.size() == 1);
  CHECK(rig.script.envelope->recipients[0].domain == "d.example");
  session.set_queue_id("4ABC");
  CHECK(rig.script.envelope->queue_id == "4ABC");
  CHECK(session.data().action() == Action::proceed);
  session.header("Subject", " x");
  session.body(kBody);
  CHECK(Session::active_transactions() == 1);
  CHECK(session.end(rig.sink).action() == Action::proceed);
  CHECK(Session::active_transactions() == 0);
  CHECK(rig.script.asked == "begin rcpt:C@d.example data Subject= x body:2 end gone ");
}

TEST_CASE("session: a recipient's domain is the one that Postfix routes by") {
  struct Row {
    const char* path;
    std::string resolved;
    const char* local_part;
    const char* domain;
  };
  const std::string longest(400, 'x');
  const Row rows[] = {
      {"<c@d.example>", "", "c", "d.example"},
      {"<C%D.example@mx.example>", "C@D.example", "C", "d.example"},
      {"<c(x)@d.example>", "c@d.example", "c", "d.example"},
      {"<c@d.example(x)>", "c@d.example", "c", "d.example"},
      {R"(<"c"."d"@d.example>)", "c.d@d.example", "c.d", "d.example"},
      {"<@a.example:c@d.example>", "c@d.example", "c", "d.example"},
      {"<postmaster>", "postmaster@mx.example", "postmaster", "mx.example"},
      // What is no Domain is looked up all the same.
      {"<c@\u2603.D.example>", "c@\u2603.d.example", "c", "\u2603.d.example"},
      {"<c@Stra\u00DFe.example>", "c@strasse.example", "c", "strasse.example"},
      {"<c@b\u00FC.example>", "c@b\u00FC.example", "c", "b\u00FC.example"},
      // Postfix did not say, or in a form that is not read whole.
      {"<c(x)@D.example>", "", "c(x)", "d.example"},
      {"<c\\@d@d.example>", "", "c\\@d", "d.example"},
      {"<c@\u2603.D.example>", "", "c", "\u2603.d.example"},
      {"<c@d.example>", longest + "@d.example", "", "d.example"},
      {"<c@>", "", "c", ""},
      {"<@>", "", "", ""},
      {"<", "", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path, row.resolved);
    Rig rig;
    std::optional<Recipient> seen;
    rig.script.on_recipient = [&](const Recipient& recipient) {
      seen = recipient;
      return Verdict::proceed();
    };
    Session& session = rig.session();
    session.mail("<a@b.example>");
    CHECK(session.recipient(row.path, row.resolved).action() == Action::proceed);
    REQUIRE(seen);
    CHECK(seen->domain == row.domain);
    if (*row.local_part != '\0') CHECK(seen->local_part == row.local_part);
    CHECK(seen->local_part.size() <= 320);
  }
}

TEST_CASE("a recipient that Postfix has refused does not join the envelope",
          "[session]") {
  Rig rig;
  Session& session = rig.session();
  session.refused_recipient("<c@d.example>", "5.1.1");  // not in a transaction
  session.mail("<a@b.example>");
  session.refused_recipient("<c@d.example>", "4.1.1");
  CHECK(rig.script.envelope->recipients.empty());
  CHECK(session.recipient("<e@d.example>").action() == Action::proceed);
  session.refused_recipient("<f@d.example>", std::string(200, '4'));
  CHECK(rig.script.envelope->recipients.size() == 1);
  CHECK(rig.script.asked ==
        "begin refused:c@d.example=4.1.1 rcpt:e@d.example "
        "refused:f@d.example=4444444444444444 ");
}

TEST_CASE("a refused recipient does not join the envelope", "[session]") {
  Rig rig;
  rig.script.on_recipient = [](const Recipient& recipient) {
    return recipient.local_part == "no"
               ? Verdict::defer({450, "4.7.1"}, "test-defer", "later")
               : Verdict::proceed();
  };
  Session& session = rig.session();
  session.mail("<>");
  CHECK(session.recipient("<no@d.example>").code() == 450);
  CHECK(session.recipient("<yes@d.example>").action() == Action::proceed);
  CHECK(rig.script.envelope->recipients.size() == 1);
  CHECK(rig.script.envelope->sender.empty());
}

TEST_CASE("the filter hears of each recipient that joins the envelope", "[session]") {
  for (const bool with_verdict : {false, true}) {
    CAPTURE(with_verdict);
    Rig rig;
    rig.script.needs.recipients = true;
    rig.script.needs.recipient_verdict = with_verdict;
    rig.script.on_recipient = [](const Recipient& recipient) {
      return recipient.local_part == "no"
                 ? Verdict::defer({450, "4.7.1"}, "test-defer", "later")
                 : Verdict::proceed();
    };
    std::string heard;
    rig.script.on_accepted = [&](const Recipient& recipient) {
      CHECK(rig.script.envelope->recipients.back().local_part == recipient.local_part);
      heard += recipient.local_part + " ";
    };
    Session& session = rig.session();
    session.mail("<>");
    CHECK(session.recipient("<a@d.example>").action() == Action::proceed);
    CHECK(session.recipient("<no@d.example>").code() == (with_verdict ? 450 : 0));
    CHECK(session.recipient("<b@d.example>").action() == Action::proceed);
    CHECK(heard == (with_verdict ? "a b " : "a no b "));
  }
}

TEST_CASE("a filter that fails to hear of a recipient has failed", "[session]") {
  Rig rig;
  rig.script.on_accepted = [](const Recipient&) { fail(); };
  Session& session = rig.session();
  session.mail("<>");
  CHECK(session.recipient("<a@d.example>").action() == Action::proceed);
  CHECK(session.data().code() == 451);
}

TEST_CASE("abort and a second MAIL end the transaction", "[session]") {
  Rig rig;
  Session& session = rig.session();
  session.mail("<a@b.example>");
  session.abort();
  CHECK(rig.script.asked == "begin gone ");
  session.mail("<a@b.example>");
  session.mail("<c@b.example>");
  CHECK(rig.script.asked == "begin gone begin gone begin ");
  CHECK(Session::active_transactions() == 1);
  session.abort();
  session.abort();
  CHECK(Session::active_transactions() == 0);
}

// Each row breaks the order; the next transaction must work all the same.
struct OrderCase {
  const char* name;
  std::function<Verdict(Session&, ListSink&)> act;
};

const OrderCase kMisordered[] = {
    {"RCPT before MAIL", [](Session& s, ListSink&) { return s.recipient("<a@b.c>"); }},
    {"DATA before MAIL", [](Session& s, ListSink&) { return s.data(); }},
    {"end before MAIL", [](Session& s, ListSink& sink) { return s.end(sink); }},
    {"header and body before MAIL",
     [](Session& s, ListSink& sink) {
       s.header("A", "b");
       s.body(kBody);
       return s.end(sink);
     }},
    {"end without recipients",
     [](Session& s, ListSink& sink) {
       s.mail("<a@b.c>");
       return s.end(sink);
     }},
    {"RCPT after a header",
     [](Session& s, ListSink& sink) {
       s.mail("<a@b.c>");
       CHECK(s.recipient("<a@b.c>").action() == Action::proceed);
       s.header("A", "b");
       CHECK(s.recipient("<d@b.c>").code() == 451);
       return s.end(sink);
     }},
    {"header after the body",
     [](Session& s, ListSink& sink) {
       s.mail("<a@b.c>");
       CHECK(s.recipient("<a@b.c>").action() == Action::proceed);
       s.body(kBody);
       s.header("A", "b");
       return s.end(sink);
     }},
    {"DATA twice",
     [](Session& s, ListSink& sink) {
       s.mail("<a@b.c>");
       CHECK(s.recipient("<a@b.c>").action() == Action::proceed);
       CHECK(s.data().action() == Action::proceed);
       CHECK(s.data().code() == 451);
       return s.end(sink);
     }},
};

TEST_CASE("events out of order are answered 451 and harm nothing", "[session]") {
  for (const auto& c : kMisordered) {
    DYNAMIC_SECTION(c.name) {
      Rig rig;
      Session& session = rig.session();
      const Verdict verdict = c.act(session, rig.sink);
      CHECK(verdict.action() == Action::defer);
      CHECK(verdict.code() == 451);
      CHECK(rig.sink.done.empty());
      session.mail("<a@b.example>");
      CHECK(session.recipient("<c@d.example>").action() == Action::proceed);
      CHECK(session.end(rig.sink).action() == Action::proceed);
    }
  }
}

TEST_CASE("a fault is kept and answered at every later point", "[session]") {
  struct Case {
    const char* name;
    std::function<void(Script&)> break_it;
    bool at_recipient;  // answered at RCPT already
  };
  const Case cases[] = {
      {"in begin", [](Script& s) { s.on_begin = fail; }, true},
      {"in connect", [](Script& s) { s.on_connect = fail; }, true},
      {"at a recipient",
       [](Script& s) { s.on_recipient = [](const Recipient&) -> Verdict { fail(); }; },
       true},
      {"in a header", [](Script& s) { s.on_header = fail; }, false},
      {"in the body", [](Script& s) { s.on_body = fail; }, false},
      {"at the end",
       [](Script& s) { s.on_end = [](MessageEdits&) -> Verdict { fail(); }; }, false},
      {"another exception",
       [](Script& s) { s.on_body = [] { throw std::runtime_error("x"); }; }, false},
      {"no exception class", [](Script& s) { s.on_body = [] { throw 1; }; }, false},
  };
  for (const Case& c : cases) {
    for (const bool fail_open : {false, true}) {
      DYNAMIC_SECTION(c.name << (fail_open ? ", fail-open" : "")) {
        Rig rig;
        c.break_it(rig.script);
        rig.script.fail_open = fail_open;
        Session& session = rig.session();
        session.mail("<a@b.example>");
        const bool no_filter = rig.script.on_begin || rig.script.on_connect;
        const Action want = fail_open && !no_filter ? Action::proceed : Action::defer;
        CHECK(session.recipient("<c@d.example>").action() ==
              (c.at_recipient ? want : Action::proceed));
        session.header("A", "b");
        session.header("C", "d");
        session.body(kBody);
        session.body(kBody);
        CHECK(session.end(rig.sink).action() == want);
        CHECK(rig.sink.done.empty());
        const auto faults = [&] {
          std::size_t count = 0;
          for (std::size_t at = 0;
               (at = rig.script.asked.find("fault", at)) != std::string::npos; ++at) {
            ++count;
          }
          return count;
        };
        CHECK(faults() == (no_filter ? 0 : 1));  // and asked nothing more after it
      }
    }
  }
}

}  // namespace
}  // namespace mxfeed
