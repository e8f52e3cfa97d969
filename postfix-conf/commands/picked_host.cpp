// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/picked_host.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/init/local_host.h"

namespace mxfeed {

PickedHost pick_host(const Config& config, const std::string& selected,
                     const LocalHost& former) {
  const auto& hosts = config.gateway.hosts;
  const auto find = [&](const std::string& name) {
    const auto found =
        std::find_if(hosts.begin(), hosts.end(),
                     [&](const HostConfig& host) { return host.name == name; });
    return found != hosts.end() ? &*found : nullptr;
  };
  if (!selected.empty()) {
    const std::string name = ascii_lower(selected);
    if (const auto* const host = find(name)) return {host, {name, true}};
    throw Fault("pick host", name, "no [[host]] in mxfeed.toml has this name");
  }
  if (hosts.empty()) return {};
  const auto* const kept = find(former.name);
  if (kept != nullptr && former.is_selected) return {kept, former};
  if (former.is_selected) {
    complain(
        fmt::format("warning: no [[host]] in mxfeed.toml is named {}, which --host "
                    "has selected before",
                    escape_untrusted(former.name)));
  }
  const std::string name = ascii_lower(canonical_host_name());
  if (const auto* const host = find(name)) return {host, {name, false}};
  const std::string none = fmt::format("warning: no [[host]] in mxfeed.toml is named {}",
                                       escape_untrusted(name));
  if (kept != nullptr) {
    complain(fmt::format("{}; smtp_bind_address stays that of {}", none,
                         escape_untrusted(former.name)));
    return {kept, former};
  }
  complain(none + ", so smtp_bind_address is not set; --host NAME selects another name");
  return {};
}

}  // namespace mxfeed
