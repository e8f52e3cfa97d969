// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/answering_servers.h"

#include "common/base/file.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

using std::chrono::seconds;

TEST_CASE("domains survive storage", "[policy]") {
  const DomainNames domains = {"acme.example", "other.example"};
  CHECK(parse_answering_servers(render_answering_servers(domains)) == domains);
  CHECK(parse_answering_servers(render_answering_servers({})).empty());
  CHECK(parse_answering_servers("\n\nacme.example") == DomainNames{"acme.example"});
}

TEST_CASE("a server answers for as long as the keeper says so", "[policy]") {
  const TempDirectory directory;
  const auto file = directory.path() / "answering";
  const auto start = system_time();
  const AnsweringServers servers(file);
  CHECK_FALSE(servers.contains("acme.example", start));
  write_file(file, "acme.example\n");
  CHECK(servers.contains("acme.example", start + seconds(1)));
  CHECK_FALSE(servers.contains("other.example", start + seconds(1)));
  CHECK_FALSE(
      servers.contains("acme.example", start + AnsweringServers::kFresh + seconds(60)));
  const auto written = std::filesystem::last_write_time(file);
  std::filesystem::remove(file);
  CHECK_FALSE(servers.contains("acme.example", start + seconds(2)));
  write_file(file, "acme.example\n");
  std::filesystem::last_write_time(file, written);
  CHECK(servers.contains("acme.example", start + seconds(3)));
}

}  // namespace
}  // namespace mxfeed
