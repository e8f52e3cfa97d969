// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether a Postfix is attached, and what is dangerous about its settings.  Pure.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/postfix/attach/plan.h"
#include "postfix-conf/postfix/attach/survey.h"

namespace mxfeed {

enum class Danger {
  unscanned,
  open_relay,
  unsupported_map,
  differs,
};

struct FoundDanger {
  Danger danger;
  std::string text;  // place and cause
};

struct Attachment {
  AttachState state = AttachState::detached;
  std::vector<FoundDanger> findings;
  // The parameters and services that attach would change, "main.cf: transport_maps".
  std::vector<std::string> differing;

  // Whether it accepts mail for our domains, so that other findings are dangers.
  bool accepts_mail() const { return state == AttachState::accepting; }
};

// "attached", "detached", "detaching", "partly attached" or "drifted".
std::string_view to_string(const Attachment& attachment);

// With empty needs, when there is no generation, looks for an open relay only.
Attachment examine(const Survey& survey, const PostfixNeeds& needs);

}  // namespace mxfeed
