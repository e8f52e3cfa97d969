// SPDX-License-Identifier: GPL-2.0-or-later
//
// The store that the configuration names, for a command.

#pragma once

#include <functional>
#include <string_view>

#include "common/command/command.h"
#include "common/policy/domain_policy.h"
#include "milters/greylist/key.h"
#include "milters/greylist/stores/store.h"

namespace mxfeed::greylist {

// Both open the store as the daemon's user.  Faults may be temporary: CommandError, "try
// again later".
void with_store(const Arguments& arguments, const GatewayPolicy& gateway,
                const std::function<void(StoreView&)>& work);
void with_writable_store(const Arguments& arguments, const GatewayPolicy& gateway,
                         const std::function<void(Store&)>& work);

// "waiting", "passed", "identity", "host" or "provider".
std::string_view state_of(About about);

}  // namespace mxfeed::greylist
