// SPDX-License-Identifier: GPL-2.0-or-later
//
// The sockets of our filters, as smtpd(8) finds them.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "postfix-conf/postfix/attach/plan.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

// A user as a process has it.
struct ProcessUser {
  uid_t user = 0;
  std::vector<gid_t> groups;
};

// Owner and mode of a file or directory.
struct Access {
  uid_t owner = 0;
  gid_t group = 0;
  mode_t mode = 0;
};

// Whether the user may connect to the socket: may write to it, and search each of the
// directories.  Access control lists are not read.  Pure.
bool may_connect(const ProcessUser& user, const std::vector<Access>& directories,
                 const Access& socket);

// A socket that smtpd(8) cannot use.
struct UnusableSocket {
  MilterEntry milter;
  std::string text;  // the path and the cause
};

// `settings` are those of the Postfix, as it is.  Whether its user, mail_owner, may
// connect is not checked if there is no such user.
std::vector<UnusableSocket> unusable_sockets(const PostfixSettings& settings,
                                             const PostfixNeeds& needs);

// Whether a program listens at the port of TCP, on any address of this host.
bool is_port_in_use(std::uint16_t port);

}  // namespace mxfeed
