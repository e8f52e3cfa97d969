// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/domain_policy.h"
#include "milters/virus/scan/engine_clamav.h"
#include "tests/bench/scan_engine.h"

namespace mxfeed::virus {
namespace {

GatewayPolicy::Virus settings(const std::string& database) {
  GatewayPolicy::Virus settings;
  settings.database = database;
  return settings;
}

class OwnEngine : public Scanner {
 public:
  explicit OwnEngine(const std::string& database)
      : engine_(settings(database), "/dev/shm", [] {}) {}
  void scan(const std::string& mail) override { engine_.scan(mail); }

 private:
  Engine engine_;
};

}  // namespace

std::unique_ptr<Scanner> make_scanner(const std::string& database) {
  return std::make_unique<OwnEngine>(database);
}

}  // namespace mxfeed::virus
