// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "milters/virus/scan/database.h"
#include "milters/virus/scan/engine_clamav.h"
#include "milters/virus/scan/scratch.h"
#include "tests/support/catch.h"
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
  const fs::path chosen = prepare_scratch(asked, directory.path());
  CHECK(chosen.parent_path() == asked);
  CHECK((fs::status(chosen).permissions() & fs::perms::all) == fs::perms::owner_all);
  const fs::path own = chosen / std::to_string(::getpid());
  fs::create_directories(chosen / "old" / "deep");
  fs::create_directories(own);
  CHECK(prepare_scratch(asked, directory.path()) == chosen);
  CHECK_FALSE(fs::exists(chosen / "old"));
  // Of a living process: its scan would find everything clean without it.
  CHECK(fs::exists(own));
  fs::create_directory(chosen / "rest");
  discard_scratch(chosen);
  CHECK_FALSE(fs::exists(chosen / "rest"));
  CHECK(fs::exists(own));
  remove_scratch(chosen, ::getpid());
  CHECK_FALSE(fs::exists(own));
  discard_scratch(chosen);
  CHECK_FALSE(fs::exists(chosen));
}

TEST_CASE("what else is in the directory asked for is left alone", "[virus]") {
  const TempDirectory directory;
  const fs::path asked = directory.path() / "shared";
  fs::create_directories(asked / "others");
  write_file(asked / "file", "x");
  const auto mode = fs::status(asked).permissions();
  const fs::path chosen = prepare_scratch(asked, directory.path());
  CHECK(fs::exists(asked / "others"));
  CHECK(fs::exists(asked / "file"));
  CHECK(fs::status(asked).permissions() == mode);
  discard_scratch(chosen);
  CHECK(fs::exists(asked / "file"));
}

TEST_CASE("scratch space that is a file or a link is refused", "[virus]") {
  const TempDirectory directory;
  const fs::path asked = directory.path() / "shared";
  const fs::path chosen = prepare_scratch(asked, directory.path());
  fs::remove(chosen);
  write_file(chosen, "");
  CHECK_THROWS_AS(prepare_scratch(asked, directory.path()), Fault);
  fs::remove(chosen);
  fs::create_directory_symlink(directory.path(), chosen);
  CHECK_THROWS_AS(prepare_scratch(asked, directory.path()), Fault);
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
