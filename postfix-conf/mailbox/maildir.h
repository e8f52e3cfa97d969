// SPDX-License-Identifier: GPL-2.0-or-later
//
// The files of the inboxes of a domain, as Dovecot names them (maildir).  Their owner is
// not root: what is there may be a link, or gone a moment later.

#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace mxfeed {

struct MailFile {
  std::string user;
  std::filesystem::path path;

  // Without the flags, which change when the message is read.
  std::string name() const;
};

// Calls `see` for each file until it returns false; `mailboxes` is the directory of the
// domain, which may be missing.
void each_mail(const std::filesystem::path& mailboxes,
               const std::function<bool(const MailFile& file)>& see);

}  // namespace mxfeed
