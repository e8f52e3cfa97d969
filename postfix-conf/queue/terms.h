// SPDX-License-Identifier: GPL-2.0-or-later
//
// How long mail may wait, by the domain of its recipient.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/clock.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

struct Term {
  std::string domain;  // of the row that decides, "acme.example"; empty for other mail
  std::string customer;
  std::chrono::seconds lifetime{0};
  Time not_before{};        // mail does not expire earlier
  bool is_endless = false;  // mail never expires
  bool is_standby = false;  // copies can be read in mailboxes here
  bool is_here = false;     // it is delivered to mailboxes here
  // What happens to mail that its server refused, or that expires.
  OnRefusal on_refusal = OnRefusal::bounce;

  // When a message that arrived at that time expires; nothing if it never does.
  std::optional<Time> deadline(Time arrived) const;
};

class Terms {
 public:
  // `others` is the lifetime of mail that is not for a hosted domain; if there is none,
  // the keeper leaves it to Postfix.  `generated` must outlive the object.
  Terms(const Generated& generated, std::optional<std::chrono::seconds> others);

  // For the domain of a recipient.  Valid until the object is destroyed.
  const Term& of(std::string_view address);
  bool is_hosted(std::string_view address) { return !of(address).domain.empty(); }

 private:
  Term find(const std::string& domain) const;

  const Generated& generated_;
  Term others_;
  std::unordered_map<std::string, Term> known_;
};

}  // namespace mxfeed
