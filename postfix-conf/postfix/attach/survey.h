// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the settings of a Postfix: as they are, and as they would be without our changes.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "postfix-conf/generate/rows.h"
#include "postfix-conf/postfix/attach/conflicts.h"
#include "postfix-conf/postfix/attach/plan.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {

struct Survey {
  PostfixFiles files;
  PostfixSettings now;
  SiteView site;  // without `same`: see find_same_domains()
};

// `use` is that of the generation, empty if there is none.  `state` is the absolute path
// of --state.  Throws Fault.
Survey survey(const Postfix& postfix, const PostfixUse& use,
              const std::filesystem::path& state);

PostfixFiles read_files(const Postfix& postfix);

// The files main.cf, master.cf and meta of the generation.  Throws Fault.
PostfixNeeds read_needs(const std::filesystem::path& generation);

// Looks up every relayed domain in the site's lists and tables of domains.
std::vector<SameDomains> find_same_domains(const Postfix& postfix,
                                           const PostfixSettings& site,
                                           const Generated& generated);

// The domains that `next` relays and `previous` does not, and that an attached Postfix
// has in its own lists and tables too.  Throws Fault.
std::vector<Conflict> conflicts_of_new_domains(const Postfix& postfix,
                                               const Generated& next,
                                               const Generated& previous);

}  // namespace mxfeed
