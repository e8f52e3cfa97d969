// SPDX-License-Identifier: GPL-2.0-or-later
//
// A sender address without what changes from message to message.  Pure.

#pragma once

#include <string>
#include <string_view>

#include "common/mail/envelope.h"

namespace mxfeed::greylist {

// The address as it is in all tries of one message: in lower case, and without the tags
// that some servers make anew for each try:
//   BATV tags              prvs=0123456789=user       -> user
//   SRS hash and day       SRS0=AAAA=BB=org=user      -> srs0=org=user
// The null sender stays empty.
std::string sender_of_retries(std::string_view sender);

// The address as it is in all messages of one sender: besides, without
//   extensions             user+anything              -> user
//   the recipient (VERP)   bounces-r=acme.example     -> bounces-#
//   identifiers            bounce-4f6ab31c-0012       -> bounce-#-#
std::string normalised_sender(std::string_view sender, const Recipient& recipient);

}  // namespace mxfeed::greylist
