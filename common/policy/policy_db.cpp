// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/policy_db.h"

#include <utility>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMaxDomain = 253;
constexpr const char* kFile = "policy.cdb";

DomainPolicy decoded(std::string_view key, std::string_view value) {
  auto policy = decode_domain_policy(value);
  if (!policy) throw Fault("read policy", escape_untrusted(key), "damaged entry");
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
  if (!domain.empty() && domain.back() == '.') domain.remove_suffix(1);
  if (!db_ || domain.empty() || domain.size() > kMaxDomain) return std::nullopt;
  const std::string name = ascii_lower(domain);
  bool below = false;  // is `key` a parent?
  for (std::string_view key = name;; below = true) {
    if (const auto value = is_special(key) ? std::nullopt : db_->find(key)) {
      auto policy = decoded(key, *value);
      if (!below || policy.subdomains) return policy;
    }
    const auto dot = key.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    key.remove_prefix(dot + 1);
  }
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
