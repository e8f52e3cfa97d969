// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/evaluation.h"

#include <fmt/format.h>

#include <optional>
#include <string>

namespace mxfeed::spam {
namespace {

std::string_view name_of(std::size_t level) {
  return to_string(static_cast<SpamLevel>(level));
}

// Of the mails with a level, the share of spam in percent, and its lower bound; nothing
// without mails.
struct Share {
  std::optional<double> point;
  std::optional<double> bound;
};

Share share_of(const Reliability::Row& row) {
  const std::uint64_t all = row.ham + row.spam;
  if (all == 0) return {};
  return {100 * static_cast<double>(row.spam) / static_cast<double>(all),
          100 * wilson_bound(row.spam, all)};
}

std::string percent(const std::optional<double>& value) {
  return value ? fmt::format("{:.1f}", *value) : "-";
}

}  // namespace

void Evaluation::add(const Score& score, std::span<const Evidence> findings,
                     bool is_spam) {
  const auto count = [is_spam](Reliability::Row& row) {
    ++(is_spam ? row.spam : row.ham);
  };
  judged_.push_back({score.logit, is_spam});
  if (!is_spam) ++ham_;
  count(levels_.at(static_cast<std::size_t>(level(score, SpamPolicy{}))));
  for (const Evidence& found : findings) count(evidence_[found.slug]);
}

Json Evaluation::json() const {
  Json levels = Json::object();
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    const Share share = share_of(levels_.at(i));
    levels.set(name_of(i), Json::object()
                               .set("ham", levels_.at(i).ham)
                               .set("spam", levels_.at(i).spam)
                               .set("spam_percent", share.point)
                               .set("at_least_percent", share.bound));
  }
  Json evidence = Json::object();
  for (const auto& [slug, row] : evidence_) {
    evidence.set(slug, Json::object().set("ham", row.ham).set("spam", row.spam));
  }
  const bool has_both = ham_ > 0 && spam() > 0;
  const auto if_both = [&](double value) {
    return has_both ? std::optional(value) : std::nullopt;
  };
  return Json::object()
      .set("ham", ham_)
      .set("spam", spam())
      .set("misranked_percent", if_both(misranked(judged_)))
      .set("found_at_0.1_percent", if_both(hits_at(judged_, 0.001)))
      .set("found_at_1_percent", if_both(hits_at(judged_, 0.01)))
      .set("levels", std::move(levels))
      .set("evidence", std::move(evidence));
}

std::string Evaluation::table() const {
  std::string text = fmt::format("{} ham, {} spam\n", ham_, spam());
  if (ham_ > 0 && spam() > 0) {
    text += fmt::format(
        "a ham is ranked above a spam (1-ROCA): {:.3f} %\n"
        "spam found at 0.1 % false alarms: {:.1f} %, at 1 %: {:.1f} %\n",
        misranked(judged_), hits_at(judged_, 0.001), hits_at(judged_, 0.01));
  }
  text += fmt::format("\n{:<6} {:>7} {:>7} {:>8} {:>9}\n", "LEVEL", "HAM", "SPAM",
                      "SPAM %", "AT LEAST");
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    const Share share = share_of(levels_.at(i));
    text += fmt::format("{:<6} {:>7} {:>7} {:>8} {:>9}\n", name_of(i), levels_.at(i).ham,
                        levels_.at(i).spam, percent(share.point), percent(share.bound));
  }
  text += fmt::format("\n{:<28} {:>7} {:>7}\n", "EVIDENCE", "HAM", "SPAM");
  for (const auto& [slug, row] : evidence_) {
    text += fmt::format("{:<28} {:>7} {:>7}\n", slug, row.ham, row.spam);
  }
  return text;
}

}  // namespace mxfeed::spam
