// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/normalised_sender.h"

#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

const Recipient kRecipient{"Info", "acme.example"};

TEST_CASE("senders are keyed without what changes from mail to mail", "[greylist]") {
  struct Case {
    const char* name;
    const char* sender;
    const char* keyed;
  };
  const Case cases[] = {
      {"null sender", "", ""},
      {"plain", "John.Doe@Sender.Example", "john.doe@sender.example"},
      {"BATV", "prvs=0123456789=jane@s.example", "jane@s.example"},
      {"BATV, another tag", "prvs=9998abcdef=jane@s.example", "jane@s.example"},
      {"BATV of another kind", "msprvs1=1789sAbCdE=jane@s.example", "jane@s.example"},
      {"BATV with a doubled sign", "btv1==5f3a==jane@s.example", "jane@s.example"},
      {"BATV, cut", "prvs=0123456789@s.example", "prvs=#@s.example"},
      {"only the tag goes, not all up to the last sign", "a=x@s.example",
       "a=x@s.example"},
      {"SRS0", "SRS0=AbCd=XY=org.example=jane@fwd.example",
       "srs#=org.example=jane@fwd.example"},
      {"SRS0, another separator", "SRS0+zzzz=QQ=org.example=jane@fwd.example",
       "srs#=org.example=jane@fwd.example"},
      {"SRS1", "SRS1=HHHH=one.example==AbCd=XY=org.example=jane@fwd.example",
       "srs#=one.example=org.example=jane@fwd.example"},
      {"SRS0, cut", "SRS0=AbCd@fwd.example", "srs#=abcd@fwd.example"},
      {"extension", "jane+tag77@s.example", "jane@s.example"},
      {"extension first", "+tag@s.example", "+tag@s.example"},
      {"VERP with the recipient", "bounces-info=acme.example@l.example",
       "bounces-#@l.example"},
      {"VERP with another recipient", "bounces-you=acme.example@l.example",
       "bounces-you=acme.example@l.example"},
      {"number", "bounce-12345-7@l.example", "bounce-#-#@l.example"},
      {"digits in a word", "web12server3@s.example", "#@s.example"},
      {"few digits in a short word", "srv3a@s.example", "srv#a@s.example"},
      {"hexadecimal", "b.4f6ab31c.x@s.example", "b.#.x@s.example"},
      {"UUID", "0b7c7f5e-abcd-efab-cdef-abcdefabcdef@s.example", "#@s.example"},
      {"number and UUID",
       "0100018c5f3e5b1a-0b7c7f5e-abcd-efab-cdef-abcdefabcdef-000000@x.example",
       "#-#-#@x.example"},
      {"random letters and digits", "r-k3j9x0qpz7@s.example", "r-#@s.example"},
      {"letters only, few vowels", "b-xkcdqzwrtk@s.example", "b-#@s.example"},
      {"letters only, many consonants", "b-aquxzvrtbeo@s.example", "b-#@s.example"},
      {"letters in mixed case", "b-aUeKoiPaeo@s.example", "b-#@s.example"},
      {"capitals within a short name stay", "JohnDoe@s.example", "johndoe@s.example"},
      {"a long word stays", "customerservice@s.example", "customerservice@s.example"},
      {"a word of letters only stays", "deadbeef@s.example", "deadbeef@s.example"},
      {"digits of the domain stay", "a@s1.example", "a@s1.example"},
      {"no domain", "root", "root"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(normalised_sender(c.sender, kRecipient) == c.keyed);
    }
  }
}

TEST_CASE("all tries of a message have one sender, other messages another",
          "[greylist]") {
  struct Case {
    const char* name;
    const char* sender;
    const char* retried;
  };
  const Case cases[] = {
      {"null sender", "", ""},
      {"plain", "John@S.Example", "john@s.example"},
      {"BATV", "prvs=0123456789=jane@s.example", "jane@s.example"},
      {"SRS0", "SRS0=AbCd=XY=org.example=jane@fwd.example",
       "srs0=org.example=jane@fwd.example"},
      {"an extension stays", "jane+tag77@s.example", "jane+tag77@s.example"},
      {"a number stays", "bounce-12345-7@l.example", "bounce-12345-7@l.example"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(sender_of_retries(c.sender) == c.retried);
    }
  }
}

}  // namespace
}  // namespace mxfeed::greylist
