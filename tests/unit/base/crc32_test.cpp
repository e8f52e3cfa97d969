// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/crc32.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("the checksum is that of ISO 3309", "[base]") {
  CHECK(crc32("") == 0);
  CHECK(crc32("123456789") == 0xCBF43926);
  CHECK(crc32("The quick brown fox jumps over the lazy dog") == 0x414FA339);
}

TEST_CASE("pieces have the checksum of the whole", "[base]") {
  const std::string text = "The quick brown fox jumps over the lazy dog";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CHECK(crc32(std::string_view(text).substr(cut), crc32(text.substr(0, cut))) ==
          0x414FA339);
  }
}

}  // namespace
}  // namespace mxfeed
