// SPDX-License-Identifier: GPL-2.0-or-later
//
// Names and contents of attachments: any bytes give suffixes that a reply may have in it;
// a name found alone is found behind a folder; how a page is cut makes no difference; a
// list of them comes over the wire as it is.

#include "milters/virus/protocol/wire.h"
#include "milters/virus/scan/attachments/collector.h"
#include "milters/virus/scan/attachments/content.h"
#include "milters/virus/scan/attachments/page_search.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed::virus;
  using mxfeed::fuzz::require;
  const std::string_view bytes = mxfeed::fuzz::as_text(data, size);

  AttachmentCollector collector;
  for (const NameOf of : {NameOf::part, NameOf::member}) {
    const NameLook look = look_at_name(bytes, of);
    for (const std::string& suffix : look.suffixes) {
      require(mxfeed::is_suffix(suffix), "a suffix has no other characters");
    }
    collector.name(bytes, of);
  }
  if (bytes.size() < 1000 && bytes.find_first_of("/\\") == std::string_view::npos) {
    const NameLook alone = look_at_name(bytes, NameOf::part);
    const NameLook in_folder = look_at_name("d/" + std::string(bytes), NameOf::part);
    require(in_folder.suffixes == alone.suffixes, "folders do not matter");
  }

  PageSearch whole, cut;
  whole.add(bytes);
  for (std::size_t at = 0; at < bytes.size(); at += 5) cut.add(bytes.substr(at, 5));
  require(whole.builds_file() == cut.builds_file(), "a page is read whole");

  require(!whole.builds_file() || may_build_file(bytes), "the quick search misses none");

  const auto kinds = kinds_of_content(bytes);
  require(kinds == kinds_of_content(std::string(bytes)), "the same each time");
  collector.content(bytes, "a.html");
  ScanResult result{ScanVerdict::clean, ""};
  result.attachments = std::move(collector).take();
  require((result.attachments->kinds & kinds) == kinds, "all kinds are collected");
  require(decode_result(encode(result)) == result, "the list comes over");
  return 0;
}
