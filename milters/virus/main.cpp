// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstring>

#include "common/milter/milter_program.h"
#include "milters/virus/commands/commands.h"
#include "milters/virus/filter.h"

namespace {

class VirusDaemon : public mxfeed::Daemon {
 public:
  explicit VirusDaemon(const mxfeed::DaemonContext& context)
      : milter_(context.policy, context.state / "scan" / "scan.sock",
                mxfeed::system_time) {}
  mxfeed::Milter& milter() override { return milter_; }

 private:
  mxfeed::virus::VirusMilter milter_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "scan") == 0) {
    return mxfeed::virus::scan_command(argc - 1, argv + 1);
  }
  if (argc > 1 && std::strcmp(argv[1], "status") == 0) {
    return mxfeed::virus::status_command(argc - 1, argv + 1);
  }
  return mxfeed::run_milter(argc, argv,
                            {"virus", [](const mxfeed::DaemonContext& context) {
                               return std::make_unique<VirusDaemon>(context);
                             }});
}
