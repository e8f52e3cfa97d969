// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper_copies.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/mailbox/boxes.h"
#include "postfix-conf/mailbox/maildir.h"
#include "postfix-conf/mailbox/stored_mail.h"
#include "postfix-conf/queue/spool.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;

// The keeper has other duties.
constexpr std::chrono::seconds kCopyTime{20};
// Of a domain whose standby mailboxes have ended.  Postfix tries the others in its turn.
constexpr std::size_t kMostAttempts = 1000;

// When mailboxes could not be removed.
constexpr std::chrono::hours kBetweenRemovals{24};

constexpr std::string_view kDoing = "put copies into mailboxes";

// Dovecot may refuse others, which are replaced by the null sender.
bool is_plain(std::string_view sender) {
  return std::ranges::all_of(
      sender, [](char c) { return c > ' ' && c < 127 && c != '<' && c != '>'; });
}

bool is_copy(const fs::path& file) {
  constexpr std::size_t kHeader = 64 * 1024;
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return false;
  std::string header(kHeader, '\0');
  const auto got = ::read(fd.get(), header.data(), header.size());
  header.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  const auto stored = parse_stored(header);
  return stored && stored->is_copy;
}

// A message that is no copy; empty if there is none.
fs::path find_original(const fs::path& mailboxes) {
  fs::path found;
  each_mail(mailboxes, [&](const MailFile& file) {
    if (!is_copy(file.path)) found = file.path;
    return found.empty();
  });
  return found;
}

}  // namespace

KeeperCopies::KeeperCopies(const fs::path& state, const KeeperPostfix& site,
                           const Generated& generated, Terms& terms, Time now)
    : state_(state), site_(site), generated_(generated), terms_(terms), now_(now) {
  try {
    book_ = std::make_unique<CopyBook>(state / kKeeperDirectory / kCopyBook);
  } catch (const Fault& fault) {
    trouble_ = fault.what();
  }
  for (const auto& one : generated.hosted) {
    if (one.standby && one.own != Row::kept) standby_.insert(one.name);
  }
}

void KeeperCopies::add(const QueuedMessage& message) {
  // What is on its way needs no copy.
  if (!message.is_deferred() && !message.is_held()) return;
  if (!book_ || !is_queue_id(message.id)) return;
  std::map<std::string, Waiting> found;  // by domain
  for (const auto& recipient : message.recipients) {
    const Term& term = terms_.of(recipient.address);
    if (term.domain.empty()) continue;
    if (!term.is_standby) {
      auto& ids = others_[term.domain];
      if (message.is_deferred() && ids.size() < kMostAttempts) ids.push_back(message.id);
      continue;
    }
    if (!wants_copy(message.id, recipient.address)) continue;
    found[term.domain].recipients.push_back(recipient.address);
  }
  for (auto& [domain, one] : found) {
    one.id = message.id;
    one.domain = domain;
    one.sender = message.sender == "MAILER-DAEMON" ? "" : message.sender;
    waiting_.push_back(std::move(one));
  }
}

bool KeeperCopies::wants_copy(const std::string& id, const std::string& recipient) {
  if (!book_) return false;
  try {
    return !book_->has(id, recipient);
  } catch (const Fault& fault) {
    give_up_book(fault);
    return false;
  }
}

void KeeperCopies::give_up_book(const Fault& fault) {
  trouble_ = fault.what();
  book_.reset();
}

void KeeperCopies::run(const std::set<std::string, std::less<>>& listed, bool is_whole,
                       const QueueControl& control, KeeperNews& news) {
  try {
    if (book_) end_domains(control);
    if (book_ && !waiting_.empty()) copy(news);
    if (book_ && is_whole) book_->forget_gone(listed, now_);
    if (book_) remove_old_mailboxes(news);
  } catch (const Fault& fault) {
    give_up_book(fault);
  }
  if (!book_) tell_trouble(standby_.empty() ? "" : *standby_.begin(), trouble_, news);
}

