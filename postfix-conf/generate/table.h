// SPDX-License-Identifier: GPL-2.0-or-later
//
// The file "domains.tsv" of a generation: what it hosts, a line for each domain.  The
// first line names the columns, which are its tags: their order does not matter, those
// that are missing have their defaults, and those that this version does not know are
// kept.  A column is never given another meaning; a new value of `service`, `own` or
// `below` needs a new column, since an older program takes a value that it does not know
// for damage.

#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/generate/rows.h"

namespace mxfeed {

struct HostedTable {
  std::vector<Hosted> hosted;  // the policies are not in it
  std::map<std::string, UnknownFields, std::less<>> unknown;
};

// Calls `piece` with the text in pieces.
void render_table(const Generated& generated,
                  const std::function<void(std::string_view piece)>& piece);

// Throws Fault, of the file that `source` names, if the text is damaged.  Reads what
// version 0.1.0 wrote too: columns `state` and `subdomains` for `own` and `below`.
HostedTable parse_table(std::string_view text, std::string_view source);

}  // namespace mxfeed
