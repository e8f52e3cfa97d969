// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "common/base/fault.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

struct stat status_of(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status;
}

std::size_t entries(const std::filesystem::path& directory) {
  const std::filesystem::directory_iterator all(directory);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST_CASE("a created file never replaces anything", "[base]") {
  const TempDirectory directory;
  const auto path = directory.path() / "new";
  CHECK(create_file(path, "one", 0640));
  CHECK((status_of(path).st_mode & 07777) == 0640);
  CHECK_FALSE(create_file(path, "two"));
  CHECK(read_file(path) == "one");
  std::filesystem::create_symlink("nowhere", directory.path() / "link");
  CHECK_FALSE(create_file(directory.path() / "link", "two"));
  CHECK(read_link(directory.path() / "link") == "nowhere");
  CHECK(entries(directory.path()) == 2);
  CHECK_THROWS_AS(create_file(directory.path() / "none" / "new", "x"), Fault);
}

TEST_CASE("a rewritten file keeps its mode and owner", "[base]") {
  const TempDirectory directory;
  const auto path = directory.path() / "main.cf";
  write_file(path, "old", 0640);
  const bool root = ::geteuid() == 0;
  if (root) REQUIRE(::chown(path.c_str(), 12, 34) == 0);
  const auto before = status_of(path);
  write_file(path.string() + ".mxfeed-new", "left behind by a crash");
  rewrite_file(path, "new");
  const auto after = status_of(path);
  CHECK(read_file(path) == "new");
  CHECK(after.st_mode == before.st_mode);
  CHECK(after.st_uid == before.st_uid);
  CHECK(after.st_gid == before.st_gid);
  CHECK(after.st_ino != before.st_ino);
  CHECK(entries(directory.path()) == 1);
}

TEST_CASE("a rewritten file is the one that the link names", "[base]") {
  const TempDirectory directory;
  const auto real = directory.path() / "real";
  std::filesystem::create_directory(real);
  write_file(real / "main.cf", "old");
  std::filesystem::create_symlink("real/main.cf", directory.path() / "one");
  std::filesystem::create_symlink("one", directory.path() / "two");
  rewrite_file(directory.path() / "two", "new");
  CHECK(read_file(real / "main.cf") == "new");
  CHECK(read_link(directory.path() / "two") == "one");
  CHECK(read_link(directory.path() / "one") == "real/main.cf");
  CHECK(entries(directory.path()) == 3);
  CHECK(entries(real) == 1);
}

TEST_CASE("what is no file is not rewritten", "[base]") {
  const TempDirectory directory;
  CHECK_THROWS_AS(rewrite_file(directory.path() / "absent", "x"), Fault);
  CHECK_THROWS_AS(rewrite_file(directory.path(), "x"), Fault);
  std::filesystem::create_symlink("absent", directory.path() / "dangling");
  CHECK_THROWS_AS(rewrite_file(directory.path() / "dangling", "x"), Fault);
  CHECK(entries(directory.path()) == 1);
}

}  // namespace
}  // namespace mxfeed
