// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/recorded.h"

#include "milters/spam/commands/stored_message.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

GatewayPolicy gateway() {
  GatewayPolicy policy;
  policy.host_addresses = {*Network::parse("192.0.2.10/32"),
                           *Network::parse("2001:db8::10/128")};
  return policy;
}

TEST_CASE("the client is the one that the topmost Received field names", "[spam]") {
  const struct {
    const char* claim;
    const char* header;
    const char* client;  // empty: none is known
  } rows[] = {
      {"no trace field", "Subject: x\n", ""},
      {"a client with a name",
       "Received: from mx.example (mx.example [198.51.100.7])\n\tby gw.example "
       "(Postfix)\n",
       "198.51.100.7"},
      {"a client without one",
       "Received: from x (unknown [198.51.100.7]) by gw.example\n", "198.51.100.7"},
      {"an IPv6 client", "Received: from x (unknown [IPv6:2001:db8::7]) by gw.example\n",
       "2001:db8::7"},
      {"HELO with another address",
       "Received: from [198.51.100.9] (unknown [198.51.100.7]) by gw.example\n",
       "198.51.100.7"},
      {"an older hop does not count",
       "Received: from x (unknown [198.51.100.7]) by gw.example\n"
       "Received: from y (unknown [198.51.100.8]) by x\n",
       "198.51.100.7"},
      {"a hop behind this host is skipped",
       "Received: from gw.example (gw.example [192.0.2.10]) by customer.example\n"
       "Received: from x (unknown [198.51.100.7]) by gw.example\n",
       "198.51.100.7"},
      {"so is one over IPv6",
       "Received: from gw.example (gw.example [IPv6:2001:db8::10]) by customer.example\n"
       "Received: from x (unknown [198.51.100.7]) by gw.example\n",
       "198.51.100.7"},
      {"and one within this host",
       "Received: from localhost (localhost [127.0.0.1]) by gw.example\n"
       "Received: from x (unknown [198.51.100.7]) by gw.example\n",
       "198.51.100.7"},
      {"mail that this host made",
       "Received: by gw.example (Postfix, from userid 0)\n"
       "Received: from x (unknown [198.51.100.7]) by other.example\n",
       ""},
      {"no address", "Received: from x (unknown [unknown]) by gw.example\n", ""},
      {"brackets the wrong way round", "Received: from x (]198.51.100.7[) by y\n", ""},
      {"no end", "Received: from x (unknown [198.51.100.7\n", ""},
      {"an address behind the parentheses", "Received: from x (y) [198.51.100.7]\n", ""},
  };
  for (const auto& row : rows) {
    INFO(row.claim);
    const auto client =
        recorded_client(stored_message(std::string(row.header) + "\nhello\n"), gateway());
    CHECK((client ? client->str() : "") == row.client);
  }
}

}  // namespace
}  // namespace mxfeed::spam
