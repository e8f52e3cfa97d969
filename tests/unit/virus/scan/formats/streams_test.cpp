// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/streams.h"

#include "milters/virus/scan/formats/decompress.h"
#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

struct Case {
  const char* program;
  bool is_read_by_libclamav;
};

const Case kCases[] = {
    {"gzip", true},  {"bzip2", true}, {"xz", false},
    {"lzma", false}, {"lzip", false}, {"zstd -q", false},
};

TEST_CASE("each of several streams is taken out", "[virus]") {
  for (const Case& c : kCases) {
    CAPTURE(c.program);
    const std::string pack = std::string(c.program) + " -c ";
    CHECK(found_in(made(pack + "payload >out"), examine_streams) ==
          (c.is_read_by_libclamav ? "" : "member"));
    CHECK(found_in(made("echo one >one; (" + pack + "one; " + pack + "payload) >out"),
                   examine_streams) == "member");
    CHECK(found_in(
              made("split -b 700 payload p.; for f in p.*; do " + pack + "$f; done >out"),
              examine_streams) == "member");
  }
}

TEST_CASE("a stream behind other data is taken out", "[virus]") {
  for (const char* const program : {"gzip", "bzip2", "xz", "lzip", "zstd -q"}) {
    CAPTURE(program);
    const std::string packed = made(std::string(program) + " -c payload >out");
    CHECK(found_in("#!/bin/sh\nexit\n" + packed, examine_streams) == "member");
    CHECK(found_in("x \x1f\x8b\x08 is a mark" + packed, examine_streams) == "member");
  }
  // A tar's files are read one by one.
  CHECK(
      found_in(made("gzip -c payload >p.gz; tar -cf out p.gz"), examine_streams).empty());
}

TEST_CASE("no number of false marks hides a stream", "[virus]") {
  const std::string packed = made("xz -c payload >out");
  std::string content = "x";
  for (int i = 0; i < 9'000; ++i) content += "\x1f\x8b\x08\xff";
  CHECK(found_in(content + packed, examine_streams) == "member");
  for (int i = 0; i < 1'001; ++i) content += "LZIP\1";
  CHECK(found_in(content + packed, examine_streams) == "unscannable MaxFiles");
}

TEST_CASE("what is no whole stream is no trouble", "[virus]") {
  const Case cases[] = {{"gzip", true}, {"bzip2", true}};
  for (const Case& c : cases) {
    CAPTURE(c.program);
    const std::string whole = made(std::string(c.program) + " -c payload >out");
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CHECK(found_in(whole.substr(0, size), examine_streams).empty());
    }
    CHECK(found_in(whole + "rest", examine_streams).empty());
    CHECK(found_in(whole + std::string(8, '\0'), examine_streams).empty());
    CHECK(found_in(whole + std::string(8, '\0') + whole, examine_streams) == "member");
  }
}

TEST_CASE("of an xz that is damaged or cut off the beginning is taken out", "[virus]") {
  const std::string whole =
      made("for i in 1 2 3 4 5 6 7 8 9; do cat payload; done | xz -c >out");
  CHECK_FALSE(found_in(whole.substr(0, whole.size() - 1), examine_streams).empty());
  std::string damaged = whole;
  damaged.at(damaged.size() / 2) ^= 1;
  CHECK_FALSE(found_in(damaged, examine_streams).empty());
  // The block's header: no content has been read by then.
  damaged = whole;
  damaged.at(14) ^= 1;
  CHECK(found_in(damaged, examine_streams).empty());
}

TEST_CASE("an xz of a form that nobody knows is unscannable", "[virus]") {
  // Stream flags 0x0f10, with their CRC32: reserved (the .xz file format, 2.1.1.2).
  std::string stream = made("xz -c payload >out");
  stream.replace(6, 2, "\x0f\x10");
  stream.replace(8, 4, le(crc32_of(stream.substr(6, 2)), 4));
  CHECK(found_in(stream, examine_streams) == "unscannable Compression");
}

TEST_CASE("a stream that grows beyond the room is unscannable", "[virus]") {
  for (const Case& c : kCases) {
    CAPTURE(c.program);
    const std::string bomb =
        made("head -c 3000000 /dev/zero | " + std::string(c.program) + " -c >out");
    CHECK(found_in(bomb, examine_streams, room_of(1 << 20)) == "unscannable MaxScanSize");
  }
}

TEST_CASE("the file in a gzip stream may have a name", "[virus]") {
  CHECK(names_in(made("mv payload a.js; gzip a.js; mv a.js.gz out"), examine_streams) ==
        "a.js");
  CHECK(names_in(made("gzip -n payload; mv payload.gz out"), examine_streams).empty());
  // An extra field stands before the name.
  const std::string extra(
      "\x1f\x8b\x08\x0c\0\0\0\0\0\3\2\0xx"
      "b.js\0",
      19);
  CHECK(names_in(extra, examine_streams) == "b.js");
  CHECK(names_in(std::string_view(extra).substr(0, 15), examine_streams).empty());
}

}  // namespace
}  // namespace mxfeed::virus
