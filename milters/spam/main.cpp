// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/milter_program.h"
#include "common/net/resolver.h"
#include "common/net/spf_checks.h"
#include "milters/spam/filter.h"

namespace {

class SpamDaemon : public mxfeed::Daemon {
 public:
  explicit SpamDaemon(const mxfeed::DaemonContext& context)
      : answering_(mxfeed::answering_servers_path(context.state)),
        milter_([&policy = context.policy] { return policy.get(); }, mxfeed::system_time,
                mxfeed::spam::sources(), checks_, answering_) {}

  mxfeed::Milter& milter() override { return milter_; }

 private:
  mxfeed::dns::Resolver resolver_{{}};
  mxfeed::spf::Checks checks_{resolver_};
  mxfeed::AnsweringServers answering_;
  mxfeed::spam::SpamMilter milter_;
};

}  // namespace

int main(int argc, char** argv) {
  return mxfeed::run_milter(argc, argv,
                            {"spam", [](const mxfeed::DaemonContext& context) {
                               return std::make_unique<SpamDaemon>(context);
                             }});
}
