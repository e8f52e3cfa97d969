// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/lists.h"

#include <utility>

namespace mxfeed::greylist {
namespace {

struct Lists {
  const SenderList& allow;
  const SenderList& deny;
};

}  // namespace

std::string_view to_string(Ruling ruling) {
  switch (ruling) {
    case Ruling::none:
      return "none";
    case Ruling::allowed:
      return "allow";
    case Ruling::denied:
      return "deny";
  }
  return "none";
}

bool have_lists(const GreylistPolicy& domain, const GatewayPolicy::Greylist& gateway) {
  return !domain.allow.empty() || !domain.deny.empty() || !gateway.allow.empty() ||
         !gateway.deny.empty();
}

Listed look_up(const GreylistPolicy& domain, const GatewayPolicy::Greylist& gateway,
               const SenderFacts& facts, const std::function<bool()>& is_confirmed) {
  const Lists both[] = {{domain.allow, domain.deny}, {gateway.allow, gateway.deny}};
  for (const Lists& lists : both) {
    const bool by_domain = &lists == &both[0];
    if (auto entry = lists.allow.find(facts, is_confirmed)) {
      return {Ruling::allowed, std::move(entry), by_domain};
    }
    if (auto entry = lists.deny.find(facts, is_confirmed)) {
      return {Ruling::denied, std::move(entry), by_domain};
    }
  }
  return {};
}

}  // namespace mxfeed::greylist
