// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <filesystem>
#include <utility>

#include "common/base/fault.h"
#include "common/milter/milter_program.h"
#include "common/net/resolver.h"
#include "common/net/spf_checks.h"
#include "common/program/redis_options.h"
#include "milters/greylist/filter.h"
#include "milters/greylist/stores/guarded_store.h"
#include "milters/greylist/stores/redis.h"
#include "milters/greylist/stores/shared_store.h"

namespace mxfeed::greylist {
namespace {

// Of the host's own, beside Redis.
constexpr const char* kOwnStore = "greylist.db";
constexpr std::chrono::milliseconds kRedisBudget{300};

class GreylistDaemon : public Daemon {
 public:
  explicit GreylistDaemon(const DaemonContext& context)
      : data_(context.data_directory),
        store_(context.data_directory),
        milter_(
            context.policy, store_, checks_,
            [this](spf::Checks::Instant deadline) {
              return std::make_unique<dns::Resolver::Deadlined>(resolver_, deadline);
            },
            system_time,
            [this](const dns::Question& question, BlockLists::Instant deadline) {
              return resolver_.ask_async(question, deadline);
            }) {
    on_reload();
  }

  Milter& milter() override { return milter_; }

  void on_reload() override {
    const auto policy = milter_.policy();
    const GatewayPolicy& gateway = policy->gateway();
    // Before the first `mxfeed apply` no domain is ours.
    if (gateway.generation == 0) return;
    if (gateway.greylist.store == kRedisStore) {
      use_redis(gateway);
    } else {
      store_.use(gateway.greylist.store);
    }
  }

  void on_tick() override { store_.sweep(system_time()); }

  void describe(StatusSnapshot& snapshot) const override {
    snapshot.add("store", store_.url()).add("store_state", to_string(store_.state()));
  }

 private:
  void use_redis(const GatewayPolicy& gateway) {
    const auto options = redis_options(gateway.redis);
    if (!options) {
      throw Fault("use greylist store", "redis", "no server is configured");
    }
    const bool falls_back = gateway.greylist.fallback;
    store_.use(
        fmt::format("redis:{} {} {} {} {} {} {}", fmt::join(gateway.redis.servers, ","),
                    to_string(gateway.redis.type), gateway.redis.master,
                    gateway.redis.user, gateway.redis.password_file, gateway.redis.prefix,
                    falls_back),
        [options = *options, prefix = gateway.redis.prefix, falls_back,
         own = data_ / kOwnStore] {
          auto shared = open_redis_store(options, prefix);
          return falls_back ? share_store(std::move(shared), open_sqlite_store(own))
                            : std::move(shared);
        },
        kRedisBudget);
  }

  const std::filesystem::path data_;
  GuardedStore store_;
  dns::Resolver resolver_{{}};
  spf::Checks checks_{resolver_};
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
