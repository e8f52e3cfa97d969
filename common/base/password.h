// SPDX-License-Identifier: GPL-2.0-or-later
//
// Passwords for people: made at random, and stored as hashes.

#pragma once

#include <string>
#include <string_view>

namespace mxfeed {

// 16 letters and digits that cannot be mistaken for one another, 4 by 4 with "-" between:
// 78 bits.
std::string random_password();

// "{ARGON2ID}$argon2id$...", as Dovecot reads it.  Takes 64 MiB and a tenth of a second.
// Throws Fault if there is not the memory.
std::string password_hash(std::string_view password);

}  // namespace mxfeed
