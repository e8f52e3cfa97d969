// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/digest.h"

#include "common/base/fault.h"
#include "common/base/text.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("a digest is BLAKE2b of the size asked for", "[base]") {
  // RFC 7693, appendix A.
  CHECK(to_hex(digest("abc", 64)) ==
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
        "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
  CHECK(digest("", 16).size() == 16);
  CHECK(digest("a", 16) != digest("b", 16));
  CHECK_THROWS_AS(digest("a", 0), Fault);
  CHECK_THROWS_AS(digest("a", 65), Fault);
}

TEST_CASE("bytes in pieces have the digest of the whole", "[base]") {
  const std::string text(1000, 'x');
  Digester digester(32);
  for (std::size_t at = 0; at < text.size(); at += 77) {
    digester.add(std::string_view(text).substr(at, 77));
  }
  CHECK(std::move(digester).finish() == digest(text, 32));
}

}  // namespace
}  // namespace mxfeed
