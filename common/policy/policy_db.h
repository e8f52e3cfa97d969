// SPDX-License-Identifier: GPL-2.0-or-later
//
// policy.cdb, the compiled policy of all domains.  Keys: a domain in A-labels, "." for
// the policy of domains that are not ours, "=" for the GatewayPolicy.

#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/fault.h"
#include "common/policy/constdb.h"
#include "common/policy/domain_policy.h"

namespace mxfeed {

// One generation, opened; never changes.  Thread-safe.  Copies of the shared pointer keep
// it open while a transaction uses it.
class PolicyDb {
 public:
  static constexpr std::string_view kForeignKey = ".";
  static constexpr std::string_view kGatewayKey = "=";

  // Throws Fault if the file is missing, damaged or without the two special keys.
  explicit PolicyDb(const std::filesystem::path& file);
  // No domain of ours, defaults for everything else: before the first `mxfeed apply`.
  PolicyDb();
  // Stands for a policy that cannot be read: each look-up throws this Fault, gateway()
  // has the defaults.
  explicit PolicyDb(const Fault& unreadable);

  // Why there is no policy to look up in; nothing if there is one.
  const std::optional<Fault>& fault() const { return fault_; }

  const GatewayPolicy& gateway() const { return gateway_; }

  // The policy of the domain, or of the nearest parent that is for subdomains too; the
  // policy for domains that are not ours if there is none: always an answer.  Finds what
  // Postfix finds in its maps: any bytes are looked up, by one of Domain::map_keys() (any
  // ASCII case, final dot allowed).  Throws Fault if the entry is damaged.
  DomainPolicy find(std::string_view domain) const;
  // The same, but only our own domains.
  std::optional<DomainPolicy> find_own(std::string_view domain) const;

 private:
  std::optional<DomainPolicy> entry(std::string_view key) const;

  std::optional<ConstDb> db_;
  std::optional<Fault> fault_;
  GatewayPolicy gateway_;
  DomainPolicy foreign_;
};

// What <state>/current/policy.cdb is now, for a command.  Before the first `mxfeed apply`
// the empty policy of generation 0.  Throws Fault if it cannot be read.
PolicyDb open_policy(const std::filesystem::path& state);

// The policy in force for a daemon, which lives on without one.  Thread-safe.
class LivePolicy {
 public:
  // As open_policy(); but a policy that cannot be read is one with a fault().
  explicit LivePolicy(std::filesystem::path state);

  // Never null; constant cost.
  std::shared_ptr<const PolicyDb> get() const;

  // Opens what `current` points at now, if that is another generation than before or none
  // could be read; what get() gives stays if it cannot be read.  Returns whether it
  // changed; throws Fault.
  bool reload();

 private:
  const std::filesystem::path state_;
  std::mutex reload_mutex_;  // held while a generation is opened
  std::string target_;       // of the link, as last read; under reload_mutex_
  mutable std::mutex mutex_;
  std::shared_ptr<const PolicyDb> db_;  // under mutex_
};

}  // namespace mxfeed
