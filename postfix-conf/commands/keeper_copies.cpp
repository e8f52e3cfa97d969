// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper_copies.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/command/listing.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/mailbox/boxes.h"
#include "postfix-conf/mailbox/stored_mail.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;

// The keeper has other duties.
constexpr std::chrono::seconds kCopyTime{20};
// Of a domain whose standby mailboxes have ended.  Postfix tries the others in its turn.
constexpr std::size_t kMostAttempts = 1000;

constexpr std::string_view kDoing = "put copies into mailboxes";

// Dovecot takes no SMTPUTF8, and an odd sender is not worth the copy.
bool is_plain(std::string_view sender) {
  return std::ranges::all_of(
      sender, [](char c) { return c > ' ' && c < 127 && c != '<' && c != '>'; });
}

}  // namespace

KeeperCopies::KeeperCopies(const fs::path& state, const KeeperPostfix& site,
                           const Generated& generated, Terms& terms, Time now)
    : state_(state),
      site_(site),
      generated_(generated),
      terms_(terms),
      now_(now),
      book_(state / kKeeperDirectory / kCopyBook) {
  for (const auto& one : generated.hosted) {
    if (one.standby && one.own != Row::kept) standby_.insert(one.name);
  }
}

void KeeperCopies::add(const QueuedMessage& message) {
  // What is on its way needs no copy.
  if (!message.is_deferred() && !message.is_held()) return;
  std::map<std::string, Waiting> found;  // by domain
  for (const auto& recipient : message.recipients) {
    const Term& term = terms_.of(recipient.address);
    if (term.domain.empty()) continue;
    if (!term.is_standby) {
      auto& ids = others_[term.domain];
      if (message.is_deferred() && ids.size() < kMostAttempts) ids.push_back(message.id);
      continue;
    }
    if (book_.has(message.id, recipient.address)) continue;
    found[term.domain].recipients.push_back(recipient.address);
  }
  for (auto& [domain, one] : found) {
    one.id = message.id;
    one.domain = domain;
    one.sender = message.sender == "MAILER-DAEMON" ? "" : message.sender;
    waiting_.push_back(std::move(one));
  }
}

void KeeperCopies::run(const std::set<std::string, std::less<>>& listed,
                       const QueueControl& control, KeeperNews& news) {
  end_domains(control);
  if (!waiting_.empty()) copy(news);
  if (!listed.empty()) book_.forget_gone(listed, now_);
  remove_old_mailboxes();
}

void KeeperCopies::copy(KeeperNews& news) {
  const auto end = Steady::now() + kCopyTime;
  std::size_t copied = 0, tried = 0;
  try {
    std::optional<LmtpSession> session;
    for (const auto& one : waiting_) {
      if (Steady::now() > end) break;
      ++tried;
      if (!session) session.emplace(kDoing, site_.queue_directory / kMailboxSocket);
      if (copy(session, one)) ++copied;
    }
  } catch (const Fault& fault) {
    log(Severity::error, LogFields().add("keeper", "copy").add("error", fault.what()));
    news.alert(
        {"mailbox", waiting_.at(std::max<std::size_t>(tried, 1) - 1).domain,
         fmt::format("{} without a copy in the standby mailboxes, the queue has "
                     "them: {}; see mxfeed mailbox setup",
                     count_of(waiting_.size() - copied, "message"), fault.what())});
  }
  log(Severity::info, LogFields()
                          .add("keeper", "copy")
                          .add("copied", copied)
                          .add("left", waiting_.size() - copied));
  for (const auto& [mailbox, answer] : refused_) {
    news.alert({"mailbox", mailbox.substr(mailbox.find('@') + 1),
                fmt::format("Dovecot takes no copy for {}, the mail stays queued: {}",
                            mailbox, answer)});
  }
}

bool KeeperCopies::copy(std::optional<LmtpSession>& session, const Waiting& message) {
  std::vector<std::string> mailboxes;
  std::map<std::string, std::vector<std::string>> recipients;  // by mailbox
  for (const auto& one : message.recipients) {
    std::string mailbox = mailbox_for(generated_, message.domain, one);
    // Full, most likely: once in a run is enough.
    if (refused_.contains(mailbox)) continue;
    auto& of_box = recipients[mailbox];
    if (of_box.empty()) mailboxes.push_back(std::move(mailbox));
    of_box.push_back(one);
  }
  if (mailboxes.empty()) return false;
  const auto answers = session->deliver(
      {is_plain(message.sender) ? message.sender : "", mailboxes},
      [&](const std::function<void(std::string_view)>& line) {
        line(fmt::format("{}: {}", kCopyField, message.id));
        const auto result = run_command(
            {"postcat", "-c", site_.config.string(), "-bhq", message.id}, "", line);
        return result.status == 0;
      });
  if (!answers) {
    // Delivered meanwhile.
    session.reset();
    return true;
  }
  std::vector<std::string> done;
  for (std::size_t i = 0; i < mailboxes.size(); ++i) {
    if (answers->at(i).empty()) {
      auto& of_box = recipients[mailboxes[i]];
      done.insert(done.end(), of_box.begin(), of_box.end());
    } else {
      log(Severity::warning, LogFields()
                                 .add("keeper", "copy")
                                 .add("id", message.id)
                                 .add("mailbox", mailboxes[i])
                                 .add("refused", answers->at(i)));
      refused_.emplace(mailboxes[i], answers->at(i));
    }
  }
  if (!done.empty()) book_.note(message.id, done);
  return done.size() == message.recipients.size();
}

void KeeperCopies::end_domains(const QueueControl& control) {
  for (const auto& domain : book_.set_domains(standby_, now_)) {
    log(Severity::notice,
        LogFields().add("keeper", "standby-ended").add("domain", domain));
    for (const auto& id : others_[domain]) control.attempt(id);
  }
}

void KeeperCopies::remove_old_mailboxes() {
  for (const auto& [domain, ended] : book_.ended()) {
    const auto* const hosted = generated_.find(domain);
    if (hosted != nullptr && hosted->service == Service::mailbox) {
      // They are the only ones of its mail now.
      book_.forget_domain(domain);
      continue;
    }
    if (ended + generated_.use.mailbox_keep > now_) continue;
    std::error_code error;
    const auto files = fs::remove_all(state_ / kMailboxDirectory / domain, error);
    log(error ? Severity::error : Severity::notice,
        LogFields()
            .add("keeper", "remove-mailboxes")
            .add("domain", domain)
            .add("files", error ? 0 : files)
            .add("error", error ? error.message() : "none"));
    if (!error) book_.forget_domain(domain);
  }
}

}  // namespace mxfeed
