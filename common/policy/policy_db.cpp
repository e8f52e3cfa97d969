// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/policy_db.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/mail/address.h"

namespace mxfeed {
namespace {

// A domain in A-labels has 253 octets at most (RFC 1035, 2.3.4); one octet of Punycode
// (RFC 3492) is at most one character, four octets of UTF-8.
constexpr std::size_t kMaxKey = std::size_t{4} * 253;
constexpr const char* kLink = "current";
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

// Whether there was a first `mxfeed apply`.
bool has_generations(const std::filesystem::path& state) {
  std::error_code error;
  const std::filesystem::directory_iterator all(state / "generations", error);
  return std::any_of(begin(all), end(all), [](const auto& entry) {
    return parse_unsigned(entry.path().filename().string()).has_value();
  });
}

Fault missing_link(const std::filesystem::path& state) {
  return Fault("open policy", (state / kLink).string(), "the link is missing");
}

}  // namespace

PolicyDb::PolicyDb() = default;

PolicyDb::PolicyDb(const Fault& unreadable) : fault_(unreadable) {}

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
  if (fault_) throw *fault_;
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

PolicyDb open_policy(const std::filesystem::path& state) {
  const auto target = read_link(state / kLink);
  if (!target && has_generations(state)) throw missing_link(state);
  return target ? PolicyDb(state / *target / kFile) : PolicyDb();
}

LivePolicy::LivePolicy(std::filesystem::path state) : state_(std::move(state)) {
  try {
    if (reload()) return;
    if (has_generations(state_)) throw missing_link(state_);
    db_ = std::make_shared<PolicyDb>();
  } catch (const Fault& fault) {
    db_ = std::make_shared<PolicyDb>(fault);
  }
}

std::shared_ptr<const PolicyDb> LivePolicy::get() const {
  const std::lock_guard lock(mutex_);
  return db_;
}

bool LivePolicy::reload() {
  const std::lock_guard one_at_a_time(reload_mutex_);
  const auto target = read_link(state_ / kLink);
  if (!target) {
    const bool was_applied = !target_.empty() || (db_ && db_->fault());
    if (was_applied) throw missing_link(state_);
    return false;
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
