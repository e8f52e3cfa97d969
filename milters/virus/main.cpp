// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/milter_program.h"
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
  return mxfeed::run_milter(argc, argv,
                            {"virus", [](const mxfeed::DaemonContext& context) {
                               return std::make_unique<VirusDaemon>(context);
                             }});
}
