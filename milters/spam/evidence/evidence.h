// SPDX-License-Identifier: GPL-2.0-or-later
//
// Evidence: what speaks for or against a message being spam, in log-odds.  A source looks
// at the message and says what it finds; score.h adds it up.
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

// Findings of one group have one cause more often than not, so the sum of a group is
// bounded and counts as one (score.h).
enum class Group {
  incomplete,  // fields that the program which wrote the message left out
  irregular,   // fields against the rules of their form
  author,      // who is shown as the author, who gets the answer
  subject,
  structure,  // damage of the MIME structure
  html,
  attachment,
  url,
  list,
  test
};
inline constexpr Group kGroups[] = {
    Group::incomplete, Group::irregular,  Group::author, Group::subject, Group::structure,
    Group::html,       Group::attachment, Group::url,    Group::list,    Group::test};

std::string_view to_string(Group group);

struct Evidence {
  std::string_view slug;  // "date-missing": static, for logs and the man page
  Group group;
  double logit;         // above zero: speaks for spam
  bool proven = false;  // enough for "high" alone, also while the classifier is immature
};

// What the sources have found; each piece of evidence once.
class Findings {
 public:
  void add(const Evidence& evidence);
  const std::vector<Evidence>& all() const { return all_; }

 private:
  std::vector<Evidence> all_;
};

// Thread-safe: a function of the message.  Throws Fault if it cannot judge.
class EvidenceSource {
 public:
  virtual ~EvidenceSource() = default;
  virtual void judge(const Message& message, Findings& findings) const = 0;
};

// Oddities of the header: what spam leaves out, gets wrong or forges.
class HeaderSource : public EvidenceSource {
 public:
  void judge(const Message& message, Findings& findings) const override;
};

// Damage of the MIME structure, hidden text, dangerous attachments.
class ContentSource : public EvidenceSource {
 public:
  void judge(const Message& message, Findings& findings) const override;
};

// What links say about themselves, without asking any list.
class UrlSource : public EvidenceSource {
 public:
  void judge(const Message& message, Findings& findings) const override;
};

// GTUBE.
class TestSource : public EvidenceSource {
 public:
  void judge(const Message& message, Findings& findings) const override;
};

using Sources = std::vector<std::unique_ptr<EvidenceSource>>;
Sources sources();

std::vector<Evidence> judge(const Sources& sources, const Message& message);

}  // namespace mxfeed::spam
