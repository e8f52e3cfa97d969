// SPDX-License-Identifier: GPL-2.0-or-later
//
// Each release is exact, wherever its program or the host may stop.  An item is marked
// as releasing, with the token of a receipt, before Postfix sees it.  Postfix takes the
// recipient and the receipt in one transaction, both or neither.  So if a release was
// interrupted, Postfix has it exactly if the receipt has come in (then mxfeed-quarantine
// has marked the item) or is in the queue.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <thread>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/command/owner.h"
#include "common/mail/held_address.h"
#include "postfix-conf/commands/quarantine.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/postfix/postfix.h"
#include "postfix-conf/quarantine/release_session.h"

namespace mxfeed {
namespace {

using quarantine::Handover;
using quarantine::Item;
using quarantine::ReleaseSession;
using quarantine::Standing;
using quarantine::Store;

constexpr std::string_view kDaemon = "quarantine";
// A message that moves between queues may be missed once; it does not move again so soon.
constexpr int kListings = 2;
constexpr std::chrono::milliseconds kBetweenListings{200};

std::set<std::string> queued_receipts(const Postfix& postfix) {
  std::set<std::string> tokens;
  for (int i = 0; i < kListings; ++i) {
    if (i > 0) std::this_thread::sleep_for(kBetweenListings);
    postfix.read_queue([&](const QueuedMessage& message) {
      for (const auto& one : message.recipients) {
        const auto at = one.address.rfind('@');
        if (at == std::string::npos ||
            !iequals(std::string_view(one.address).substr(at + 1), kQuarantineDomain)) {
          continue;
        }
        if (auto token = parse_receipt(std::string_view(one.address).substr(0, at))) {
          tokens.insert(*std::move(token));
        }
      }
    });
  }
  return tokens;
}

class Release {
 public:
  Release(Store& store, ReleaseSession& session, HeldReport& report)
      : store_(store), session_(session), report_(report) {}

  // Postfix has those that are `queued`.
  void finish_interrupted(const std::set<std::string>& queued) {
    for (Item& item : store_.unfinished()) {
      if (queued.contains(item.receipt)) {
        store_.finish_release(item.id, "", system_time());
        continue;
      }
      auto receipt = random_token();
      // False if the receipt has come in meanwhile.
      if (!store_.renew_release(item, receipt, system_time())) continue;
      item.receipt = std::move(receipt);
      hand_over(item);
    }
  }

  void release(Item item, bool force) {
    // It may have been ended by finish_interrupted().
    if (const auto now = store_.find(item.id)) item = *now;
    if (teaches(item.address.kind)) {
      return refuse(item, "it is held to be learned from, and is nobody's mail");
    }
    if (item.standing == Standing::held && item.address.kind == HeldKind::virus &&
        !force) {
      return refuse(item, "it has a virus; --force delivers it all the same");
    }
    item.receipt = random_token();
    if (!store_.begin_release(item.id, item.receipt, system_time())) {
      if (!handed_over_.contains(item.id)) {
        refuse(item, fmt::format("it is {}", to_string(item.standing)));
      }
      return;
    }
    hand_over(item);
  }

 private:
  void hand_over(const Item& item) {
    if (is_lost_) {
      return refuse(item, "the session with Postfix was lost; run the command again");
    }
    handed_over_.insert(item.id);
    Handover handover;
    try {
      handover = session_.hand_over(item, store_.content_of(item));
    } catch (const Fault& fault) {
      handover = {Handover::Outcome::refused, "", fault.what()};
    }
    switch (handover.outcome) {
      case Handover::Outcome::taken:
        store_.finish_release(item.id, handover.queue_id, system_time());
        report_.add(item, fmt::format("released as {}", handover.queue_id), "");
        return;
      case Handover::Outcome::refused:
        store_.undo_release(item.id, system_time());
        return refuse(item, handover.problem);
      case Handover::Outcome::unknown:
        is_lost_ = true;
        return refuse(item, handover.problem + "; run the command again");
    }
  }

  void refuse(const Item& item, const std::string& problem) {
    report_.add(item, "released", problem);
  }

  Store& store_;
  ReleaseSession& session_;
  HeldReport& report_;
  std::set<std::int64_t> handed_over_;
  bool is_lost_ = false;
};

using Items = std::vector<Item>;

// Releases what `pick` takes from the store, not more than `rate` a second; 0: no limit.
ExitCode release_picked(const QuarantineOptions& options,
                        const std::function<Items(const Store&)>& pick, bool force,
                        std::uint64_t rate) {
  check_held_here(options);
  const Postfix postfix(options.postfix_config);
  const auto queue_directory = postfix.parameters({"queue_directory"}).at(0);
  // Both need root; and the queue is read when no release of before can add to it.
  ReleaseSession session(std::filesystem::path(queue_directory) / kReleaseSocket);
  const auto queued = queued_receipts(postfix);
  become_daemon(options.state, kDaemon);
  const auto directory = options.state / kDaemon;
  const auto lock = lock_file(directory / "release.lock");
  if (!lock) {
    throw CommandError(ExitCode::try_later, "another release is running");
  }
  Store store(directory, Sqlite::Access::read_write);
  HeldReport report(options.json);
  Release release(store, session, report);
  const Items items = pick(store);
  release.finish_interrupted(queued);
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < items.size(); ++i) {
    release.release(items[i], force);
    // A second's portion at once, then the rest of the second.
    if (rate != 0 && (i + 1) % rate == 0 && i + 1 < items.size()) {
      std::this_thread::sleep_until(start + std::chrono::seconds((i + 1) / rate));
    }
  }
  return report.finish();
}

}  // namespace

ExitCode release_held(const QuarantineOptions& options,
                      const std::vector<std::string>& ids, bool force) {
  return release_picked(
      options, [&](const Store& store) { return named_items(store, options, ids); },
      force, 0);
}

ExitCode release_mailbox_mail(const QuarantineOptions& options, std::uint64_t rate) {
  return release_picked(
      options,
      [&](const Store& store) {
        Items items;
        store.each(options.domain, [&](const Item& item) {
          if (item.address.kind == HeldKind::mailbox && item.is_live()) {
            items.push_back(item);
          }
        });
        return items;
      },
      false, rate);
}

}  // namespace mxfeed
