// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/bulk.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

#define SIGNED "DKIM-Signature: v=1; d=shop.example; h=From:list-unsubscribe; b=x\n"

TEST_CASE("newsletters are told from other mail", "[spam]") {
  struct {
    const char* name;
    const char* header;
    bool is_bulk;
  } const rows[] = {
      {"signed", SIGNED "List-Unsubscribe: <https://a>\n", true},
      {"signed by somebody else",
       "DKIM-Signature: d=other.example; h=List-Unsubscribe\nList-Unsubscribe: "
       "<https://a>\n",
       false},
      {"not covered",
       "DKIM-Signature: d=shop.example; h=From:To\nList-Unsubscribe: <https://a>\n",
       false},
      {"not signed", "List-Unsubscribe: <https://a>\n", false},
      {"signed, without a way to unsubscribe", SIGNED, false},
      {"a second signature covers it",
       "DKIM-Signature: d=shop.example; h=From\n" SIGNED
       "List-Unsubscribe: <https://a>\n",
       true},
      {"a campaign", "Precedence: bulk\nX-Mailgun-Sid: 1\n", true},
      {"precedence alone", "Precedence: bulk\n", false},
      {"a receipt through a service", "Feedback-ID: 1\nX-SG-EID: 2\n", false},
      {"a discussion",
       SIGNED "List-Unsubscribe: <https://a>\nList-Post: <mailto:a@lists.example>\n",
       false},
      {"a list that only announces",
       SIGNED "List-Unsubscribe: <https://a>\nList-Id: a\nList-Post: NO\n", true},
      {"an answer on a list",
       SIGNED "List-Unsubscribe: <https://a>\nList-Id: a\nIn-Reply-To: <b>\n", false},
  };
  Authentication authentication;
  authentication.signers = {"shop.example"};
  for (const auto& row : rows) {
    INFO(row.name);
    const Message message = read_message(std::string(row.header) + "\ntext\n", Time{});
    CHECK(is_bulk(message, authentication) == row.is_bulk);
  }
}

}  // namespace
}  // namespace mxfeed::spam
