// SPDX-License-Identifier: GPL-2.0-or-later
//
// What Dovecot needs to serve the mailboxes: one file of its conf.d.  Pure.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace mxfeed {

// In the directory of dovecot.conf.  Ours comes before the site's own logins, which may
// be slow to refuse an address of ours.
inline constexpr const char* kDovecotFile = "conf.d/05-mxfeed.conf";

struct DovecotNeeds {
  std::filesystem::path state;            // --state
  std::filesystem::path queue_directory;  // Postfix's
  std::uint32_t uid = 0, gid = 0;         // the owner of the mailboxes
};

// For the version that `dovecot --version` prints: 2.3, or 2.4 and later, whose settings
// have other names.  Empty if the version is older.
std::string dovecot_conf(std::string_view version, const DovecotNeeds& needs);

}  // namespace mxfeed
