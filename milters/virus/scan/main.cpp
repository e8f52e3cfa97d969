// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstring>

#include "milters/virus/scan/supervisor.h"
#include "milters/virus/scan/zygote.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--zygote") == 0) {
    return mxfeed::virus::run_zygote_command(argc, argv);
  }
  return mxfeed::virus::run_supervisor(argc, argv);
}
