// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/asked_domain.h"

#include <fmt/format.h>

#include <cstdio>
#include <string_view>
#include <utility>

#include "common/base/text.h"
#include "common/mail/address.h"
#include "postfix-conf/commands/domain_source.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {
namespace {

// The domain, or the nearest parent that includes its subdomains.
const DomainConfig* find_effective(const Config& config, std::string_view name) {
  if (const auto* const own = config.find(name)) return own;
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    name.remove_prefix(dot + 1);
    const auto* const parent = config.find(name);
    if (parent != nullptr && parent->settings->policy.subdomains) return parent;
  }
  return nullptr;
}

// What the generation in force does with a domain that is not configured; empty if it
// does not know the domain.
std::string formerly(const std::filesystem::path& state, const std::string& name) {
  const Generations generations(state);
  const auto current = generations.number_of(Generations::kCurrent);
  if (!current) return {};
  const Generated generated = generations.load(*current);
  if (generated.find(name) == nullptr) return {};
  return relays(generated, name)
             ? fmt::format(
                   "no longer configured; generation {} relays it until the next "
                   "mxfeed apply",
                   *current)
             : fmt::format(
                   "removed; generation {} keeps its mail until its queue is empty",
                   *current);
}

}  // namespace

std::optional<AskedDomain> ask_domain(const std::filesystem::path& directory,
                                      const std::filesystem::path& state,
                                      const std::string& name) {
  const auto wanted = Domain::parse(name);
  if (!wanted) {
    fmt::print(stderr, "\"{}\" is not a domain name\n", escape_untrusted(name));
    return std::nullopt;
  }
  AskedDomain asked{load_config_shown(directory, kept_rows(state)), nullptr};
  if (!asked.config.errors.empty()) {
    print_problems(asked.config);
    return std::nullopt;
  }
  asked.domain = find_effective(asked.config, wanted->str());
  if (asked.domain == nullptr) {
    const auto before = formerly(state, wanted->str());
    fmt::print(stderr, "{}: {}\n", wanted->str(),
               before.empty() ? "not configured" : before);
    return std::nullopt;
  }
  return asked;
}

}  // namespace mxfeed
