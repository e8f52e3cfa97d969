// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/known_milters.h"

#include <algorithm>
#include <iterator>

namespace mxfeed {
namespace {

constexpr KnownMilter kKnown[] = {
    {"openarc", "openarc, which seals", "sealers"},
    {"opendmarc", "opendmarc, which verifies", "verifiers"},
    {"opendkim", "opendkim, which verifies what comes in", "verifiers"},
    {"dkim", "a DKIM milter, which verifies what comes in", "verifiers"},
    {"dmarc", "a DMARC milter, which verifies", "verifiers"},
    {"spf", "an SPF milter, which verifies", "verifiers"},
    {"rspamd", "rspamd", "verifiers"},
    {"clam", "clamav-milter", "verifiers"},
    {"spamass", "spamass-milter", "verifiers"},
    {"greylist", "milter-greylist", "verifiers"},
    {":8891", "opendkim, which verifies what comes in", "verifiers"},
    {":12301", "opendkim, which verifies what comes in", "verifiers"},
    {":8893", "opendmarc, which verifies", "verifiers"},
    {":54321", "opendmarc, which verifies", "verifiers"},
    {":11332", "rspamd", "verifiers"},
    {":7357", "clamav-milter", "verifiers"},
};

}  // namespace

const KnownMilter* recognise_milter(std::string_view endpoint) {
  const auto found =
      std::find_if(std::begin(kKnown), std::end(kKnown), [&](const KnownMilter& one) {
        return endpoint.find(one.mark) != std::string_view::npos;
      });
  return found == std::end(kKnown) ? nullptr : &*found;
}

}  // namespace mxfeed