void KeeperCopies::tell_trouble(const std::string& domain, std::string_view cause,
                                KeeperNews& news) {
  log(Severity::error, LogFields().add("keeper", "copy").add("error", cause));
  news.alert(
      {"mailbox", domain,
       fmt::format("not all waiting mail has its copy in the standby mailboxes; it "
                   "stays in the queue: {}; see mxfeed mailbox setup",
                   cause)});
}

void KeeperCopies::copy(KeeperNews& news) {
  const auto end = Steady::now() + kCopyTime;
  std::size_t copied = 0;
  std::optional<LmtpSession> session;
  // Others first in each run: what is always refused must not keep the rest waiting.
  const auto minutes = std::chrono::floor<std::chrono::minutes>(now_.time_since_epoch());
  const auto first = static_cast<std::size_t>(minutes.count()) % waiting_.size();
  std::ranges::rotate(waiting_, waiting_.begin() + static_cast<std::ptrdiff_t>(first));
  for (const auto& one : waiting_) {
    if (Steady::now() > end || !book_) break;
    try {
      if (!session) session.emplace(kDoing, site_.queue_directory / kMailboxSocket);
    } catch (const Fault& fault) {
      tell_trouble(one.domain, fault.what(), news);
      break;
    }
    try {
      if (copy(session, one)) ++copied;
    } catch (const Fault& fault) {
      // Perhaps because of this message: the others go on.
      session.reset();
      tell_trouble(one.domain, fmt::format("{}: {}", one.id, fault.what()), news);
    }
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
  std::string problem;
  const auto answers = session->deliver(
      {is_plain(message.sender) ? message.sender : "", mailboxes},
      [&](const std::function<void(std::string_view)>& line) {
        line(fmt::format("{}: {}", kCopyField, message.id));
        const auto result = run_command(
            {"postcat", "-c", site_.config.string(), "-bhq", message.id}, "", line);
        problem = result.errors;
        return result.status == 0;
      });
  if (!answers) {
    session.reset();
    // Else it has left the queue or moves, and the next run sees it again or not.
    const auto last = Spool(site_.queue_directory).attempts(message.id).last;
    if (last) throw Fault("read a queued message", message.id, problem);
    return false;
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
  if (!done.empty()) note(message.id, done);
  return done.size() == message.recipients.size();
}

// What cannot be noted would be copied again in each run.
void KeeperCopies::note(const std::string& id,
                        const std::vector<std::string>& recipients) {
  try {
    book_->note(id, recipients);
  } catch (const Fault& fault) {
    give_up_book(fault);
  }
}

void KeeperCopies::end_domains(const QueueControl& control) {
  for (const auto& domain : book_->set_domains(standby_, now_)) {
    log(Severity::notice,
        LogFields().add("keeper", "standby-ended").add("domain", domain));
    for (const auto& id : others_[domain]) control.attempt(id);
  }
}

void KeeperCopies::remove_old_mailboxes(KeeperNews& news) {
  for (const auto& [domain, ended] : book_->ended()) {
    const auto* const hosted = generated_.find(domain);
    if (hosted != nullptr && hosted->service == Service::mailbox) {
      // They are the only ones of its mail now.
      book_->forget_domain(domain);
      continue;
    }
    if (ended + generated_.use.mailbox_keep > now_) continue;
    const fs::path mailboxes = state_ / kMailboxDirectory / domain;
    if (const auto original = find_original(mailboxes); !original.empty()) {
      news.alert({"mailbox", domain,
                  fmt::format("its mailboxes are not removed: {} is not a copy of queued "
                              "mail; see mxfeed mailbox drain",
                              escape_untrusted(original.string()))});
      // Not each minute: there may be many files.
      book_->note_ended(domain, now_ - generated_.use.mailbox_keep + kBetweenRemovals);
      continue;
    }
    std::error_code error;
    const auto files = fs::remove_all(mailboxes, error);
    log(error ? Severity::error : Severity::notice,
        LogFields()
            .add("keeper", "remove-mailboxes")
            .add("domain", domain)
            .add("files", error ? 0 : files)
            .add("error", error ? error.message() : "none"));
    if (!error) book_->forget_domain(domain);
  }
}

}  // namespace mxfeed
