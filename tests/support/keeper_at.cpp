// SPDX-License-Identifier: GPL-2.0-or-later
//
// keeper_at CONFIG STATE POSTFIX_CONFIG CLOCK [ALLOW_EXPIRY]: `mxfeed keeper run` with a
// clock of the test's own.  CLOCK is "NOW SINCE_BOOT BOOT_ID SYNCHRONISED": seconds since
// 1970, seconds, a word or "-" for the real one, yes or no.

#include <cstdio>
#include <exception>
#include <sstream>
#include <string>

#include "common/base/text.h"
#include "postfix-conf/commands/keeper.h"

int main(int argc, char** argv) {
  using namespace mxfeed;
  if (argc < 5) {
    std::fputs("usage: keeper_at CONFIG STATE POSTFIX_CONFIG CLOCK [ALLOW_EXPIRY]\n",
               stderr);
    return 2;
  }
  try {
    std::istringstream words(argv[4]);
    std::int64_t now = 0;
    std::int64_t since_boot = 0;
    HostClock clock;
    std::string is_synchronised;
    words >> now >> since_boot >> clock.boot_id >> is_synchronised;
    clock.now = Time(std::chrono::seconds(now));
    clock.since_boot = std::chrono::seconds(since_boot);
    if (clock.boot_id == "-") clock.boot_id = read_boot_id();
    clock.is_synchronised = is_synchronised == "yes";
    KeeperOptions options;
    options.config = argv[1];
    options.state = argv[2];
    options.postfix_config = argv[3];
    if (argc > 5) options.allow_expiry = parse_unsigned(argv[5]).value_or(0);
    return static_cast<int>(run_keeper(options, clock));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
