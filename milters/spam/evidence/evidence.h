// SPDX-License-Identifier: GPL-2.0-or-later
//
// Evidence for or against a message being spam, in log-odds.  Sources examine the message
// and report what they find; score.h adds it up.
//
// To add a check: a row in table.h, the check in the source that it belongs to, a row in
// evidence_test.cpp and one in mxfeed-spam(8).  A new source (a content model, block
// lists, authentication) also adds its group here and itself to sources().

#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "milters/spam/evidence/message.h"

namespace mxfeed::spam {

// Findings of one group mostly have a common cause, so the sum of a group is bounded and
// counts as one (score.h).
enum class Group {
  incomplete,     // missing fields
  irregular,      // malformed fields
  author,         // the author that is shown, the address for replies
  impersonation,  // of people whom the domain has named
  subject,
  structure,  // malformed MIME structure
  html,
  attachment,
  url,
  text,
  client,  // what is known of the client without asking a list
  route,   // the way to us
  list,
  authentication,  // SPF, DKIM, DMARC and ARC
  client_lists,    // DNS lists that have the client
  domain_lists,    // DNS lists that have the links or the sender's domain
  rule,            // what the domain has said of the sender
  engine,          // what the site's rspamd or spamd says
  content,         // what the content model learned
  test
};
inline constexpr Group kGroups[] = {
    Group::incomplete, Group::irregular,      Group::author,       Group::impersonation,
    Group::subject,    Group::structure,      Group::html,         Group::attachment,
    Group::url,        Group::text,           Group::client,       Group::route,
    Group::list,       Group::authentication, Group::client_lists, Group::domain_lists,
    Group::rule,       Group::engine,         Group::content,      Group::test};

std::string_view to_string(Group group);

// The highest level that evidence may reach without evidence of another group.
enum class Alone { none, med, high };

struct Evidence {
  std::string_view slug;  // "date-missing", for logs and the man page; static storage
  Group group;
  double logit;         // above zero: speaks for spam
  bool proven = false;  // enough for "high" alone, and for its action even if immature
  Alone alone = Alone::none;
};

// The row of the table; nullptr if there is none.
const Evidence* find_evidence(std::string_view slug);

// The evidence found by the sources; each piece counts once.
class Findings {
 public:
  void add(const Evidence& evidence);
  const std::vector<Evidence>& all() const { return all_; }

 private:
  std::vector<Evidence> all_;
};

// A thread-safe function of the message.  Throws Fault if it cannot judge.
class EvidenceSource {
 public:
  virtual ~EvidenceSource() = default;
  virtual void judge(const Message& message, Findings& findings) const = 0;
};

// The header: fields that spam leaves out, gets wrong or forges.
class HeaderSource : public EvidenceSource {
 public:
  void judge(const Message& message, Findings& findings) const override;
};

// Malformed MIME structure, hidden text, dangerous attachments.
class ContentSource : public EvidenceSource {
 public:
  void judge(const Message& message, Findings& findings) const override;
};

// Links, judged by themselves; no list is asked.
class UrlSource : public EvidenceSource {
 public:
  void judge(const Message& message, Findings& findings) const override;
};

// The text: frauds that say the same everywhere, and parts that differ.
class TextSource : public EvidenceSource {
 public:
  void judge(const Message& message, Findings& findings) const override;
};

// The test line GTUBE.
class TestSource : public EvidenceSource {
 public:
  void judge(const Message& message, Findings& findings) const override;
};

using Sources = std::vector<std::unique_ptr<EvidenceSource>>;
Sources sources();

std::vector<Evidence> judge(const Sources& sources, const Message& message);

}  // namespace mxfeed::spam
