// SPDX-License-Identifier: GPL-2.0-or-later
//
// A record of another greylister.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/clock.h"
#include "common/mail/address.h"

namespace mxfeed::greylist {

enum class ForeignState : std::uint8_t {
  passed,   // a sender to a recipient
  waiting,  // the same, not yet let through
  host,     // a client for any sender
  domain,   // a client for senders of a domain, and any recipient
};

struct ForeignRecord {
  ForeignState state = ForeignState::passed;
  IpAddress client;       // or the first address of its network
  std::string sender;     // as the other one keeps it; empty for the null sender
  std::string recipient;  // of a pair only
  Time first_seen;
  Time last_seen;
  std::uint32_t passes = 0;
};

// What became of a record.
enum class Fate : std::uint8_t {
  taken,
  known,         // the store has as much or more
  expired,       // by the settings of the domain here
  other_domain,  // the recipient's domain is not configured
  altered,       // the sender was shortened: its next try would not be recognised
  no_recipient,  // the null sender is known by its recipient only
  hashed,        // by postgrey --privacy
  malformed,
};

// A line, or a row, of what the other one keeps.
using ForeignEntry = std::variant<ForeignRecord, Fate>;

// A number of seconds since 1970, or a date and time in UTC as databases print it;
// fractions of seconds are cut off.  Nothing if it is neither, or after the year 5000.
std::optional<Time> parse_stored_time(std::string_view text);

// In snake_case.
std::string_view to_string(ForeignState state);
std::string_view to_string(Fate fate);

}  // namespace mxfeed::greylist
