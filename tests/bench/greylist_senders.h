// SPDX-License-Identifier: GPL-2.0-or-later
//
// The senders of the benches of the greylist's stores.

#pragma once

#include <fmt/format.h>

#include <cstdint>

#include "milters/greylist/key.h"

namespace mxfeed::greylist {

// A sender of a network, as most rows are.
inline Keys keys_of_sender(std::uint64_t i) {
  const auto network =
      fmt::format("{}.{}.{}.0/24", 1 + i % 223, i / 223 % 256, i / 57'088 % 256);
  const Identities who{{IdentityKind::network, network},
                       {IdentityKind::network, network},
                       network.substr(0, network.size() - 4) + "7",
                       {}};
  return keys_of(
      who, fmt::format("sender{}@company{}.example", i, i % 100'000),
      {fmt::format("user{}", i % 1000), fmt::format("customer{}.example", i % 5000)},
      fmt::format("customer{}.example", i % 5000));
}

}  // namespace mxfeed::greylist
