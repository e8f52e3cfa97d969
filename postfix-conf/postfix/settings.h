// SPDX-License-Identifier: GPL-2.0-or-later
//
// The settings of a Postfix: main.cf and master.cf as values, and how to read lists.

#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mxfeed {

using Parameters = std::map<std::string, std::string, std::less<>>;

// A line of master.cf.
struct PostfixService {
  std::string name;     // "smtp/inet"
  std::string command;  // "smtpd"
  Parameters options;   // -o

  // Whether it gets clients of port 25, directly or from postscreen(8).
  bool serves_port_25() const;
  // Whether it is smtpd(8), open to other hosts.
  bool serves_others() const;
  // Both: it is smtpd(8), and mail of strangers comes to it.
  bool serves_strangers() const { return serves_port_25() && serves_others(); }
};

struct PostfixSettings {
  std::filesystem::path config;  // the directory of main.cf
  Parameters main;               // from main.cf and the defaults, expanded
  std::vector<PostfixService> services;
  std::set<std::string, std::less<>> map_types;  // "cdb"

  // Empty if there is no such parameter.
  std::string_view parameter(std::string_view name) const;
  // The value for the service: its own, or that of main.cf.
  std::string_view parameter(const PostfixService& service, std::string_view name) const;
};

// The value without the blanks that do not matter in main.cf: at line breaks and commas.
std::string normalised(std::string_view value);

// "a, {b c}, d e" is "a", "{b c}", "d", "e".
std::vector<std::string_view> list_items(std::string_view list);

// An item of smtpd_milters.
struct MilterEntry {
  std::string endpoint;        // "unix:mxfeed/virus.sock"
  std::string default_action;  // if empty, milter_default_action applies
};
std::vector<MilterEntry> milters_in(std::string_view smtpd_milters);

}  // namespace mxfeed
