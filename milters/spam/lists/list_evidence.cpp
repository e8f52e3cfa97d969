// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/lists/list_evidence.h"

#include <algorithm>

#include "milters/spam/evidence/table.h"

namespace mxfeed::spam {
namespace {

using Subject = ScoredList::Subject;

struct Kind {
  Subject subject;
  Evidence spam, ham;
};

constexpr Kind kKinds[] = {
    {Subject::client, evidence("client-listed"), evidence("client-allowed")},
    {Subject::url, evidence("url-listed"), evidence("url-allowed")},
    {Subject::sender, evidence("sender-listed"), evidence("sender-allowed")},
};

}  // namespace

std::vector<Evidence> evidence_of(const std::vector<ListReply>& replies) {
  std::vector<Evidence> found;
  for (const Kind& kind : kKinds) {
    double most = 0, least = 0;
    for (const ListReply& one : replies) {
      if (one.says != ListSays::listed || one.list->subject() != kind.subject) continue;
      most = std::max(most, one.list->log_odds());
      least = std::min(least, one.list->log_odds());
    }
    const auto add = [&found](Evidence evidence, double logit) {
      if (logit == 0) return;
      evidence.logit = logit;
      found.push_back(evidence);
    };
    add(kind.spam, most);
    add(kind.ham, least);
  }
  return found;
}

std::string listed_names(const std::vector<ListReply>& replies) {
  std::string text;
  for (const ListReply& one : replies) {
    if (one.says != ListSays::listed) continue;
    if (!text.empty()) text += ", ";
    text.append(one.key).append(".").append(one.list->zone());
  }
  return text;
}

}  // namespace mxfeed::spam
