// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/put_off.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

Envelope from(const char* address, const char* sender) {
  Envelope envelope;
  envelope.client.address = IpAddress::parse(address);
  envelope.sender = sender;
  return envelope;
}

struct Case {
  const char* name;
  const char* address;
  const char* sender;
  Recipient recipient;
  seconds later;
  bool wanted;
};

const Case kCases[] = {
    {"the same try",
     "192.0.2.7",
     "a@s.example",
     {"info", "acme.example"},
     seconds(119),
     false},
    {"the next one",
     "192.0.2.7",
     "a@s.example",
     {"info", "acme.example"},
     seconds(120),
     true},
    {"the last one",
     "192.0.2.7",
     "a@s.example",
     {"info", "acme.example"},
     hours(6),
     true},
    {"too late",
     "192.0.2.7",
     "a@s.example",
     {"info", "acme.example"},
     hours(6) + seconds(1),
     false},
    {"from the same network",
     "192.0.2.99",
     "a@s.example",
     {"info", "acme.example"},
     seconds(300),
     true},
    {"from another one",
     "192.0.3.7",
     "a@s.example",
     {"info", "acme.example"},
     seconds(300),
     false},
    {"spelt in another case",
     "192.0.2.7",
     "A@S.example",
     {"INFO", "ACME.example"},
     seconds(300),
     true},
    {"another sender",
     "192.0.2.7",
     "b@s.example",
     {"info", "acme.example"},
     seconds(300),
     false},
    {"another recipient",
     "192.0.2.7",
     "a@s.example",
     {"sales", "acme.example"},
     seconds(300),
     false},
    {"another domain",
     "192.0.2.7",
     "a@s.example",
     {"info", "other.example"},
     seconds(300),
     false},
    {"a clock that was set back",
     "192.0.2.7",
     "a@s.example",
     {"info", "acme.example"},
     seconds(-300),
     false},
};

const Time kStart{seconds(1'800'000'000)};

TEST_CASE("a recipient that was put off comes again after minutes", "[virus]") {
  for (const Case& c : kCases) {
    INFO(c.name);
    PutOff put_off;
    put_off.note(from("192.0.2.7", "a@s.example"), {"info", "acme.example"}, kStart);
    CHECK(put_off.comes_again(from(c.address, c.sender), c.recipient, kStart + c.later) ==
          c.wanted);
  }
}

TEST_CASE("a recipient that is put off again is not younger", "[virus]") {
  const auto envelope = from("2001:db8::1", "a@s.example");
  const Recipient recipient{"info", "acme.example"};
  PutOff put_off;
  put_off.note(envelope, recipient, kStart);
  put_off.note(envelope, recipient, kStart + seconds(119));
  CHECK(put_off.comes_again(envelope, recipient, kStart + seconds(120)));
}

TEST_CASE("the oldest are forgotten if there are too many", "[virus]") {
  const auto envelope = from("192.0.2.7", "a@s.example");
  PutOff put_off(2);
  for (const char* const name : {"a", "b", "c"}) {
    put_off.note(envelope, {name, "acme.example"}, kStart);
  }
  const auto comes_again = [&](const char* name) {
    return put_off.comes_again(envelope, {name, "acme.example"}, kStart + seconds(300));
  };
  CHECK_FALSE(comes_again("a"));
  CHECK(comes_again("b"));
  CHECK(comes_again("c"));
}

}  // namespace
}  // namespace mxfeed::virus
