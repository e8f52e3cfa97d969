// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/mailbox/stored_mail.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

const std::string kReceived =
    "Received: from localhost\n\tby mx1 with LMTP\n\tid 1\n\t; now\n";
const std::string kBlock =
    "Return-Path: <a@x.example>\nDelivered-To: info@acme.example\n" + kReceived;

struct StoredCase {
  const char* name;
  std::string text;
  const char* sender;
  std::string rest;
  bool is_copy = false;
};

TEST_CASE("what came begins behind the fields of the delivery", "[mailbox]") {
  const std::string mail = "Received: by gateway\nSubject: x\n\nbody\n";
  const StoredCase rows[] = {
      {"one recipient", kBlock + mail, "a@x.example", mail},
      {"several", "Return-Path: <a@x.example>\n" + kReceived + mail, "a@x.example", mail},
      {"the null sender", "Return-Path: <>\n" + kReceived + mail, "", mail},
      {"a quoted sender", "Return-Path: <\"a <b>\"@x.example>\n" + kReceived + mail,
       "\"a <b>\"@x.example", mail},
      {"fields of the sender", kBlock + kBlock + mail, "a@x.example", kBlock + mail},
      {"a copy", kBlock + "X-Mxfeed-Copy: 4A\n" + mail, "a@x.example",
       "X-Mxfeed-Copy: 4A\n" + mail, true},
      {"a field of a copy, but from the sender", kBlock + mail + "X-Mxfeed-Copy: 4A\n",
       "a@x.example", mail + "X-Mxfeed-Copy: 4A\n"},
      {"nothing else", kBlock, "a@x.example", ""},
  };
  for (const StoredCase& row : rows) {
    CAPTURE(row.name);
    const auto stored = parse_stored(row.text);
    REQUIRE(stored);
    CHECK(stored->sender == row.sender);
    CHECK(row.text.substr(stored->begin) == row.rest);
    CHECK(stored->is_copy == row.is_copy);
  }
}

TEST_CASE("what was not delivered has no envelope", "[mailbox]") {
  for (const std::string& text :
       {std::string(), std::string("Subject: x\n\nbody\n"), kReceived,
        std::string("Return-Path: <a@x.example>\nSubject: x\n\n"),
        std::string("Return-Path: <a@x.example>\nReceived: by mx1 with ESMTP\n\n"),
        std::string("Return-Path: a@x.example\n") + kReceived,
        std::string("Return-Path: <a\x01@x.example>\n") + kReceived,
        std::string("Return-Path: <a@x.example>"), std::string("Return-Path")}) {
    CAPTURE(text);
    CHECK_FALSE(parse_stored(text));
  }
}

}  // namespace
}  // namespace mxfeed
