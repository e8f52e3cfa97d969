// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/attachment_policy.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("a suffix has one dot or two, and few characters", "[policy]") {
  for (const char* text :
       {".exe", ".7z", ".tar.gz", ".search-ms", ".c++", ".ex_", ".~a"}) {
    CAPTURE(text);
    CHECK(is_suffix(text));
  }
  for (const char* text :
       {"", ".", "exe", "..", ".exe.", "..exe", ".a.b.c", ".EXE", ". exe", ".a b",
        ".\xC3\xA4", ".e\n", ".a/b", ".{a}", ".aaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    CAPTURE(text);
    CHECK_FALSE(is_suffix(text));
  }
  CHECK(is_suffix("." + std::string(24, 'a')));
}

TEST_CASE("each kind has one word", "[policy]") {
  for (const AttachmentKind kind : kAttachmentKinds) {
    CHECK(parse_attachment_kind(to_string(kind)) == kind);
  }
  CHECK_FALSE(parse_attachment_kind(""));
  CHECK_FALSE(parse_attachment_kind("Program"));
}

TEST_CASE("suffixes have the kind of what opens them", "[policy]") {
  struct {
    const char* suffix;
    std::optional<AttachmentKind> kind;
  } const rows[] = {
      {".exe", AttachmentKind::program},
      {".386", AttachmentKind::program},
      {".xpi", AttachmentKind::program},
      {".js", AttachmentKind::script},
      {".lnk", AttachmentKind::shortcut},
      {".docm", AttachmentKind::macro},
      {".iso", AttachmentKind::disk_image},
      {".docx", std::nullopt},
      {".txt", std::nullopt},
      {"exe", std::nullopt},
      {".tar.gz", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& row : rows) {
    CAPTURE(row.suffix);
    CHECK(kind_of_suffix(row.suffix) == row.kind);
  }
}

// The lists stand between the word of the kind in bold and the next paragraph.
TEST_CASE("the manual lists each suffix with its kind", "[policy]") {
  const std::string source = std::getenv("MXFEED_SOURCE");
  std::ifstream file(source + "/milters/virus/mxfeed-virus.8");
  std::stringstream all;
  all << file.rdbuf();
  const std::string manual = all.str();
  std::size_t listed = 0;
  for (const AttachmentKind kind : kAttachmentKinds) {
    std::string word_of_kind(to_string(kind));
    const auto hyphen = word_of_kind.find('-');
    if (hyphen != std::string::npos) word_of_kind.insert(hyphen, "\\");
    const std::string title = ".B " + word_of_kind + "\n";
    const auto begin = manual.find(title, manual.find(".SS Attachments"));
    REQUIRE(begin != std::string::npos);
    const auto end = manual.find(".TP", begin);
    std::istringstream words(manual.substr(begin, end - begin));
    for (std::string word; words >> word;) {
      if (word.starts_with("\\&")) word.erase(0, 2);
      if (word.ends_with(',')) word.pop_back();
      if (!is_suffix(word) || word == ".br") continue;
      CAPTURE(word);
      CHECK(kind_of_suffix(word) == kind);
      ++listed;
    }
  }
  CHECK(listed == count_of_known_suffixes());
}

TEST_CASE("a preset is a set of kinds, and the list adds to it", "[policy]") {
  using Kind = AttachmentKind;
  AttachmentPolicy policy;
  CHECK_FALSE(policy.has_rules());
  CHECK(policy.kinds().is_empty());
  policy.preset = AttachmentPreset::executables;
  policy.blocked = {"disk-image", ".zip", "a-kind-of-later"};
  CHECK(policy.has_rules());
  CHECK(policy.kinds() ==
        AttachmentKinds{Kind::program, Kind::script, Kind::shortcut, Kind::disk_image});
  CHECK(policy.blocks_suffix(".zip"));
  CHECK_FALSE(policy.blocks_suffix(".exe"));
  CHECK(policy.blocks_suffixes());
  policy.blocked = {"disk-image"};
  CHECK_FALSE(policy.blocks_suffixes());
  for (const Kind kind : kAttachmentKinds) {
    CHECK(kinds_of(AttachmentPreset::strict).has(kind));
  }
}

}  // namespace
}  // namespace mxfeed
