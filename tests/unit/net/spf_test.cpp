// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the public test suite leaves open; spf_suite_test.cpp runs that.
#include "common/net/spf.h"

#include <functional>
#include <string>

#include "common/base/text.h"
#include "tests/support/catch.h"
#include "tests/unit/net/zone.h"

namespace mxfeed::spf {
namespace {

using dns::HostName;
using dns::MailExchange;
using dns::RecordType;
using dns::Zone;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

Session from(const char* address, const std::string& sender) {
  return {ip(address), "mail.helo.example", sender};
}

Verdict checked(Zone& zone, const Session& session) {
  return check_mail_from(session, zone);
}

struct Case {
  const char* name;
  const char* address;
  std::function<void(Zone&)> fill;
  Result want;
  const char* mechanism = "";
};

std::string many(const std::string& term, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += " " + term + std::to_string(i) + ".example";
  return text;
}

// The sender is user@d.example.
const Case kCases[] = {
    {"the mechanism that matched is named", "192.0.2.1",
     [](Zone& z) { z.add("d.example", "v=spf1 ip4:192.0.2.2 -IP4:192.0.2.0/24 +all"); },
     Result::fail, "IP4:192.0.2.0/24"},
    {"of an include it is the include", "192.0.2.1",
     [](Zone& z) {
       z.add("d.example", "v=spf1 ?include:i.example");
       z.add("i.example", "v=spf1 ip4:192.0.2.1");
     },
     Result::neutral, "include:i.example"},
    {"of a redirect it is the other record's", "192.0.2.1",
     [](Zone& z) {
       z.add("d.example", "v=spf1 redirect=r.example");
       z.add("r.example", "v=spf1 ip4:192.0.2.1");
     },
     Result::pass, "ip4:192.0.2.1"},
    {"no mechanism matches", "192.0.2.1",
     [](Zone& z) { z.add("d.example", "v=spf1 ip4:192.0.2.2"); }, Result::neutral},
    {"a mapped client is an IPv4 client", "::ffff:192.0.2.1",
     [](Zone& z) { z.add("d.example", "v=spf1 ip4:192.0.2.1 -all"); }, Result::pass,
     "ip4:192.0.2.1"},
    {"a mapped network has no clients", "192.0.2.1",
     [](Zone& z) { z.add("d.example", "v=spf1 ip6:::ffff:192.0.2.1 ip6:::/0 -all"); },
     Result::fail, "all"},
    {"10 terms that ask the DNS", "192.0.2.1",
     [](Zone& z) {
       z.add("d.example", "v=spf1" + many("a:a", 10) + " ip4:192.0.2.1");
       for (int i = 0; i < 10; ++i) {
         z.add_address("a" + std::to_string(i) + ".example", "192.0.2.9");
       }
     },
     Result::pass, "ip4:192.0.2.1"},
    {"11 terms that ask the DNS", "192.0.2.1",
     [](Zone& z) {
       z.add("d.example", "v=spf1" + many("a:a", 11) + " ip4:192.0.2.1");
       for (int i = 0; i < 11; ++i) {
         z.add_address("a" + std::to_string(i) + ".example", "192.0.2.9");
       }
     },
     Result::permerror},
    {"2 void terms", "192.0.2.1",
     [](Zone& z) { z.add("d.example", "v=spf1" + many("a:a", 2) + " ip4:192.0.2.1"); },
     Result::pass, "ip4:192.0.2.1"},
    {"3 void terms", "192.0.2.1",
     [](Zone& z) { z.add("d.example", "v=spf1" + many("mx:a", 3) + " ip4:192.0.2.1"); },
     Result::permerror},
    {"mail exchangers without IPv6 are not void terms", "2001:db8::1",
     [](Zone& z) {
       z.add("d.example", "v=spf1 mx ip6:2001:db8::1 -all");
       for (int i = 0; i < 10; ++i) {
         const std::string host = "mx" + std::to_string(i) + ".example";
         z.add("d.example", RecordType::mx, MailExchange{10, host});
         z.add_address(host, "192.0.2.9");
       }
     },
     Result::pass, "ip6:2001:db8::1"},
    {"11 mail exchangers", "192.0.2.1",
     [](Zone& z) {
       z.add("d.example", "v=spf1 mx +all");
       for (int i = 0; i < 11; ++i) {
         z.add("d.example", RecordType::mx,
               MailExchange{10, "mx" + std::to_string(i) + ".example"});
       }
     },
     Result::permerror},
    {"null MX", "192.0.2.1",
     [](Zone& z) {
       z.add("d.example", "v=spf1 mx -all");
       z.add("d.example", RecordType::mx, MailExchange{0, ""});
     },
     Result::fail, "all"},
    {"only the first 10 names of an address count", "192.0.2.1",
     [](Zone& z) {
       z.add("d.example", "v=spf1 ptr -all");
       for (int i = 0; i < 10; ++i) {
         z.add("1.2.0.192.in-addr.arpa", RecordType::ptr,
               HostName{"n" + std::to_string(i) + ".other.example"});
       }
       z.add("1.2.0.192.in-addr.arpa", RecordType::ptr, HostName{"d.example"});
       z.add_address("d.example", "192.0.2.1");
     },
     Result::fail, "all"},
    {"a reverse lookup that times out matches nothing", "192.0.2.1",
     [](Zone& z) {
       z.add("d.example", "v=spf1 ptr -all");
       z.time_out("1.2.0.192.in-addr.arpa", RecordType::ptr);
     },
     Result::fail, "all"},
    {"a name that ends like the domain is not within it", "192.0.2.1",
     [](Zone& z) {
       z.add("d.example", "v=spf1 ptr -all");
       z.add("1.2.0.192.in-addr.arpa", RecordType::ptr, HostName{"bad.example"});
       z.add_address("bad.example", "192.0.2.1");
     },
     Result::fail, "all"},
    {"include of itself", "192.0.2.1",
     [](Zone& z) { z.add("d.example", "v=spf1 include:d.example -all"); },
     Result::permerror},
    {"redirect to itself", "192.0.2.1",
     [](Zone& z) { z.add("d.example", "v=spf1 redirect=d.example"); }, Result::permerror},
    {"a target that cannot exist does not match", "192.0.2.1",
     [](Zone& z) {
       z.add("d.example", "v=spf1 a:a..example exists:%{l}%_.example ~all");
     },
     Result::softfail, "all"},
    {"record of 8192 bytes", "192.0.2.1",
     [](Zone& z) {
       z.add("d.example", "v=spf1 " + std::string(8192 - 7 - 4, ' ') + "-all");
     },
     Result::fail, "all"},
    {"record of 8193 bytes", "192.0.2.1",
     [](Zone& z) {
       z.add("d.example", "v=spf1 " + std::string(8193 - 7 - 4, ' ') + "-all");
     },
     Result::permerror},
    {"macros that grow without bound", "192.0.2.1",
     [](Zone& z) {
       std::string spec;
       for (int i = 0; i < 1200; ++i) spec += "%{S}";
       z.add("d.example", "v=spf1 exists:" + spec + " +all");
     },
     Result::permerror},
};

TEST_CASE("a session is checked against its sender's domain", "[net]") {
  for (const auto& c : kCases) {
    DYNAMIC_SECTION(c.name) {
      Zone zone;
      c.fill(zone);
      const Verdict verdict = checked(
          zone,
          from(c.address, std::string(c.name[0] == 'm' ? 60 : 4, 'u') + "@d.example"));
      INFO(verdict.problem);
      CHECK(to_string(verdict.result) == to_string(c.want));
      CHECK(verdict.mechanism == c.mechanism);
      CHECK(verdict.domain == "d.example");
      CHECK(verdict.problem.empty() == (c.want != Result::permerror));
    }
  }
}

TEST_CASE("a record that allows anybody is told from others", "[net]") {
  struct Row {
    const char* record;
    const char* address = "192.0.2.1";
    bool is_open = true;
  };
  const Row rows[] = {
      {"v=spf1 +all"},
      {"v=spf1 ip4:128.0.0.0/1 -all"},
      {"v=spf1 ip4:192.0.0.0/8 -all"},
      {"v=spf1 ip4:192.0.0.0/9 -all", "192.0.2.1", false},
      {"v=spf1 ip6:2000::/3 -all", "2001:db8::1"},
      {"v=spf1 ip6:2001::/16 -all", "2001:db8::1"},
      {"v=spf1 ip6:2001:db8::/32 -all", "2001:db8::1", false},
      {"v=spf1 a:h.example/0 -all"},
      {"v=spf1 a:h.example -all", "192.0.2.1", false},
      {"v=spf1 mx:h.example/0 -all"},
      {"v=spf1 exists:h.example -all"},
      {"v=spf1 exists:%{i}.list.example -all", "192.0.2.1", false},
      {"v=spf1 include:open.example -all"},
      {"v=spf1 include:closed.example -all", "192.0.2.1", false},
      {"v=spf1 include:other.example ip4:192.0.2.1 -all", "192.0.2.1", false},
      {"v=spf1 redirect=open.example"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.record, row.address);
    Zone zone;
    zone.add("d.example", row.record);
    zone.add("open.example", "v=spf1 ip4:0.0.0.0/0 ip6:::/0 -all");
    zone.add("closed.example", "v=spf1 ip4:192.0.2.0/24 -all");
    zone.add("other.example", "v=spf1 ip4:198.51.100.0/24 -all");
    zone.add_address("h.example", "192.0.2.1");
    zone.add("h.example", dns::RecordType::mx, dns::MailExchange{10, "h.example"});
    zone.add_address("192.0.2.1.list.example", "127.0.0.2");
    const Verdict verdict = checked(zone, from(row.address, "user@d.example"));
    CHECK(to_string(verdict.result) == "pass");
    CHECK(verdict.is_open == row.is_open);
  }
}

TEST_CASE("the null sender is checked as postmaster of the HELO name", "[net]") {
  Zone zone;
  zone.add("mail.helo.example", "v=spf1 exists:%{l}.%{o}.%{h} -all");
  zone.add_address("postmaster.mail.helo.example.mail.helo.example", "127.0.0.2");
  const Session session = from("192.0.2.1", "");
  CHECK(check_mail_from(session, zone).result == Result::pass);
  CHECK(check_mail_from(session, zone).domain == "mail.helo.example");
  CHECK(check_helo(from("192.0.2.1", "a@d.example"), zone).result == Result::pass);
}

struct DomainCase {
  const char* sender;
  Result want;
};

const DomainCase kDomains[] = {
    {"a@d.example", Result::pass},
    {"a@D.Example.", Result::pass},
    {"\"a@b\"@d.example", Result::pass},
    {"d.example", Result::pass},
    {"a@b\xC3\xBC"
     "cher.example",
     Result::pass},
    {"a@xn--bcher-kva.example", Result::pass},
    {"a@example", Result::none},
    {"a@", Result::none},
    {"a@[192.0.2.1]", Result::none},
    {"a@d..example", Result::none},
    {"a@\xFF.example", Result::none},
    {"a@absent.example", Result::none},
};

TEST_CASE("what is no domain has no policy", "[net]") {
  Zone zone;
  zone.add("d.example", "v=spf1 +all");
  zone.add("xn--bcher-kva.example", "v=spf1 +all");
  for (const auto& c : kDomains) {
    DYNAMIC_SECTION(c.sender) {
      const Verdict verdict = checked(zone, from("192.0.2.1", c.sender));
      CHECK(to_string(verdict.result) == to_string(c.want));
      CHECK(verdict.problem.empty() == (c.want != Result::none));
    }
  }
}

struct ExplanationCase {
  const char* name;
  std::string text;
  std::string want;
};

const ExplanationCase kExplanations[] = {
    {"macros", "%{i} is not %{d}: %{S}, %{c} %{r} %{t} %{h}%%%_%-",
     "192.0.2.1 is not d.example: a%2Bb%40d.example, 192.0.2.1 mx.here.example 86400 "
     "mail.helo.example% %20"},
    {"longest", std::string(kMaxExplanation, 'x'), std::string(kMaxExplanation, 'x')},
    {"longer", std::string(kMaxExplanation + 1, 'x'), std::string(kMaxExplanation, 'x')},
    {"not ASCII", "\xC3\xBC", ""},
    {"control character", "a\r\nb", ""},
    {"malformed macro", "%{x}", ""},
    {"empty", "", ""},
};

TEST_CASE("an explanation is printable and bounded", "[net]") {
  for (const auto& c : kExplanations) {
    DYNAMIC_SECTION(c.name) {
      Zone zone;
      zone.add("d.example", "v=spf1 -all exp=why.d.example");
      zone.add("why.d.example", c.text);
      Session session = from("192.0.2.1", "a+b@d.example");
      session.receiver = "mx.here.example";
      session.time = Time(std::chrono::hours(24));
      const Verdict verdict = check_mail_from(session, zone);
      CHECK(verdict.result == Result::fail);
      CHECK(verdict.explanation == c.want);
    }
  }
}

TEST_CASE("a HELO name with odd characters leaves no explanation", "[net]") {
  Zone zone;
  zone.add("d.example", "v=spf1 -all exp=why.d.example");
  zone.add("why.d.example", "you are %{h}");
  Session session = from("192.0.2.1", "a@d.example");
  session.helo = "\x1B[2J\xFF";
  CHECK(check_mail_from(session, zone).explanation.empty());
}

TEST_CASE("an answer that is temporary makes the result temporary", "[net]") {
  Zone zone;
  zone.add("d.example", "v=spf1 a:slow.example -all");
  zone.time_out("slow.example", RecordType::a);
  zone.time_out("lost.example", RecordType::txt);
  const Verdict slow = checked(zone, from("192.0.2.1", "a@d.example"));
  CHECK(slow.result == Result::temperror);
  CHECK(slow.problem == "slow.example: A: timed out");
  CHECK(checked(zone, from("192.0.2.1", "a@lost.example")).result == Result::temperror);
}

TEST_CASE("p is a name of the client that its address confirms", "[net]") {
  const auto result = [](const char* names, const char* wanted) {
    Zone zone;
    zone.add("d.example", "v=spf1 exists:%{p}.p.example -all");
    zone.add_address(std::string(wanted) + ".p.example", "127.0.0.2");
    for (const auto name : split(names, ' ')) {
      zone.add("1.2.0.192.in-addr.arpa", RecordType::ptr, HostName{std::string(name)});
      if (!name.starts_with("false")) zone.add_address(name, "192.0.2.1");
    }
    return checked(zone, from("192.0.2.1", "a@d.example")).result;
  };
  CHECK(result("other.example sub.d.example d.example", "d.example") == Result::pass);
  CHECK(result("other.example sub.d.example", "sub.d.example") == Result::pass);
  CHECK(result("false.d.example other.example", "other.example") == Result::pass);
  CHECK(result("false.d.example", "unknown") == Result::pass);
}

}  // namespace
}  // namespace mxfeed::spf
