// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/tnef.h"

#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

std::string tnef(const std::string& attributes) {
  return le(0x223e9f78, 4) + le(1, 2) + attributes;
}

std::string attribute(std::uint32_t id, const std::string& value) {
  return le(2, 1) + le(id, 4) + le(value.size(), 4) + value + le(0, 2);
}

std::string padded(std::string value) {
  value.resize((value.size() + 3) / 4 * 4);
  return value;
}

std::string property(unsigned type, unsigned id, const std::string& value) {
  return le(type, 2) + le(id, 2) + le(1, 4) + le(value.size(), 4) + padded(value);
}

constexpr std::uint32_t kAttachData = 0x0006800f, kProperties = 0x00069005;

TEST_CASE("attachments come out of TNEF", "[virus]") {
  const std::string number = le(3, 2) + le(0x0e20, 2) + le(7, 4);
  const std::string named = le(0x1e, 2) + le(0x8001, 2) + std::string(16, 'g') +
                            le(1, 4) + le(6, 4) + padded(std::string("n\0a\0m\0", 6)) +
                            le(1, 4) + le(2, 4) + padded("v");
  const std::string many = le(0x1003, 2) + le(0x0e21, 2) + le(2, 4) + le(1, 4) + le(2, 4);
  struct Case {
    const char* name;
    std::string content;
    const char* found;
  };
  const Case cases[] = {
      {"an attachment", tnef(attribute(kAttachData, payload())), "member"},
      {"a second one",
       tnef(attribute(kAttachData, "x") + attribute(kAttachData, payload())), "member"},
      {"in the properties",
       tnef(attribute(kProperties, le(4, 4) + number + named + many +
                                       property(0x102, 0x3701, payload()))),
       "member"},
      {"an object",
       tnef(
           attribute(kProperties,
                     le(1, 4) + property(0xd, 0x3701, std::string(16, 'i') + payload()))),
       "member"},
      {"a page",
       tnef(attribute(0x00069003, le(1, 4) + property(0x102, 0x1013, payload()))),
       "member"},
      {"no content",
       tnef(attribute(kProperties, le(1, 4) + property(0x1e, 0x3707, "name"))), ""},
      {"a byte too many", tnef(attribute(kAttachData, payload())) + "x", "member"},
      {"cut off", tnef(le(2, 1) + le(kAttachData, 4) + le(9999, 4) + payload()),
       "member"},
      {"a property of no type",
       tnef(attribute(kProperties, le(1, 4) + le(0x99, 2) + le(1, 2) + le(0, 4))),
       "unscannable TNEF"},
      {"fewer properties than stated",
       tnef(attribute(kProperties, le(0xffffffff, 4) + number)), "unscannable TNEF"},
      {"nothing", tnef(""), ""},
      {"no TNEF", payload(), ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(found_in(c.content, examine_tnef) == c.found);
  }
}

TEST_CASE("attachments of TNEF have names", "[virus]") {
  constexpr std::uint32_t kTitle = 0x00018010;
  const std::string wide("b\0.\0j\0s\0\0\0", 10);
  CHECK(names_in(tnef(attribute(kTitle, std::string("A.JS\0", 5)) +
                      attribute(kProperties, le(2, 4) + property(0x1f, 0x3707, wide) +
                                                 property(0x1e, 0x3001, "c"))),
                 examine_tnef) == "A.JS b.js c");
}

TEST_CASE("a file that Outlook made", "[virus]") {
  const auto content = read_file("/usr/share/clamav-testfiles/clam.tnef");
  REQUIRE(content);
  UnpackRoom room = room_of();
  Findings findings(room);
  examine_tnef(*content, findings);
  CHECK(findings.unscannable().empty());
  bool is_found = false;
  for (const auto& member : findings.members()) {
    is_found |= member.size() == 544 && member.starts_with("MZ");
  }
  CHECK(is_found);
}

}  // namespace
}  // namespace mxfeed::virus
