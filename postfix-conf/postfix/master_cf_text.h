// SPDX-License-Identifier: GPL-2.0-or-later
//
// master.cf as a text to which options and services are added and taken back.  Pure.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/postfix/cf_text.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

// An option NAME=VALUE of a service.
struct ServiceOption {
  std::string name;
  std::string value;
  bool operator==(const ServiceOption&) const = default;
};

// Whether it is ours as a whole: its name is mxfeed-*, or, as that of a service on TCP is
// its port, it logs as the intake of the quarantine.
bool is_our_service(const PostfixService& service);

// A text of master.cf.  Every other byte of it stays as it is.  Services are named as
// postconf(1) does: "smtp/inet".
class MasterCf {
 public:
  MasterCf(std::string text, IsOurs is_ours);

  const std::string& text() const { return text_; }

  // As they stand, in order, duplicates too; of an option given twice the last value,
  // which is the one that holds, `$name` not expanded.  Lines of fewer than eight fields
  // are left out.
  std::vector<PostfixService> services() const;
  // What services() is after all of ours() was taken back: the site's services and its
  // own values of their options.
  std::vector<PostfixService> site_services() const;

  // Adds `-o NAME=VALUE` behind the other options of the service, so that they hold; to
  // every service of that name if there are two.  They replace those that were added
  // before.  Nothing is done if they are as wanted; without options those before are
  // taken back.  A value should name a parameter of ours, such as
  // "$mxfeed_smtpd_milters": so it is known as ours when the comments are lost.  Throws
  // Fault if there is no such service, if it would not take them (an argument that is no
  // option stands before, as in pipe(8)), or for a name or value that Postfix would read
  // as another.
  void add_options(std::string_view service, const std::vector<ServiceOption>& options);

  // Adds the service of that line ("mxfeed-relay unix - - y - - smtp -o x=y") at the end,
  // or replaces it.  Throws Fault if it is not one service of ours in one line.
  void add_service(std::string_view line);

  // Takes our options out of the service, or the service out if it is ours.  Of a block
  // that somebody changed, and of options without a block, those go whose value has an
  // item of ours; if the value has other items too, only ours go.
  TakenBack take_back(std::string_view service);

  // The services for which take_back() has something to do.  In the order of the text,
  // each once.
  std::vector<std::string> ours() const;

 private:
  std::string text_;
  IsOurs is_ours_;
};

}  // namespace mxfeed
