// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/protocol/wire.h"

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

TEST_CASE("what one side says the other understands", "[virus]") {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, kMaxMessage}) {
    CHECK(decode_request(encode(ScanRequest{size})) == ScanRequest{size});
  }
  for (const ScanVerdict verdict :
       {ScanVerdict::clean, ScanVerdict::infected, ScanVerdict::unscannable,
        ScanVerdict::encrypted, ScanVerdict::error}) {
    const ScanResult result{verdict, "Some.Name\xff\n", 3, 8'700'000};
    CHECK(decode_result(encode(result)) == result);
  }
}

TEST_CASE("a name that is too long is cut and still understood", "[virus]") {
  const auto result =
      decode_result(encode(ScanResult{ScanVerdict::infected, std::string(9999, 'x')}));
  REQUIRE(result);
  CHECK(result->name == std::string(kMaxName, 'x'));
}

TEST_CASE("what is not a datagram of this version is not understood", "[virus]") {
  const std::string request = encode(ScanRequest{5});
  const std::string result = encode(ScanResult{ScanVerdict::clean, "n"});
  // One byte less, one more, another mark, the other direction.
  CHECK_FALSE(decode_request(request.substr(0, request.size() - 1)));
  CHECK_FALSE(decode_request(request + '\0'));
  CHECK_FALSE(decode_request(result));
  CHECK_FALSE(decode_request(""));
  CHECK_FALSE(decode_result(request));
  CHECK_FALSE(decode_result(""));
  CHECK_FALSE(decode_result(std::string(kMaxDatagram + 1, 'M')));
  CHECK_FALSE(decode_request(encode(ScanRequest{kMaxMessage + 1})));
  for (std::size_t length = 0; length < result.size() - 1; ++length) {
    CHECK_FALSE(decode_result(result.substr(0, length)));
  }
  for (std::size_t at = 0; at < 8; ++at) {
    std::string other = result;
    other[at] = '2';
    CHECK_FALSE(decode_result(other));
  }
  std::string unknown_verdict = result;
  unknown_verdict[8] = 5;
  CHECK_FALSE(decode_result(unknown_verdict));
  std::string long_name = result + std::string(kMaxName, 'x');
  CHECK_FALSE(decode_result(long_name));
}

}  // namespace
}  // namespace mxfeed::virus
