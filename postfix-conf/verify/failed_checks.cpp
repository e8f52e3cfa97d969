// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/failed_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/base/text.h"

namespace mxfeed {
namespace {

bool is_whole(const VerifiedDomain& one) {
  return std::none_of(
      one.findings.begin(), one.findings.end(), [](const Finding& finding) {
        return finding.outcome == Outcome::unknown ||
               (finding.outcome == Outcome::failed && finding.check == "connect");
      });
}

// As it can be stored.
FailedCheck key_of(const std::string& domain, const Finding& finding) {
  return {domain, finding.check, escape_line(finding.subject)};
}

}  // namespace

VerifyChanges compare(const FailedChecks& before,
                      const std::vector<VerifiedDomain>& verified) {
  VerifyChanges result;
  std::map<std::string_view, bool> whole;
  for (const auto& one : verified) {
    whole.emplace(one.domain, is_whole(one));
    for (const auto& finding : one.findings) {
      if (finding.outcome != Outcome::failed) continue;
      auto key = key_of(one.domain, finding);
      const bool is_known = before.contains(key);
      const bool is_first = result.failed.insert(std::move(key)).second;
      if (!is_known && is_first) result.changes.push_back({one.domain, finding});
    }
  }
  for (const auto& old : before) {
    const auto found = whole.find(old.domain);
    if (found == whole.end() || result.failed.contains(old)) continue;
    if (!found->second) {
      result.failed.insert(old);
      continue;
    }
    result.changes.push_back(
        {old.domain, {Outcome::ok, old.check, old.subject, "ok again", ""}, true});
  }
  return result;
}

std::string render(const FailedChecks& checks) {
  std::string text;
  for (const auto& one : checks) {
    text += fmt::format("{}\t{}\t{}\n", one.domain, one.check, one.subject);
  }
  return text;
}

FailedChecks parse_failed_checks(std::string_view text) {
  FailedChecks checks;
  for (const auto line : split(text, '\n')) {
    const auto cells = split(line, '\t');
    if (cells.size() < 3) continue;
    checks.insert({std::string(cells[0]), std::string(cells[1]), std::string(cells[2])});
  }
  return checks;
}

}  // namespace mxfeed
