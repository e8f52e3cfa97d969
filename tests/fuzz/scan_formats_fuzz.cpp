// SPDX-License-Identifier: GPL-2.0-or-later
//
// Contents of any format: what comes out stays within the room, and says the same each
// time; what comes out is examined in its turn.

#include "milters/virus/scan/formats/examine.h"
#include "milters/virus/scan/formats/text.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace mxfeed::virus;

constexpr std::uint64_t kRoom = 1 << 20;
constexpr std::size_t kContents = 64;

void look(std::string_view content, UnpackRoom& room, int depth) {
  const UnpackRoom before = room;
  Findings findings(room);
  examine(content, findings);
  examine_text(content, findings);
  examine_mailbox(content, findings);
  std::uint64_t sum = 0;
  std::size_t count = 0;
  for (const auto* contents : {&findings.members(), &findings.messages()}) {
    for (const std::string& one : *contents) {
      mxfeed::fuzz::require(!one.empty() && one.size() <= before.each, "each has a size");
      sum += one.size();
      ++count;
    }
  }
  mxfeed::fuzz::require(sum <= before.bytes - room.bytes, "the bytes are taken off");
  mxfeed::fuzz::require(count == before.contents - room.contents, "contents are counted");
  if (depth == 0) return;
  for (const std::string& member : findings.members()) look(member, room, depth - 1);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view content = mxfeed::fuzz::as_text(data, size);
  std::size_t names = 0, names_again = 0;
  UnpackRoom room{kRoom, kRoom / 2, kContents, [] { return false; },
                  [&](std::string_view name) { names += 1 + name.size(); }};
  look(content, room, 2);
  UnpackRoom again{kRoom, kRoom / 2, kContents, [] { return false; },
                   [&](std::string_view name) { names_again += 1 + name.size(); }};
  look(content, again, 2);
  mxfeed::fuzz::require(names == names_again, "the same names");
  mxfeed::fuzz::require(room.bytes == again.bytes && room.contents == again.contents,
                        "the same each time");
  return 0;
}
