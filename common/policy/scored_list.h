// SPDX-License-Identifier: GPL-2.0-or-later
//
// A DNS list (RFC 5782) whose answer counts as evidence of spam or of ham:
//
//   "client zen.example=127.0.0.[2..11] 2.5"     the address of the client
//   "url uri.example=127.0.1.[2..99] 4"          the domains of links
//   "sender uri.example=127.0.1.[2..99] 3"       the domains of the sender
//   "client allow.example=127.0.[0..255].[2..3] -3"
//
// The last word is the weight in log-odds; below zero it speaks for ham.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/policy/block_list.h"

namespace mxfeed {

class ScoredList {
 public:
  enum class Subject { client, url, sender };
  // Of a weight, either way.
  static constexpr double kMost = 7;

  // Nothing if it is none; then why_not() tells why.
  static std::optional<ScoredList> parse(std::string_view text);
  static std::string why_not(std::string_view text);

  const std::string& str() const { return text_; }
  Subject subject() const { return subject_; }
  std::string_view zone() const { return list_.zone(); }
  double log_odds() const { return log_odds_; }
  // Whether the answer says that what was asked for is listed.
  bool counts(const IpAddress& answer) const { return list_.counts(answer); }

  bool operator==(const ScoredList& other) const { return text_ == other.text_; }

 private:
  ScoredList(std::string_view text, Subject subject, BlockList list, double log_odds)
      : text_(text), subject_(subject), list_(std::move(list)), log_odds_(log_odds) {}

  std::string text_;
  Subject subject_;
  BlockList list_;
  double log_odds_;
};

std::string_view to_string(ScoredList::Subject subject);

}  // namespace mxfeed
