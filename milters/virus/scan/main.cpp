// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>

#include <cstdio>
#include <cstring>

#include "common/base/log.h"
#include "milters/virus/scan/supervisor.h"
#include "milters/virus/scan/zygote.h"

namespace {

constexpr const char kUsage[] =
    "usage: mxfeed-scan [--socket unix:PATH] [--state DIR] [--tmpdir DIR] "
    "[--foreground]\n";

// Nothing if the command line is wrong; `help` is set if it asks for that.
bool parse(int argc, char** argv, mxfeed::virus::SupervisorOptions& options, bool& help) {
  const option known[] = {{"socket", required_argument, nullptr, 's'},
                          {"state", required_argument, nullptr, 'd'},
                          {"tmpdir", required_argument, nullptr, 't'},
                          {"foreground", no_argument, nullptr, 'f'},
                          {"help", no_argument, nullptr, 'h'},
                          {nullptr, 0, nullptr, 0}};
  for (int found; (found = ::getopt_long(argc, argv, "", known, nullptr)) != -1;) {
    switch (found) {
      case 's':
        if (std::strncmp(optarg, "unix:", 5) != 0) return false;
        options.socket = optarg + 5;
        break;
      case 'd':
        options.state = optarg;
        break;
      case 't':
        options.scratch = optarg;
        break;
      case 'f':
        break;  // it never leaves the foreground
      case 'h':
        help = true;
        break;
      default:
        return false;
    }
  }
  return optind == argc;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--zygote") == 0) {
    return mxfeed::virus::run_zygote_command(argc, argv);
  }
  mxfeed::virus::SupervisorOptions options;
  bool help = false;
  if (!parse(argc, argv, options, help)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  mxfeed::set_log_name("mxfeed-scan");
  try {
    return mxfeed::virus::supervise(options);
  } catch (const std::exception& error) {
    mxfeed::log(mxfeed::Severity::error, error.what());
    return 1;
  }
}
