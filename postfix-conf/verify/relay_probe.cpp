// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/relay_probe.h"

#include <fmt/format.h>

namespace mxfeed {

std::vector<RelayProbe> relay_probes(const RelayNames& names) {
  const auto& [domain, foreign, address, unknown] = names;
  const std::string literal = address.find(':') == std::string::npos
                                  ? fmt::format("[{}]", address)
                                  : fmt::format("[IPv6:{}]", address);
  const std::string stranger = fmt::format("relay-test@{}", foreign);
  const std::string nobody = fmt::format("<relay-test@{}>", foreign);
  std::vector<RelayProbe> all;
  // Whoever says to be from here, or from nowhere, is no reason to relay.
  for (const auto& sender :
       {nobody, std::string("<>"), fmt::format("<postmaster@{}>", domain),
        fmt::format("<postmaster@{}>", literal), std::string("<postmaster@localhost>"),
        std::string("<postmaster>")}) {
    all.push_back({sender, nobody, ""});
  }
  // RFC 5321, appendix C: a source route is to be ignored, not followed without question.
  all.push_back({nobody, fmt::format("<@{}:{}>", domain, stranger), ""});
  all.push_back({nobody, fmt::format("<@{}:{}>", literal, stranger), ""});
  // The domain is the server's own, and its local part leads away.
  const auto add = [&](const std::string& local, const std::string& nowhere) {
    for (const auto& own : {domain, literal}) {
      all.push_back({nobody, fmt::format("<{}@{}>", local, own),
                     fmt::format("<{}@{}>", nowhere, own)});
    }
  };
  add(fmt::format("relay-test%{}", foreign), unknown);
  add(fmt::format("{}!relay-test", foreign), unknown);
  add(fmt::format("\"{}\"", stranger), fmt::format("\"{}\"", unknown));
  add(fmt::format("\"relay-test%{}\"", foreign), fmt::format("\"{}\"", unknown));
  // Without a domain of its own.
  for (const auto& local :
       {fmt::format("\"{}\"", stranger), fmt::format("relay-test%{}", foreign),
        fmt::format("{}!relay-test", foreign)}) {
    all.push_back({nobody, fmt::format("<{}>", local), fmt::format("<{}>", unknown)});
  }
  // Two at signs: which one counts?
  all.push_back({nobody, fmt::format("<{}@{}>", stranger, domain),
                 fmt::format("<{}@{}>", unknown, domain)});
  all.push_back({nobody, fmt::format("<relay-test%{}@{}>", domain, foreign), ""});
  return all;
}

}  // namespace mxfeed
