// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/traps.h"

namespace mxfeed::greylist {
namespace {

// A domain answers for all of its servers, any other client for its own address.
std::string key_of(const Identities& who) {
  return who.best.kind == IdentityKind::domain ? "domain " + who.best.text : who.host;
}

}  // namespace

bool Traps::has(const Identities& who, Time now) const {
  return caught_.find(key_of(who), now);
}

void Traps::note_trap(const Identities& who, Time now) {
  caught_.set(key_of(who), true, now + kKept);
}

bool Traps::note_unknown(const Identities& who, Time now) {
  if (who.is_verified()) return false;
  unsigned number = 0;
  unknown_.change(who.host, now, now + kUnknownWindow,
                  [&](unsigned before) { return number = before + 1; });
  if (number != kMostUnknown) return false;
  note_trap(who, now);
  return true;
}

}  // namespace mxfeed::greylist
