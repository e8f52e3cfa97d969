// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/evidence/evidence.h"

#include <algorithm>
#include <iterator>

#include "milters/spam/evidence/table.h"

namespace mxfeed::spam {

std::string_view to_string(Group group) {
  switch (group) {
    case Group::incomplete:
      return "incomplete";
    case Group::irregular:
      return "irregular";
    case Group::author:
      return "author";
    case Group::impersonation:
      return "impersonation";
    case Group::subject:
      return "subject";
    case Group::structure:
      return "structure";
    case Group::html:
      return "html";
    case Group::attachment:
      return "attachment";
    case Group::url:
      return "url";
    case Group::text:
      return "text";
    case Group::client:
      return "client";
    case Group::route:
      return "route";
    case Group::list:
      return "list";
    case Group::authentication:
      return "authentication";
    case Group::client_lists:
      return "client lists";
    case Group::domain_lists:
      return "domain lists";
    case Group::rule:
      return "rule";
    case Group::engine:
      return "engine";
    case Group::content:
      return "content";
    case Group::test:
      return "test";
  }
  return "?";
}

const Evidence* find_evidence(std::string_view slug) {
  const auto* const found =
      std::find_if(std::begin(kEvidence), std::end(kEvidence),
                   [&](const Evidence& row) { return row.slug == slug; });
  return found == std::end(kEvidence) ? nullptr : found;
}

void Findings::add(const Evidence& evidence) {
  const bool known = std::any_of(all_.begin(), all_.end(), [&](const Evidence& found) {
    return found.slug == evidence.slug;
  });
  if (!known) all_.push_back(evidence);
}

void TestSource::judge(const Message& message, Findings& findings) const {
  if (message.gtube) findings.add(evidence("gtube"));
}

Sources sources() {
  Sources all;
  all.push_back(std::make_unique<TestSource>());
  all.push_back(std::make_unique<HeaderSource>());
  all.push_back(std::make_unique<ContentSource>());
  all.push_back(std::make_unique<UrlSource>());
  all.push_back(std::make_unique<TextSource>());
  return all;
}

std::vector<Evidence> judge(const Sources& sources, const Message& message) {
  Findings findings;
  for (const auto& source : sources) source->judge(message, findings);
  return findings.all();
}

}  // namespace mxfeed::spam
