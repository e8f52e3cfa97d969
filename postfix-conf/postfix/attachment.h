// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether a Postfix does what a generation needs: whether it is attached, and its
// dangers.  Pure, except read_needs().

#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

// What a generation needs of Postfix.
struct PostfixNeeds {
  std::vector<std::pair<std::string, std::string>> main_cf;  // name, value
  std::vector<std::string> master_cf;                        // lines
};

// The files main.cf and master.cf of a generation's directory.  Throws Fault.
PostfixNeeds read_needs(const std::filesystem::path& generation);

enum class Danger {
  unscanned,
  open_relay,
  unsupported_map,
  differs,  // a service does not do what main.cf says
};

struct Finding {
  Danger danger;
  std::string text;  // place and cause
};

struct Attachment {
  // It accepts mail for our domains, so any difference may be dangerous.
  bool takes_mail = false;
  std::vector<Finding> findings;
  // The parameters of main.cf and the services that differ from the needs.
  std::vector<std::string> differing;
};

// Without needs (there is no generation), only looks for an open relay.
Attachment examine(const PostfixSettings& settings, const PostfixNeeds& needs);

}  // namespace mxfeed
