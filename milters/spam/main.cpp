// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/milter/milter_program.h"
#include "common/net/resolver.h"
#include "common/net/spf_checks.h"
#include "milters/spam/filter.h"
#include "milters/spam/lists/own_resolver.h"
#include "milters/spam/model/live_model.h"
#include "milters/spam/model/trainer.h"

namespace {

// Operators of lists do not answer what comes through a public resolver.
mxfeed::spam::ListDesk::Ask ask_lists_by(mxfeed::dns::Resolver& resolver) {
  const auto conf = mxfeed::read_file("/etc/resolv.conf");
  const std::string obstacle = mxfeed::spam::why_not_asked(conf.value_or(""));
  if (obstacle.empty()) return mxfeed::spam::asking(resolver);
  mxfeed::log(mxfeed::Severity::notice,
              mxfeed::LogFields()
                  .add("event", "lists")
                  .add("note", "DNS lists are not asked: " + obstacle));
  return nullptr;
}

class SpamDaemon : public mxfeed::Daemon {
 public:
  explicit SpamDaemon(const mxfeed::DaemonContext& context)
      : answering_(mxfeed::answering_servers_path(context.state)),
        model_(mxfeed::spam::model_file(context.state)),
        milter_([&policy = context.policy] { return policy.get(); }, mxfeed::system_time,
                all_sources(), checks_, answering_, lists_,
                [this] { return model_.combiner(); }) {}

  mxfeed::Milter& milter() override { return milter_; }
  void on_tick() override {
    model_.refresh();
    model_.update_metrics(mxfeed::system_time());
  }

 private:
  mxfeed::spam::Sources all_sources() const {
    mxfeed::spam::Sources all = mxfeed::spam::sources();
    all.push_back(std::make_unique<mxfeed::spam::ModelSource>(model_));
    return all;
  }

  mxfeed::dns::Resolver resolver_{{}};
  mxfeed::spf::Checks checks_{resolver_};
  mxfeed::AnsweringServers answering_;
  mxfeed::spam::ListDesk lists_{ask_lists_by(resolver_)};
  mxfeed::spam::LiveModel model_;
  mxfeed::spam::SpamMilter milter_;
};

}  // namespace

int main(int argc, char** argv) {
  return mxfeed::run_milter(argc, argv,
                            {"spam", [](const mxfeed::DaemonContext& context) {
                               return std::make_unique<SpamDaemon>(context);
                             }});
}
