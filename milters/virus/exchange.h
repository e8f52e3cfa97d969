// SPDX-License-Identifier: GPL-2.0-or-later
//
// Who gets a message that some of its recipients want held: a pure function.  Each
// recipient that wants it held is exchanged for an address of the quarantine, and so is
// one that wants it rejected: a message cannot be rejected for some.  One that wants it
// deleted is removed.  Nobody is left who would get it.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/mail/held_address.h"
#include "milters/virus/joint_policy.h"
#include "milters/virus/protocol/wire.h"

namespace mxfeed::virus {

struct Exchange {
  std::vector<std::string> removed;  // all recipients, as they are known to Postfix
  std::vector<HeldAddress> held;     // those that are held
};

// `kind`, `reason` and `token` are those of the addresses.  Nothing if a recipient cannot
// be exchanged (is_exchangeable()).
[[nodiscard]] std::optional<Exchange> exchange_recipients(
    const std::vector<WantedFor>& recipients, ScanVerdict verdict, HeldKind kind,
    const std::string& reason, const std::string& token);

}  // namespace mxfeed::virus
