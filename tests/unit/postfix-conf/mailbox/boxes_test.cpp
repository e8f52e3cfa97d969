// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/mailbox/boxes.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct BoxCase {
  const char* address;
  const char* mailbox;
};

const BoxCase kBoxes[] = {
    {"info@acme.example", "info@acme.example"},
    {"INFO@Acme.Example", "info@acme.example"},
    {"info+list@acme.example", "info@acme.example"},
    {"+info@acme.example", "unknown@acme.example"},
    {"sales@acme.example", "unknown@acme.example"},
    {"info@sub.acme.example", "unknown@acme.example"},
    {"\"../x\"@acme.example", "unknown@acme.example"},
    {"\"in fo\"@acme.example", "unknown@acme.example"},
    {"", "unknown@acme.example"},
};

TEST_CASE("a recipient has its own mailbox or the one for all others", "[mailbox]") {
  Generated generated;
  generated.mailboxes = {{"acme.example", "info", "x"},
                         {"acme.example", "unknown", ""},
                         {"other.example", "sales", "x"}};
  for (const BoxCase& one : kBoxes) {
    CAPTURE(one.address);
    CHECK(mailbox_for(generated, "acme.example", one.address) == one.mailbox);
  }
}

TEST_CASE("a domain in U-labels has the mailboxes of its A-labels", "[mailbox]") {
  Generated generated;
  generated.mailboxes = {{"xn--bcher-kva.example", "info", "x"}};
  CHECK(mailbox_for(generated, "xn--bcher-kva.example",
                    "info@b\xC3\xBC"
                    "cher.example") == "info@xn--bcher-kva.example");
}

}  // namespace
}  // namespace mxfeed
