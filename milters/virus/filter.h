// SPDX-License-Identifier: GPL-2.0-or-later
//
// The virus milter: collects each message, has it scanned, and keeps recipients of
// different content policies apart (gate.h).

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/milter/filter.h"
#include "common/policy/policy_db.h"
#include "milters/virus/deadly_messages.h"
#include "milters/virus/protocol/client.h"
#include "milters/virus/protocol/message_file.h"
#include "milters/virus/put_off.h"

namespace mxfeed::virus {

class VirusMilter : public Milter {
 public:
  // `policy` outlives the milter; `scan_socket` is the socket of mxfeed-scan; large
  // messages may use `budget` bytes of memory together.
  VirusMilter(const LivePolicy& policy, std::filesystem::path scan_socket, Clock clock,
              std::uint64_t budget = MemoryBudget::default_size());

  Needs needs() const override;
  std::unique_ptr<mxfeed::Connection> connect(const Client&) override;

  const ScanClient& scanner() const { return scanner_; }
  const LivePolicy& policy() const { return policy_; }
  Time now() const { return clock_(); }
  MemoryBudget& budget() { return budget_; }
  PutOff& put_off() { return put_off_; }
  DeadlyMessages& deadly() { return deadly_; }

 private:
  const LivePolicy& policy_;
  const ScanClient scanner_;
  const Clock clock_;
  MemoryBudget budget_;
  PutOff put_off_;
  DeadlyMessages deadly_;
};

}  // namespace mxfeed::virus
