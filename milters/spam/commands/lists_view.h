// SPDX-License-Identifier: GPL-2.0-or-later
//
// What DNS lists say now of a message that was received before.

#pragma once

#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/policy/domain_policy.h"
#include "milters/spam/evidence/evidence.h"
#include "milters/spam/evidence/message.h"
#include "milters/spam/lists/list_desk.h"

namespace mxfeed::spam {

struct ListsView {
  std::string note;  // why none was asked, or none of the client; empty: all were asked
  std::vector<ListReply> replies;
  std::vector<Evidence> evidence;
};

// Asks the lists of the gateway as the milter does, within lists_timeout: of the client
// and the sender that the header records, and of the links.  `gateway` must outlive what
// is returned.
ListsView ask_lists(const Message& message, const GatewayPolicy& gateway, ListDesk& desk);

// The same, by the name servers of /etc/resolv.conf, if they may be asked.
ListsView ask_lists(const Message& message, const GatewayPolicy& gateway);

// A line for each reply, and one for the note.
std::string lines_of(const ListsView& lists);
// The replies as a list.
Json json_of(const ListsView& lists);

}  // namespace mxfeed::spam
