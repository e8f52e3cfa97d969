// SPDX-License-Identifier: GPL-2.0-or-later
//
// The file "domains.tsv" of a generation: what it hosts, a line for each domain.  The
// first line names the columns, which are its tags: their order does not matter, missing
// ones have their defaults, and unknown ones are kept.  A column never gets another
// meaning.  A new value of a column of words needs a new column, since an older program
// treats an unknown value as damage.

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

// Throws a Fault that names the file `source` if the text is damaged.  Also reads files
// of version 0.1.0: columns `state` and `subdomains` for `own` and `below`.
HostedTable parse_table(std::string_view text, std::string_view source);

}  // namespace mxfeed
