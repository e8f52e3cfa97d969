// SPDX-License-Identifier: GPL-2.0-or-later
//
// What it means that lists have the sender or the links of a message.  Pure.

#pragma once

#include <string>
#include <vector>

#include "milters/spam/evidence/evidence.h"
#include "milters/spam/lists/list_desk.h"

namespace mxfeed::spam {

// Lists copy from one another, so of those of one kind only the one with the most weight
// counts, for spam and for ham.
std::vector<Evidence> evidence_of(const std::vector<Listed>& listed);

// "7.100.51.198.zen.example, shop.example.uri.example", for the log.
std::string to_string(const std::vector<Listed>& listed);

}  // namespace mxfeed::spam
