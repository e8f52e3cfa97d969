// SPDX-License-Identifier: GPL-2.0-or-later
//
// The changes in main.cf and master.cf that attach a Postfix to a generation, or detach
// it.  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postfix-conf/generate/site.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

// The texts of both files.
struct PostfixFiles {
  std::string main_cf, master_cf;
  bool operator==(const PostfixFiles&) const = default;
};

// The parameters and services that a generation needs.
struct PostfixNeeds {
  std::vector<std::pair<std::string, std::string>> main_cf;  // name, value
  std::vector<std::string> master_cf;                        // lines
  PostfixUse use;
  Site site;  // as it was when the generation was made

  // Empty if the parameter is not needed.
  std::string_view parameter(std::string_view name) const;
};

// Whether an item of a list, or the value of an option, names one of our maps or
// parameters.
bool is_ours(std::string_view item);

// Whether it is the milter without which mail is unscanned.
bool is_scanner(const MilterEntry& milter);

// The verifiers and sealers that the configuration names, and that no service with
// filters has in its own smtpd_milters: attach leaves them out.  Endpoints; none if the
// Postfix is dedicated, where the configuration alone decides.
std::vector<std::string> absent_milters(const PostfixSettings& site,
                                        const PostfixNeeds& needs);

// The files without our changes, as detach leaves them.
PostfixFiles site_files(const PostfixFiles& files);

struct Change {
  std::string place;  // "main.cf", "master.cf: smtp/inet"
  std::string name;   // "relay_domains", "-o smtpd_milters"; empty for a service
  std::optional<std::string> before, after;  // nothing if it is not set
  std::string reason;
  bool is_global = false;  // a parameter of all mail, which only a dedicated Postfix gets

  // "main.cf: relay_domains"
  std::string subject() const;
};

// The files after each of two steps.  main.cf is written first in each, and Postfix must
// have read the first step before the second is written: so mail that is accepted is
// filtered at any time.
struct Plan {
  std::vector<Change> changes;  // empty if nothing differs
  PostfixFiles first, last;
};

// `site` is how Postfix is set without our changes.  Throws Fault if a file cannot be
// edited.
Plan plan_attach(const PostfixFiles& now, const PostfixSettings& site,
                 const PostfixNeeds& needs);

enum class Routes {
  keep,    // while mail waits for our domains: its routes and its lifetime stay
  remove,  // everything is as before
};
Plan plan_detach(const PostfixFiles& now, Routes routes);

// How far a Postfix is attached, judged by its files.
enum class AttachState {
  detached,   // nothing of ours is set
  detaching,  // only routes are left
  partly,     // more than routes is set, but mail for our domains is not accepted
  accepting,  // mail for our domains is accepted
};
AttachState attach_state(const PostfixFiles& files);

}  // namespace mxfeed
