// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/sockets.h"

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/postfix-conf/postfix/attach/site.h"

namespace mxfeed {
namespace {

constexpr uid_t kPostfix = 101;
constexpr gid_t kGroup = 102;
constexpr gid_t kOther = 103;

struct AccessCase {
  const char* name;
  Access directory;
  Access socket;
  bool may;
};

const AccessCase kAccess[] = {
    {"of the group, as the packages make it", {0, kGroup, 0750}, {0, kGroup, 0660}, true},
    {"of another group", {0, kGroup, 0750}, {0, kOther, 0660}, false},
    {"of another user only", {0, 0, 0755}, {0, 0, 0600}, false},
    {"for everybody", {0, 0, 0755}, {0, 0, 0666}, true},
    {"its own", {0, 0, 0755}, {kPostfix, kOther, 0600}, true},
    {"its own, but not to write", {0, 0, 0755}, {kPostfix, kGroup, 0466}, false},
    {"of the group, but not to write", {0, 0, 0755}, {0, kGroup, 0646}, false},
    {"in a directory of others", {0, kOther, 0750}, {0, kGroup, 0660}, false},
    {"in a directory that may be read only", {0, kGroup, 0740}, {0, kGroup, 0660}, false},
};

TEST_CASE("whether the user of Postfix may connect to a socket", "[attach]") {
  const ProcessUser user{kPostfix, {kGroup}};
  for (const auto& c : kAccess) {
    DYNAMIC_SECTION(c.name) {
      CHECK(may_connect(user, {c.directory, {0, 0, 0755}}, c.socket) == c.may);
      CHECK(may_connect({0, {0}}, {c.directory}, c.socket));
    }
  }
  CHECK_FALSE(may_connect(user, {{0, 0, 0755}, {0, 0, 0700}}, {0, 0, 0666}));
}

TEST_CASE("a socket that is missing cannot be used", "[attach]") {
  const TempDirectory directory;
  auto settings = test::site();
  settings.main["queue_directory"] = directory.path().string();
  const auto found = unusable_sockets(settings, test::needs());
  REQUIRE(found.size() == 2);
  CHECK_FALSE(is_scanner(found[0].milter));
  CHECK(is_scanner(found[1].milter));
  CHECK(found[1].text ==
        (directory.path() / "mxfeed/virus.sock").string() + ": no socket there");
}

}  // namespace
}  // namespace mxfeed
