// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the replies of lists mean.  Pure.

#pragma once

#include <string>
#include <vector>

#include "milters/spam/evidence/evidence.h"
#include "milters/spam/lists/list_desk.h"

namespace mxfeed::spam {

// Lists copy from one another, so of those of one kind only the one with the most weight
// counts, for spam and for ham.
std::vector<Evidence> evidence_of(const std::vector<ListReply>& replies);

// What is listed, for the log: "7.100.51.198.zen.example, shop.example.uri.example".
std::string listed_names(const std::vector<ListReply>& replies);

}  // namespace mxfeed::spam
