// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/mailbox/dovecot_conf.h"

#include <fmt/format.h>

#include "postfix-conf/generate/generation_files.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/mailbox/boxes.h"

namespace mxfeed {
namespace {

// The braces of Dovecot are doubled.
constexpr const char* kBegin =
    "# Written by mxfeed mailbox setup; changes are lost.\n"
    "#\n"
    "# The mailboxes of customers' domains, for an outage of their servers.  Logins and\n"
    "# mailboxes of other users stay as they are.\n";
// The address as it was given: the site may have the domain cut off it, as Debian 13 does
// for LMTP, and then the mailboxes of two domains would be one.
constexpr const char* kOld =
    "passdb {{\n"
    "  driver = passwd-file\n"
    "  args = username_format=%L{{orig_user}} {users}\n"
    "}}\n"
    "userdb {{\n"
    "  driver = passwd-file\n"
    "  args = username_format=%L{{orig_user}} {users}\n"
    "  default_fields = uid={uid} gid={gid} "
    "home={boxes}/%L{{orig_domain}}/%L{{orig_username}} mail=maildir:~/Maildir\n"
    "}}\n";
constexpr const char* kNew =
    "passdb mxfeed {{\n"
    "  auth_username_format = %{{original_user | lower}}\n"
    "  driver = passwd-file\n"
    "  passwd_file_path = {users}\n"
    "}}\n"
    "userdb mxfeed {{\n"
    "  auth_username_format = %{{original_user | lower}}\n"
    "  driver = passwd-file\n"
    "  passwd_file_path = {users}\n"
    "  fields {{\n"
    "    uid = {uid}\n"
    "    gid = {gid}\n"
    "    home = {boxes}/%{{original_user | domain | lower}}/%{{original_user | username "
    "| lower}}\n"
    "    mail_driver = maildir\n"
    "    mail_path = ~/Maildir\n"
    "    mail_inbox_path = ~/Maildir\n"
    "  }}\n"
    "}}\n";
constexpr const char* kSocket =
    "service lmtp {{\n"
    "  unix_listener {socket} {{\n"
    "    mode = 0660\n"
    "    user = root\n"
    "    group = postfix\n"
    "  }}\n"
    "}}\n";

}  // namespace

std::string dovecot_conf(std::string_view version, const DovecotNeeds& needs) {
  const bool is_23 = version.starts_with("2.3.");
  // "2.4.1", and whatever comes after it.
  const bool is_newer = version > "2.4" && version.front() >= '2';
  if (!is_23 && !is_newer) return {};
  const std::string users = needs.state / Generations::kCurrent / kMailboxFile;
  const std::string boxes = needs.state / kMailboxDirectory;
  const std::string socket = needs.queue_directory / kMailboxSocket;
  return kBegin +
         fmt::format(fmt::runtime(is_23 ? kOld : kNew), fmt::arg("users", users),
                     fmt::arg("boxes", boxes), fmt::arg("uid", needs.uid),
                     fmt::arg("gid", needs.gid)) +
         fmt::format(fmt::runtime(kSocket), fmt::arg("socket", socket));
}

}  // namespace mxfeed
