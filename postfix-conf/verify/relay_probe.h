// SPDX-License-Identifier: GPL-2.0-or-later
//
// The ways in which a server may be asked to relay for a stranger.  Pure.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mxfeed {

struct RelayProbe {
  std::string sender;     // of MAIL FROM, in angle brackets
  std::string recipient;  // of RCPT TO, in angle brackets
  // A recipient of the same form that nobody has and that leads nowhere else: if it is
  // accepted too, the server takes any recipient of that form as its own, and the probe
  // tells nothing.  Empty if the recipient's domain is foreign: then it must be refused.
  std::string control;
};

struct RelayNames {
  std::string domain;   // that the server has
  std::string foreign;  // that it must not relay to
  std::string address;  // the server's, as text
  std::string unknown;  // a local part that nobody has
};

std::vector<RelayProbe> relay_probes(const RelayNames& names);

}  // namespace mxfeed
