// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/protocol/wire.h"

#include "common/policy/attachment_policy.h"
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
    const ScanResult result{verdict, "Some.Name\xff\n", ScanFault::temporary_space, 3,
                            8'700'000};
    CHECK(decode_result(encode(result)) == result);
  }
}

TEST_CASE("the attachments come over as they are, at most as many as fit", "[virus]") {
  CHECK(decode_request(encode(ScanRequest{7, true})) == ScanRequest{7, true});
  AttachmentList full;
  full.kinds = {AttachmentKind::program, AttachmentKind::html_smuggling};
  for (int i = 0; i < 300; ++i) {
    full.add_suffix("." + std::string(20, 'x') + std::to_string(1000 + i));
  }
  CHECK(full.has_more);
  CHECK(full.suffixes.size() == AttachmentList::kMostSuffixes);
  for (const AttachmentList& list : {AttachmentList{}, full}) {
    ScanResult result{ScanVerdict::encrypted, std::string(kMaxName, 'n')};
    result.attachments = list;
    CHECK(encode(result).size() <= kMaxResult);
    CHECK(decode_result(encode(result)) == result);
  }
}

TEST_CASE("a name that is too long is cut and still understood", "[virus]") {
  const auto result =
      decode_result(encode(ScanResult{ScanVerdict::infected, std::string(9999, 'x')}));
  REQUIRE(result);
  CHECK(result->name == std::string(kMaxName, 'x'));
}

struct Case {
  const char* name;
  std::string datagram;
};

std::string field(char tag, std::string_view value) {
  return std::string{tag, static_cast<char>(value.size()), '\0'} + std::string(value);
}

const std::string kRequest = encode(ScanRequest{5});
const std::string kResult = encode(ScanResult{ScanVerdict::clean, "n"});
const std::string kClean("\0", 1);

TEST_CASE("a malformed request is refused", "[virus]") {
  const Case cases[] = {
      {"empty", ""},
      {"the mark alone", "MXSQ"},
      {"a byte less", kRequest.substr(0, kRequest.size() - 1)},
      {"a byte more", kRequest + '\0'},
      {"a result", kResult},
      {"another mark", 'N' + kRequest.substr(1)},
      {"a size of four bytes", "MXSQ" + field(1, "abcd")},
      {"a size above the limit", encode(ScanRequest{kMaxMessage + 1})},
      {"two bytes of a flag", kRequest + field(2, "ab")},
      {"too long", kRequest + field(99, std::string(200, 'x')) +
                       field(99, std::string(200, 'x')) +
                       field(99, std::string(200, 'x'))},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK_FALSE(decode_request(c.datagram));
  }
}

TEST_CASE("a malformed result is refused", "[virus]") {
  const Case cases[] = {
      {"empty", ""},
      {"the mark alone", "MXSR"},
      {"no verdict", "MXSR" + field(2, "name")},
      {"an unknown verdict", "MXSR" + field(1, "\x05")},
      {"two bytes of verdict", "MXSR" + field(1, std::string(2, '\0'))},
      {"a name beyond the end", kResult.substr(0, 12) + '\xff'},
      {"a count of two bytes", "MXSR" + field(1, kClean) + field(4, "ab")},
      {"a byte more", kResult + 'x'},
      {"kinds of one byte", kResult + field(6, "a")},
      {"a suffix without its end", kResult + field(7, ".exe")},
      {"a suffix in upper case", kResult + field(7, std::string(".EXE\0", 5))},
      {"a suffix that could end a line", kResult + field(7, std::string(".e\nx\0", 5))},
      {"suffixes out of order", kResult + field(7, std::string(".b\0.a\0", 6))},
      {"a suffix twice", kResult + field(7, std::string(".a\0.a\0", 6))},
      {"a request", kRequest},
      {"no datagram of ours", std::string(kMaxResult + 1, 'M')},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK_FALSE(decode_result(c.datagram));
  }
}

TEST_CASE("fields of a later version are skipped, missing ones have defaults",
          "[virus]") {
  CHECK(decode_request(kRequest + field(99, "new")) == ScanRequest{5});
  const ScanResult want{ScanVerdict::clean, ""};
  CHECK(decode_result("MXSR" + field(99, "new") + field(1, kClean)) == want);
  const auto later = decode_result("MXSR" + field(1, "\x04") + field(3, "\x63"));
  REQUIRE(later);
  CHECK(later->fault == ScanFault::engine);
  CHECK_FALSE(later->attachments);
  const auto kinds = decode_result(kResult + field(6, "\xff\xff\xff\xff"));
  REQUIRE(kinds);
  REQUIRE(kinds->attachments);
  CHECK(kinds->attachments->kinds == kinds_of(AttachmentPreset::strict));
}

}  // namespace
}  // namespace mxfeed::virus
