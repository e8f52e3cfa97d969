// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/policy_db.h"

#include <utility>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/mail/address.h"

namespace mxfeed {
namespace {

// A domain in A-labels has 253 octets at most (RFC 1035, 2.3.4); one octet of Punycode
// (RFC 3492) is at most one character, four octets of UTF-8.
constexpr std::size_t kMaxKey = std::size_t{4} * 253;
constexpr const char* kFile = "policy.cdb";

DomainPolicy decoded(std::string_view key, std::string_view value) {
  auto policy = decode_domain_policy(value);
  // The entry says whose it is: a damaged hash table leads to no other domain's policy.
  if (!policy || policy->name != (key == PolicyDb::kForeignKey ? "" : key)) {
    throw Fault("read policy", escape_untrusted(key), "damaged entry");
  }
  return *std::move(policy);
}

bool is_special(std::string_view key) {
  return key == PolicyDb::kForeignKey || key == PolicyDb::kGatewayKey;
}

}  // namespace

PolicyDb::PolicyDb() = default;

PolicyDb::PolicyDb(const std::filesystem::path& file) : db_(std::in_place, file) {
  const auto gateway = db_->find(kGatewayKey);
  auto policy = gateway ? decode_gateway_policy(*gateway) : std::nullopt;
  if (!policy) {
    throw Fault("open policy", file.string(),
                gateway ? "damaged gateway entry" : "no gateway entry");
  }
  gateway_ = *std::move(policy);
  const auto foreign = db_->find(kForeignKey);
  if (!foreign) throw Fault("open policy", file.string(), "no entry for other domains");
  foreign_ = decoded(kForeignKey, *foreign);
}

std::optional<DomainPolicy> PolicyDb::find_own(std::string_view domain) const {
  if (!db_) return std::nullopt;
  if (domain.ends_with('.')) domain.remove_suffix(1);
  const std::string name = ascii_lower(domain);
  bool below = false;  // is `key` a parent?
  for (std::string_view key = name;; below = true) {
    auto policy = entry(key);
    if (policy && (!below || policy->subdomains)) return policy;
    const auto dot = key.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    key.remove_prefix(dot + 1);
  }
}

std::optional<DomainPolicy> PolicyDb::entry(std::string_view key) const {
  if (key.empty() || key.size() > kMaxKey || is_special(key)) return std::nullopt;
  // The database has A-labels only.
  const auto named = is_ascii(key) ? std::nullopt : Domain::from_map_key(key);
  if (named) return entry(named->str());
  const auto value = db_->find(key);
  if (!value) return std::nullopt;
  return decoded(key, *value);
}

DomainPolicy PolicyDb::find(std::string_view domain) const {
  auto policy = find_own(domain);
  return policy ? *std::move(policy) : foreign_;
}

LivePolicy::LivePolicy(std::filesystem::path state) : state_(std::move(state)) {
  if (!reload()) db_ = std::make_shared<PolicyDb>();
}

std::shared_ptr<const PolicyDb> LivePolicy::get() const {
  const std::lock_guard lock(mutex_);
  return db_;
}

bool LivePolicy::reload() {
  const std::lock_guard one_at_a_time(reload_mutex_);
  const auto link = state_ / "current";
  const auto target = read_link(link);
  if (!target) {
    if (target_.empty()) return false;  // before the first `mxfeed apply`
    throw Fault("reload policy", link.string(), "the link is gone");
  }
  if (*target == target_) return false;
  // By the link's target, so that a swap in between cannot mix two generations.
  auto opened = std::make_shared<const PolicyDb>(state_ / *target / kFile);
  target_ = *target;
  const std::lock_guard lock(mutex_);
  db_ = std::move(opened);
  return true;
}

}  // namespace mxfeed
