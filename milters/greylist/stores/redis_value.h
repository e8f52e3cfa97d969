// SPDX-License-Identifier: GPL-2.0-or-later
//
// A record as a value in Redis, where others may have written, too:
//   1 ABOUT KIND SECOND FIRST LAST EXPIRES PASSES
//   IDENTITY
//   DOMAIN
// Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "milters/greylist/decision.h"
#include "milters/greylist/key.h"

namespace mxfeed::greylist {

struct StoredRecord {
  Key key;  // without a digest
  Record record;
};

std::string encode_record(const Key& key, const Record& record);
// Nothing if it is no such value.
std::optional<StoredRecord> decode_record(std::string_view value);

}  // namespace mxfeed::greylist
