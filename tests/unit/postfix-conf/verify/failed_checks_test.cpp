// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/failed_checks.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

Finding finding(Outcome outcome, const char* check, const char* subject = "s") {
  return {outcome, check, subject, "cause", outcome == Outcome::ok ? "" : "advice"};
}

const auto kFailed = Outcome::failed;

struct Case {
  const char* name;
  FailedChecks before;
  std::vector<VerifiedDomain> verified;
  std::vector<std::string> want;  // "failed a.b size", "ok a.b size"
  FailedChecks after;
};

const FailedCheck kSize{"a.b", "size", "s"};

const Case kCases[] = {
    {"the first time all is new",
     {},
     {{"a.b", {finding(kFailed, "size"), finding(Outcome::note, "tls")}}},
     {"failed a.b size"},
     {kSize}},
    {"still failing", {kSize}, {{"a.b", {finding(kFailed, "size")}}}, {}, {kSize}},
    {"another subject is another check",
     {kSize},
     {{"a.b", {finding(kFailed, "size"), finding(kFailed, "size", "t")}}},
     {"failed a.b size"},
     {kSize, {"a.b", "size", "t"}}},
    {"ok again", {kSize}, {{"a.b", {finding(Outcome::ok, "size")}}}, {"ok a.b size"}, {}},
    {"what it was about is gone", {kSize}, {{"a.b", {}}}, {"ok a.b size"}, {}},
    {"the server is down: not ok again",
     {kSize},
     {{"a.b", {finding(kFailed, "connect")}}},
     {"failed a.b connect"},
     {{"a.b", "connect", "s"}, kSize}},
    {"not known now: not ok again",
     {kSize},
     {{"a.b", {finding(Outcome::unknown, "mx")}}},
     {},
     {kSize}},
    {"another domain is not known now",
     {kSize},
     {{"a.b", {}}, {"c.d", {finding(Outcome::unknown, "mx")}}},
     {"ok a.b size"},
     {}},
    {"the domain is gone", {kSize}, {{"c.d", {}}}, {}, {}},
};

TEST_CASE("only what has changed since the last time is told") {
  for (const auto& c : kCases) {
    INFO(c.name);
    const auto result = compare(c.before, c.verified);
    std::vector<std::string> told;
    for (const auto& one : result.changes) {
      told.push_back(std::string(to_string(one.finding.outcome)) + " " + one.domain +
                     " " + one.finding.check);
      CHECK(one.is_ok_again == (one.finding.outcome == Outcome::ok));
    }
    CHECK(told == c.want);
    CHECK(result.failed == c.after);
    CHECK(compare(result.failed, c.verified).changes.empty());
  }
}

TEST_CASE("failed checks are stored and read again") {
  const FailedChecks checks{kSize, {"c.d", "connect", "[192.0.2.7]:25"}};
  CHECK(parse_failed_checks(render(checks)) == checks);
  CHECK(parse_failed_checks("").empty());
  CHECK(parse_failed_checks("a.b\tsize\ns\ta\tb\tmore of a later version\nx") ==
        FailedChecks{{"s", "a", "b"}});
  // What a server says cannot make a line of its own.
  auto hostile = finding(kFailed, "size", "s\nx.example\tsize\ts");
  const auto failed = compare({}, {{"a.b", {hostile}}}).failed;
  REQUIRE(failed.size() == 1);
  CHECK(parse_failed_checks(render(failed)) == failed);
}

}  // namespace
}  // namespace mxfeed
