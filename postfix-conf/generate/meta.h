// SPDX-License-Identifier: GPL-2.0-or-later
//
// The file "meta" of a generation: a line "name: value" for each field, in any order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "postfix-conf/generate/rows.h"
#include "postfix-conf/generate/site.h"

namespace mxfeed {

struct GenerationMeta {
  std::uint64_t number = 0;
  Time written;
  std::string config;          // digest of the configuration that it was made from
  std::uint64_t previous = 0;  // the one in force before; 0 if none
  std::uint64_t copy_of = 0;   // the one that it copies; 0 if it was compiled
  std::size_t domains = 0;     // relayed
  std::size_t removed = 0;     // kept until their queue is empty
  LocalHost local;
  Site site;
  PostfixUse use;
  // Its maps lead to the quarantine; those of early versions do not.
  bool has_quarantine_route = false;
  UnknownFields unknown;
};

std::string render(const GenerationMeta& meta);

// The number is required; other missing fields have their defaults.  Throws a Fault that
// names the file `source` if the text is damaged.
GenerationMeta parse_meta(std::string_view text, std::string_view source);

}  // namespace mxfeed
