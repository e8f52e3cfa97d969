// SPDX-License-Identifier: GPL-2.0-or-later
//
// mxfeed-spam: the milter, and with "explain" or "evaluate" its sub-commands.

#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/milter/milter_program.h"
#include "milters/spam/commands/explain.h"
#include "milters/spam/filter.h"

namespace {

class SpamDaemon : public mxfeed::Daemon {
 public:
  explicit SpamDaemon(mxfeed::LivePolicy& policy)
      : milter_([&policy] { return policy.get(); }, mxfeed::system_time,
                mxfeed::spam::sources()) {}

  mxfeed::Milter& milter() override { return milter_; }

 private:
  mxfeed::spam::SpamMilter milter_;
};

constexpr int kUsage = 2;

// A sub-command; 0 or 1.
template <typename Run>
int print(const Run& run) {
  try {
    fmt::print("{}", run());
    return 0;
  } catch (const mxfeed::Fault& fault) {
    fmt::print(stderr, "{}\n", mxfeed::escape_untrusted(fault.what()));
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "explain") {
    if (argc != 3) {
      fmt::print(stderr, "usage: mxfeed-spam explain FILE\n");
      return kUsage;
    }
    return print([&] { return mxfeed::spam::explain(argv[2]); });
  }
  if (command == "evaluate") {
    if (argc < 3) {
      fmt::print(stderr, "usage: mxfeed-spam evaluate DIRECTORY...\n");
      return kUsage;
    }
    return print([&] { return mxfeed::spam::evaluate({argv + 2, argv + argc}); });
  }
  return mxfeed::run_milter(argc, argv,
                            {"spam", [](const mxfeed::DaemonContext& context) {
                               return std::make_unique<SpamDaemon>(context.policy);
                             }});
}
