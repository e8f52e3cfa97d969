// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "milters/virus/scan/database.h"
#include "milters/virus/scan/engine_clamav.h"
#include "milters/virus/scan/scratch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::virus {
namespace {

namespace fs = std::filesystem;

TEST_CASE("every change of a signature file changes the fingerprint", "[virus]") {
  const TempDirectory directory;
  const fs::path& at = directory.path();
  CHECK(look_at_database(at).fingerprint.empty());
  write_file(at / "a.hdb", "x");
  const auto one = look_at_database(at);
  CHECK_FALSE(one.fingerprint.empty());
  CHECK(one.newest.time_since_epoch().count() > 0);
  CHECK(look_at_database(at) == one);

  SECTION("other files do not matter") {
    write_file(at / "freshclam.dat", "x");
    fs::create_directory(at / "tmp.hdb");
    CHECK(look_at_database(at).fingerprint == one.fingerprint);
  }
  SECTION("one more") {
    write_file(at / "b.ndb", "x");
    CHECK(look_at_database(at).fingerprint != one.fingerprint);
  }
  SECTION("one removed") {
    fs::remove(at / "a.hdb");
    CHECK(look_at_database(at).fingerprint.empty());
  }
  SECTION("replaced by one of the same size and time") {
    struct stat before {};
    ::stat((at / "a.hdb").c_str(), &before);
    write_file(at / "a.hdb", "y");
    const timespec times[2] = {before.st_atim, before.st_mtim};
    ::utimensat(AT_FDCWD, (at / "a.hdb").c_str(), times, 0);
    CHECK(look_at_database(at).fingerprint != one.fingerprint);
  }
  SECTION("a single file") {
    CHECK(look_at_database(at / "a.hdb").fingerprint == one.fingerprint);
    CHECK(look_at_database(at / "none").fingerprint.empty());
  }
}

TEST_CASE("scratch space is private and starts empty", "[virus]") {
  const TempDirectory directory;
  const fs::path asked = directory.path() / "scratch";
  fs::create_directories(asked / "old" / "deep");
  fs::create_directories(asked / std::to_string(::getpid()));
  const fs::path chosen = prepare_scratch(asked, directory.path());
  CHECK(chosen == asked);
  CHECK_FALSE(fs::exists(asked / "old"));
  CHECK((fs::status(chosen).permissions() & fs::perms::all) == fs::perms::owner_all);
  // Of a living process: its scan would find everything clean without it.
  CHECK(fs::exists(asked / std::to_string(::getpid())));
  fs::create_directory(asked / "rest");
  discard_scratch(chosen);
  CHECK_FALSE(fs::exists(asked / "rest"));
  CHECK(fs::exists(asked / std::to_string(::getpid())));
  remove_scratch(chosen, ::getpid());
  CHECK_FALSE(fs::exists(asked / std::to_string(::getpid())));
  discard_scratch(chosen);
  CHECK_FALSE(fs::exists(asked));
}

TEST_CASE("scratch space that is a file or a link is refused", "[virus]") {
  const TempDirectory directory;
  write_file(directory.path() / "file", "");
  CHECK_THROWS_AS(prepare_scratch(directory.path() / "file", directory.path()), Fault);
  fs::create_directory_symlink(directory.path(), directory.path() / "link");
  CHECK_THROWS_AS(prepare_scratch(directory.path() / "link", directory.path()), Fault);
}

TEST_CASE("trouble with scratch space is seen before libclamav hides it", "[virus]") {
  const TempDirectory directory;
  CHECK_FALSE(scratch_trouble(directory.path(), 1000));
  CHECK(scratch_trouble(directory.path() / "none", 1000));
  CHECK(scratch_trouble(directory.path(), std::uint64_t{1} << 60));
  write_file(directory.path() / "file", "");
  CHECK(scratch_trouble(directory.path() / "file", 1000));
}

TEST_CASE("limits and encrypted content are not viruses", "[virus]") {
  struct Case {
    const char* signature;
    ScanVerdict verdict;
  };
  const Case cases[] = {
      {"Heuristics.Limits.Exceeded.MaxFiles", ScanVerdict::unscannable},
      {"Heuristics.Limits.Exceeded", ScanVerdict::unscannable},
      {"Heuristics.Encrypted.Zip", ScanVerdict::encrypted},
      {"Heuristics.OLE2.ContainsMacros", ScanVerdict::infected},
      {"Eicar-Test-Signature", ScanVerdict::infected},
      {"Evil.Heuristics.Limits.Exceeded", ScanVerdict::infected},
      {"", ScanVerdict::infected},
  };
  for (const Case& c : cases) {
    CAPTURE(c.signature);
    CHECK(classify(c.signature) == c.verdict);
  }
}

}  // namespace
}  // namespace mxfeed::virus
