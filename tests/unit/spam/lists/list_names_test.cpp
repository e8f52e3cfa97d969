// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/lists/list_names.h"

#include <fmt/format.h>

#include "common/base/clock.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

using Keys = std::vector<std::string>;

Message message_with(std::string_view type, std::string_view body) {
  return read_message(fmt::format("From: Shop <news@mail.shop.example>\r\n"
                                  "Reply-To: <a@answers.co.uk>, b@shop.example\r\n"
                                  "Content-Type: text/{}\r\n\r\n{}\r\n",
                                  type, body),
                      Time{});
}

TEST_CASE("a client is asked for in reverse, if it is public", "[spam]") {
  CHECK(client_key(*IpAddress::parse("198.51.100.7")) == "7.100.51.198");
  for (const char* own : {"127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.1.1", "::1",
                          "fe80::1", "fd00::1"}) {
    INFO(own);
    CHECK(client_key(*IpAddress::parse(own)).empty());
  }
}

TEST_CASE("links are asked for by their registered domains", "[spam]") {
  const struct {
    const char* claim;
    const char* type;
    const char* body;
    Keys want;
  } cases[] = {
      {"none", "plain", "hello", {}},
      {"in plain text",
       "plain",
       "see http://www.a.example/x and https://b.a.example",
       {"a.example"}},
      {"in brackets", "plain", "(HTTPS://Sub.Shop.CO.UK/)", {"shop.co.uk"}},
      {"without a scheme", "plain", "go to www.a.example.", {"a.example"}},
      {"an address", "plain", "http://198.51.100.7/x", {"7.100.51.198"}},
      {"an address of a private network", "plain", "http://10.0.0.1/", {}},
      {"a host without a dot", "plain", "http://intranet/", {}},
      {"in HTML, what is shown first",
       "html",
       "<a href='http://hidden.example'></a><a href='http://shown.example'>x</a>",
       {"shown.example", "hidden.example"}},
      {"a user before the host",
       "html",
       "<a href='http://bank.example@evil.example/'>x</a>",
       {"evil.example"}},
  };
  for (const auto& c : cases) {
    INFO(c.claim);
    CHECK(link_keys(message_with(c.type, c.body)) == c.want);
  }
}

TEST_CASE("not more domains of links are asked for than the most", "[spam]") {
  std::string body;
  for (int i = 0; i < 100; ++i) body += fmt::format("http://d{}.example/\r\n", i);
  CHECK(link_keys(message_with("plain", body)).size() == kMostLinkDomains);
}

TEST_CASE("senders are asked for by their registered domains, each once", "[spam]") {
  CHECK(sender_keys("bounce@m1.shop.example", message_with("plain", "")) ==
        Keys{"shop.example", "answers.co.uk"});
  CHECK(sender_keys("", read_message("Subject: x\r\n\r\n", Time{})).empty());
}

}  // namespace
}  // namespace mxfeed::spam
