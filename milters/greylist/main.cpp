// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/milter_program.h"
#include "milters/greylist/filter.h"
#include "milters/greylist/stores/guarded_store.h"

namespace mxfeed::greylist {
namespace {

class GreylistDaemon : public Daemon {
 public:
  explicit GreylistDaemon(const DaemonContext& context)
      : store_(context.data_directory), milter_(context.policy, store_) {
    on_reload();
  }

  Milter& milter() override { return milter_; }

  void on_reload() override {
    const auto policy = milter_.policy();
    const GatewayPolicy& gateway = policy->gateway();
    // Before the first `mxfeed apply` no domain is ours.
    if (gateway.generation > 0) store_.use(gateway.greylist.store);
  }

  void on_tick() override { store_.sweep(system_time()); }

  void describe(StatusSnapshot& snapshot) const override {
    snapshot.add("store", store_.url()).add("store_state", to_string(store_.state()));
  }

 private:
  GuardedStore store_;
  GreylistMilter milter_;
};

}  // namespace
}  // namespace mxfeed::greylist

int main(int argc, char** argv) {
  using namespace mxfeed;
  return run_milter(argc, argv,
                    {"greylist", [](const DaemonContext& context) {
                       return std::make_unique<greylist::GreylistDaemon>(context);
                     }});
}
