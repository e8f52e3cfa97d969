// SPDX-License-Identifier: GPL-2.0-or-later
//
// Asks a customer's server who it is, and whether it takes mail for a recipient, without
// sending any.

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/net/smtp_client.h"
#include "postfix-conf/queue/recovery.h"

namespace mxfeed {

struct ServerQuestion {
  smtp::Target target;
  std::string helo;                     // our name
  std::vector<std::string> recipients;  // one of them must be accepted; if empty, none
  std::chrono::seconds patience{10};    // for all of it
};

struct ServerAnswer {
  ServerFinding finding;  // without the name of the server
  std::string said;       // the last reply, or why there was none; escaped
};

// Never throws; ends within the patience.
ServerAnswer ask_server(const ServerQuestion& question);

}  // namespace mxfeed
