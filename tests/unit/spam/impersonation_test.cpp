// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/impersonation.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

TEST_CASE("nobody else may show a protected name", "[spam]") {
  const std::vector<std::string> people = {"Anna Beck <anna@acme.example>",
                                           "Anna Beck <a.beck@home.example>",
                                           "Paul Hill <paul@acme.example>"};
  struct {
    const char* name;
    const char* header;
    bool is_found;
  } const rows[] = {
      {"herself", "From: Anna Beck <Anna@Acme.example>\n", false},
      {"her other address", "From: Anna Beck <a.beck@home.example>\n", false},
      {"another address", "From: Anna Beck <ceo.office@mail.example>\n", true},
      {"an encoded name", "From: =?utf-8?q?Anna_B=D0=B5ck?= <x@mail.example>\n", true},
      {"the address of another of them", "From: Anna Beck <paul@acme.example>\n", true},
      {"her address as the name", "From: \"anna@acme.example\" <x@mail.example>\n",
       false},
      {"the second author", "From: Ben <b@c.example>, Anna Beck <x@mail.example>\n",
       true},
      {"the second From", "From: Ben <b@c.example>\nFrom: Anna Beck <x@mail.example>\n",
       true},
      {"a calendar",
       "From: Anna Beck <calendar@cal.example>\nReply-To: Anna Beck "
       "<anna@acme.example>\n",
       false},
      {"replies go to a stranger, too",
       "From: Anna Beck <x@mail.example>\n"
       "Reply-To: anna@acme.example, x@mail.example\n",
       true},
      {"replies go to another of them",
       "From: Anna Beck <x@mail.example>\nReply-To: paul@acme.example\n", true},
      {"somebody else", "From: Hanna Becker <x@mail.example>\n", false},
      {"no name", "From: x@mail.example\n", false},
      {"no author", "Subject: x\n", false},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const Message message = read_message(std::string(row.header) + "\ntext\n", Time{});
    CHECK(impersonation(people, message).has_value() == row.is_found);
    CHECK_FALSE(impersonation({}, message));
  }
}

}  // namespace
}  // namespace mxfeed::spam
