// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/settings/spam_lists.h"

namespace mxfeed {
namespace {

struct Row {
  std::string_view name;
  std::string_view list;
};

// What the answers mean is told by the operators' pages; a weight is about half of the
// points that filters with a limit of five give.
constexpr Row kRows[] = {
    {"dnswl", "client list.dnswl.org=127.0.[0..255].1 -0.5"},
    {"dnswl", "client list.dnswl.org=127.0.[0..255].2 -1.2"},
    {"dnswl", "client list.dnswl.org=127.0.[0..255].3 -2.5"},
    {"mailspike", "client bl.mailspike.net=127.0.0.[10..12] 1.2"},
    {"mailspike", "client bl.mailspike.net=127.0.0.2 1"},
    {"psbl", "client psbl.surriel.com=127.0.0.2 1.5"},
    {"spamcop", "client bl.spamcop.net=127.0.0.2 1.2"},
    {"spamhaus", "client zen.spamhaus.org=127.0.0.2 2"},
    {"spamhaus", "client zen.spamhaus.org=127.0.0.3 1.5"},
    {"spamhaus", "client zen.spamhaus.org=127.0.0.[4..7] 2"},
    {"spamhaus", "client zen.spamhaus.org=127.0.0.9 3.5"},
    {"spamhaus", "client zen.spamhaus.org=127.0.0.[10..11] 1.5"},
    {"spamhaus", "url dbl.spamhaus.org=127.0.1.[2..99] 3.2"},
    {"spamhaus", "url dbl.spamhaus.org=127.0.1.[102..199] 2"},
    {"spamhaus", "sender dbl.spamhaus.org=127.0.1.[2..99] 3.2"},
    {"surbl", "url multi.surbl.org=127.0.0.[8..254] 2.7"},
    {"uribl", "url multi.uribl.com=127.0.0.[2;6;10;14] 3"},
};

}  // namespace

std::vector<ScoredList> lists_of_operator(std::string_view name) {
  std::vector<ScoredList> lists;
  for (const Row& row : kRows) {
    if (row.name == name) lists.push_back(*ScoredList::parse(row.list));
  }
  return lists;
}

std::string known_operators() {
  std::string names;
  std::string_view last;
  for (const Row& row : kRows) {
    if (row.name == last) continue;
    last = row.name;
    if (!names.empty()) names += ", ";
    names += last;
  }
  return names;
}

}  // namespace mxfeed
