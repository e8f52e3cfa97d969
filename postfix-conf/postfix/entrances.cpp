// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/entrances.h"

#include <algorithm>

namespace mxfeed {

bool gets_filters(const PostfixService& service, const PostfixUse& use) {
  const auto& named = use.services;
  if (named.empty()) return service.serves_strangers();
  return std::find(named.begin(), named.end(), service.name) != named.end();
}

}  // namespace mxfeed
