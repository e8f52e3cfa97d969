// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/mail/date.h"
#include "milters/spam/score.h"

namespace mxfeed::spam {
namespace {

Message message_of(const std::filesystem::path& file) {
  const auto content = read_file(file);
  if (!content) throw Fault("read message", file.string(), "no such file");
  Message message = read_message(*content, system_time());
  if (const std::string* received = message.find("Received")) {
    const std::size_t semicolon = received->rfind(';');
    if (semicolon != received->npos) {
      const auto time = parse_date(std::string_view(*received).substr(semicolon + 1));
      if (time) message.received = *time;
    }
  }
  return message;
}

}  // namespace

std::string explain(const std::filesystem::path& file) {
  const Message message = message_of(file);
  const std::vector<Evidence> findings = judge(sources(), message);
  const Score total = score(findings);
  std::string text;
  text += fmt::format("{:<28} {:<8} {:>6}\n", "evidence", "group", "logit");
  text += fmt::format("{:<28} {:<8} {:>6.2f}\n", "(no evidence)", "", kBias);
  for (const Evidence& evidence : findings) {
    text +=
        fmt::format("{:<28} {:<8} {:>6.2f}{}\n", evidence.slug, name_of(evidence.group),
                    evidence.logit, evidence.proven ? "  proven" : "");
  }
  if (message.anomalies.any()) {
    text += fmt::format("MIME anomalies: {}\n", message.anomalies.str());
  }
  if (!message.whole) text += "Only the first part of the message was looked at.\n";
  text +=
      fmt::format("sum {:.2f} with each group bounded, p={:.3f}, level {}\n", total.logit,
                  total.probability, name_of(level(total, SpamPolicy{})));
  return text;
}

std::string evaluate(const std::vector<std::filesystem::path>& directories) {
  const Sources all = sources();
  std::string text =
      fmt::format("{:<20} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}\n", "directory", "mails",
                  "p<0.2", "none", "low", "med", "high");
  std::map<std::string_view, std::vector<std::size_t>> counts;
  for (std::size_t i = 0; i < directories.size(); ++i) {
    std::array<std::size_t, 4> levels{};
    std::size_t mails = 0;
    std::size_t clean = 0;
    std::error_code error;
    std::filesystem::directory_iterator entries(directories[i], error);
    if (error) throw Fault("read directory", directories[i].string(), error.message());
    for (const auto& entry : entries) {
      if (!entry.is_regular_file()) continue;
      const std::vector<Evidence> findings = judge(all, message_of(entry.path()));
      const Score total = score(findings);
      ++mails;
      if (total.probability < 0.2) ++clean;
      ++levels[static_cast<std::size_t>(level(total, SpamPolicy{}))];
      for (const Evidence& evidence : findings) {
        auto& row = counts[evidence.slug];
        row.resize(directories.size());
        ++row[i];
      }
    }
    text += fmt::format("{:<20} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}\n",
                        directories[i].filename().string(), mails, clean, levels[0],
                        levels[1], levels[2], levels[3]);
  }
  text += "\n";
  for (const auto& [slug, row] : counts) {
    text += fmt::format("{:<28}", slug);
    for (const std::size_t count : row) text += fmt::format(" {:>7}", count);
    text += "\n";
  }
  return text;
}

}  // namespace mxfeed::spam
