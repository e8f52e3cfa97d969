// SPDX-License-Identifier: GPL-2.0-or-later
//
// Evidence: what speaks for or against a message being spam, in log-odds.  A source looks
// at the message and says what it finds; score.h adds it up.  A new source (a content
// model, block lists, authentication) adds its group here and itself to sources().

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "milters/spam/evidence/message.h"

namespace mxfeed::spam {

// Evidence of one group is correlated, so each group's sum is bounded (score.h).
enum class Group { header, mime, url, list, test };

std::string_view name_of(Group group);

struct Evidence {
  std::string_view slug;  // "date-missing": static, for logs and the man page
  Group group;
  double logit;         // above zero: speaks for spam
  bool proven = false;  // enough for "high" alone, also while the classifier is immature
};

// Thread-safe: a function of the message.  Throws Fault if it cannot judge.
class EvidenceSource {
 public:
  virtual ~EvidenceSource() = default;
  virtual void judge(const Message& message, std::vector<Evidence>& findings) const = 0;
};

// Oddities of the header: what spam leaves out, gets wrong or forges.
class HeaderSource : public EvidenceSource {
 public:
  void judge(const Message& message, std::vector<Evidence>& findings) const override;
};

// Damage of the MIME structure, hidden text, dangerous attachments.
class MimeSource : public EvidenceSource {
 public:
  void judge(const Message& message, std::vector<Evidence>& findings) const override;
};

// What links say about themselves, without asking any list.
class UrlSource : public EvidenceSource {
 public:
  void judge(const Message& message, std::vector<Evidence>& findings) const override;
};

// GTUBE.
class TestSource : public EvidenceSource {
 public:
  void judge(const Message& message, std::vector<Evidence>& findings) const override;
};

using Sources = std::vector<std::unique_ptr<EvidenceSource>>;
Sources sources();

std::vector<Evidence> judge(const Sources& sources, const Message& message);

}  // namespace mxfeed::spam
