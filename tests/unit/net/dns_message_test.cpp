// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/dns_message.h"

#include <functional>
#include <string>

#include "tests/support/catch.h"
#include "tests/unit/net/wire.h"

namespace mxfeed::dns {
namespace {

using namespace std::chrono_literals;
using wire::kSameName;
using wire::Message;
using wire::name;
using wire::number;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

const std::string kAddress("\xC0\x00\x02\x01", 4);  // 192.0.2.1
const std::string kOther("\xC0\x00\x02\x02", 4);
constexpr unsigned kCname = 5;
constexpr unsigned kSoa = 6;

std::string soa(std::uint32_t minimum) {
  return name("ns.example") + name("h.example") + std::string(16, '\0') +
         number(minimum, 4);
}

struct ReplyCase {
  const char* name;
  RecordType type;
  std::function<void(Message&)> write;
  Answer want;
};

const Answer kMalformed = Answer::temporary(Trouble::malformed);

// The question is for "www.example".
const ReplyCase kReplies[] = {
    {"A", RecordType::a,
     [](Message& m) {
       m.answers = {{kSameName, 1, 60, kAddress}, {kSameName, 1, 50, kOther}};
     },
     Answer::found({ip("192.0.2.1"), ip("192.0.2.2")}, 50s)},
    {"AAAA", RecordType::aaaa,
     [](Message& m) {
       m.answers = {
           {kSameName, 28, 60, "\x20\x01\x0d\xb8" + std::string(11, '\0') + '\1'}};
     },
     Answer::found({ip("2001:db8::1")}, 60s)},
    {"MX, sorted", RecordType::mx,
     [](Message& m) {
       m.answers = {{kSameName, 15, 60, number(20, 2) + name("b.example")},
                    {kSameName, 15, 60, number(10, 2) + "\1a" + "\xC0\x10"}};
     },
     Answer::found({MailExchange{10, "a.example"}, MailExchange{20, "b.example"}}, 60s)},
    {"null MX", RecordType::mx,
     [](Message& m) {
       m.answers = {{kSameName, 15, 60, number(0, 2) + name("")}};
     },
     Answer::found({MailExchange{0, ""}}, 60s)},
    {"TXT of several strings", RecordType::txt,
     [](Message& m) {
       m.answers = {{kSameName, 16, 60, std::string("\3abc\0\2de", 8)},
                    {kSameName, 16, 60, std::string("\3\xFF\0 ", 4)}};
     },
     Answer::found({Text{"abcde"}, Text{std::string("\xFF\0 ", 3)}}, 60s)},
    {"TXT without strings", RecordType::txt,
     [](Message& m) {
       m.answers = {{kSameName, 16, 60, ""}};
     },
     Answer::found({Text{""}}, 60s)},
    {"PTR, lower case", RecordType::ptr,
     [](Message& m) {
       m.answers = {{kSameName, 12, 60, name("Mail.Example")}};
     },
     Answer::found({HostName{"mail.example"}}, 60s)},
    {"NS", RecordType::ns,
     [](Message& m) {
       m.answers = {{kSameName, 2, 60, name("ns.example")}};
     },
     Answer::found({HostName{"ns.example"}}, 60s)},
    {"CNAME itself", RecordType::cname,
     [](Message& m) {
       m.answers = {{kSameName, kCname, 60, name("a.example")}};
     },
     Answer::found({HostName{"a.example"}}, 60s)},
    {"TLSA", RecordType::tlsa,
     [](Message& m) {
       m.answers = {{kSameName, 52, 60, std::string("\3\1\1\0\xFF", 5)}};
     },
     Answer::found({Tlsa{3, 1, 1, std::string("\0\xFF", 2)}}, 60s)},
    {"alias of an alias, in any order", RecordType::a,
     [](Message& m) {
       m.answers = {{name("b.example"), kCname, 20, name("c.example")},
                    {name("c.example"), 1, 60, kAddress},
                    {kSameName, kCname, 60, name("B.example")}};
     },
     Answer::found({ip("192.0.2.1")}, 20s)},
    {"alias of nothing", RecordType::a,
     [](Message& m) {
       m.flags |= wire::nxdomain;
       m.answers = {{kSameName, kCname, 10, name("b.example")}};
       m.authorities = {{name("example"), kSoa, 60, soa(30)}};
     },
     Answer::absent(false, 10s)},
    {"alias of itself", RecordType::a,
     [](Message& m) {
       m.answers = {{kSameName, kCname, 60, name("b.example")},
                    {name("b.example"), kCname, 60, name("www.example")}};
     },
     kMalformed},
    {"records of other names are not believed", RecordType::a,
     [](Message& m) {
       m.answers = {{kSameName, 1, 60, kAddress}, {name("evil.example"), 1, 60, kOther}};
     },
     Answer::found({ip("192.0.2.1")}, 60s)},
    {"nor are records of the name before its alias", RecordType::a,
     [](Message& m) {
       m.answers = {{kSameName, kCname, 60, name("b.example")},
                    {kSameName, 1, 60, kOther},
                    {name("b.example"), 1, 60, kAddress}};
     },
     Answer::found({ip("192.0.2.1")}, 60s)},
    {"other types are skipped", RecordType::a,
     [](Message& m) {
       m.answers = {{kSameName, 46, 1, "signature"}, {kSameName, 1, 60, kAddress}};
     },
     Answer::found({ip("192.0.2.1")}, 60s)},
    {"no such name", RecordType::a,
     [](Message& m) {
       m.flags |= wire::nxdomain;
       m.authorities = {{name("example"), kSoa, 60, soa(30)}};
     },
     Answer::absent(false, 30s)},
    {"no such record", RecordType::a,
     [](Message& m) {
       m.authorities = {{name("example"), kSoa, 20, soa(30)}};
     },
     Answer::absent(true, 20s)},
    {"no such record, without SOA", RecordType::a, [](Message&) {},
     Answer::absent(true, 0s)},
    {"time to live with the first bit set", RecordType::a,
     [](Message& m) {
       m.answers = {{kSameName, 1, 0x80000000, kAddress}};
     },
     Answer::found({ip("192.0.2.1")}, 0s)},
    {"server failure", RecordType::a, [](Message& m) { m.flags |= wire::servfail; },
     Answer::temporary(Trouble::server_failure)},
    {"refused", RecordType::a, [](Message& m) { m.flags |= wire::refused; },
     Answer::temporary(Trouble::refused)},
    {"not a reply", RecordType::a, [](Message& m) { m.flags &= ~0x8000U; }, kMalformed},
    {"truncated", RecordType::a,
     [](Message& m) {
       m.flags |= wire::kTruncated;
       m.answers = {{kSameName, 1, 60, kAddress}};
     },
     kMalformed},
    {"another question", RecordType::a,
     [](Message& m) { m.question = wire::question("evil.example", RecordType::a); },
     kMalformed},
    {"another type", RecordType::a,
     [](Message& m) { m.question = wire::question("www.example", RecordType::mx); },
     kMalformed},
    {"A of five octets", RecordType::a,
     [](Message& m) {
       m.answers = {{kSameName, 1, 60, kAddress + "x"}};
     },
     kMalformed},
    {"A of three octets", RecordType::a,
     [](Message& m) {
       m.answers = {{kSameName, 1, 60, kAddress.substr(1)}};
     },
     kMalformed},
    {"TXT whose string is longer than it", RecordType::txt,
     [](Message& m) {
       m.answers = {{kSameName, 16, 60, "\5abcd"}};
     },
     kMalformed},
    {"MX with more after its name", RecordType::mx,
     [](Message& m) {
       m.answers = {{kSameName, 15, 60, number(1, 2) + name("a") + "x"}};
     },
     kMalformed},
    {"name that points at itself", RecordType::ptr,
     [](Message& m) {
       m.answers = {{kSameName, 12, 60, "\xC0\x29"}};
     },
     kMalformed},
    {"name that points forward", RecordType::ptr,
     [](Message& m) {
       m.answers = {{kSameName, 12, 60, "\xC0\xFF"}};
     },
     kMalformed},
    {"name of more than 255 octets", RecordType::ptr,
     [](Message& m) {
       std::string long_name;
       for (int i = 0; i < 5; ++i) long_name += '\x3F' + std::string(63, 'a');
       m.answers = {{kSameName, 12, 60, long_name + '\0'}};
     },
     kMalformed},
    {"name with a dot in a label", RecordType::ptr,
     [](Message& m) {
       m.answers = {{kSameName, 12, 60, std::string("\3a.b\0", 5)},
                    {kSameName, 12, 60, name("c.example")}};
     },
     Answer::found({HostName{"c.example"}}, 60s)},
    {"only a name that cannot be written", RecordType::ptr,
     [](Message& m) {
       m.answers = {{kSameName, 12, 60, std::string("\1\t\0", 3)}};
     },
     kMalformed},
};

Answer parsed(const ReplyCase& c, const std::string& octets) {
  return parse_reply(Question::parse("www.example", c.type).value(),
                     wire::as_octets(octets));
}

TEST_CASE("a reply is read", "[net]") {
  for (const auto& c : kReplies) {
    DYNAMIC_SECTION(c.name) {
      Message message;
      message.question = wire::question("WWW.example", c.type);
      c.write(message);
      const std::string octets = message.octets();
      CHECK(parsed(c, octets) == c.want);
      // Cut anywhere it is not believed, but for what follows the answers.
      std::size_t needed = octets.size();
      for (const auto& record : message.authorities) needed -= record.octets().size();
      for (std::size_t size = 0; size < needed; ++size) {
        if (size >= 12 && c.want.trouble != Trouble::malformed && c.want.is_temporary()) {
          break;  // the code alone says it
        }
        REQUIRE(parsed(c, octets.substr(0, size)) == kMalformed);
      }
    }
  }
}

TEST_CASE("the records of an answer are bounded", "[net]") {
  Message message;
  message.question = wire::question("www.example", RecordType::a);
  for (std::size_t i = 0; i <= Answer::kMaxRecords; ++i) {
    message.answers.push_back({kSameName, 1, 60, kAddress});
  }
  const auto octets = message.octets();
  CHECK(parse_reply(Question::parse("www.example", RecordType::a).value(),
                    wire::as_octets(octets))
            .records.size() == Answer::kMaxRecords);
}

}  // namespace
}  // namespace mxfeed::dns
