// SPDX-License-Identifier: GPL-2.0-or-later
//
// A milter that does nothing, to tell what the passage through Session and libmilter
// costs and what the rest of a milter costs.  The first argument says what it asks for:
//
//   null_milter idle|rcpt|early|all|seen|work|wait OPTIONS-OF-A-MILTER
//
//   idle  nothing but connection, sender and end
//   rcpt  recipients, each answered
//   early the same, and done at DATA: as mxfeed-greylist
//   all   as mxfeed-virus: recipients answered, headers and body unanswered
//   seen  as mxfeed-spam: recipients, headers and body, all unanswered
//   work  a recipient's answer takes a look into the policy, a SQLite upsert and a log
//   line wait  waits for 50 ms at the end of a message, as for a scan

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "common/milter/milter_program.h"
#include "common/store/sqlite.h"

namespace mxfeed {
namespace {

class NullFilter : public Filter {
 public:
  explicit NullFilter(bool wants_content) : wants_content_(wants_content) {}
  bool wants_content() const noexcept override { return wants_content_; }

 private:
  const bool wants_content_;
};

class WaitingFilter : public Filter {
 public:
  Verdict on_end(MessageEdits&, const Progress&) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return Verdict::proceed();
  }
};

// What the filters of "work" share.
class Work {
 public:
  explicit Work(const DaemonContext& context)
      : policy_(context.policy),
        database_(context.data_directory / "work.db", Sqlite::Access::read_write,
                  std::chrono::seconds(1)) {
    database_.execute("CREATE TABLE IF NOT EXISTS t (k TEXT PRIMARY KEY, n INTEGER)");
    upsert_.emplace(
        database_, "INSERT INTO t VALUES (?, 1) ON CONFLICT (k) DO UPDATE SET n = n + 1");
  }

  void once(const Envelope& envelope, const Recipient& recipient) {
    const auto policy = policy_.get()->find(recipient.domain);
    const std::lock_guard lock(mutex_);
    upsert_->bind(1, envelope.sender + " " + recipient.local_part).step();
  }

 private:
  LivePolicy& policy_;
  std::mutex mutex_;
  Sqlite database_;
  std::optional<SqliteStatement> upsert_;
};

class WorkingFilter : public Filter {
 public:
  WorkingFilter(Work& work, const Envelope& envelope)
      : work_(work), envelope_(envelope) {}
  Verdict on_recipient(const Recipient& recipient) override {
    work_.once(envelope_, recipient);
    return Verdict::proceed("work");  // a reason: the session logs it
  }

 private:
  Work& work_;
  const Envelope& envelope_;
};

class NullConnection : public Connection {
 public:
  NullConnection(const Needs& needs, Work* work, bool waits)
      : needs_(needs), work_(work), waits_(waits) {}
  std::unique_ptr<Filter> begin(const Envelope& envelope) override {
    if (work_ != nullptr) return std::make_unique<WorkingFilter>(*work_, envelope);
    if (waits_) return std::make_unique<WaitingFilter>();
    return std::make_unique<NullFilter>(!needs_.data_verdict);
  }

 private:
  const Needs& needs_;
  Work* work_;
  bool waits_;
};

class NullMilter : public Milter {
 public:
  NullMilter(const Needs& needs, Work* work, bool waits)
      : needs_(needs), work_(work), waits_(waits) {}
  Needs needs() const override { return needs_; }
  std::unique_ptr<Connection> connect(const Client&) override {
    return std::make_unique<NullConnection>(needs_, work_, waits_);
  }

 private:
  const Needs needs_;
  Work* const work_;
  const bool waits_;
};

class NullDaemon : public Daemon {
 public:
  NullDaemon(const Needs& needs, std::string_view shape, const DaemonContext& context)
      : work_(shape == "work" ? std::make_unique<Work>(context) : nullptr),
        milter_(needs, work_.get(), shape == "wait") {}
  Milter& milter() override { return milter_; }

 private:
  std::unique_ptr<Work> work_;
  NullMilter milter_;
};

std::optional<Needs> needs_of(std::string_view shape) {
  if (shape == "idle" || shape == "wait") return Needs{};
  if (shape == "rcpt" || shape == "work") return Needs{.recipient_verdict = true};
  if (shape == "early") return Needs{.recipient_verdict = true, .data_verdict = true};
  if (shape == "all") {
    return Needs{.headers = true, .body = true, .recipient_verdict = true, .edits = true};
  }
  if (shape == "seen") {
    return Needs{.headers = true, .body = true, .recipients = true, .edits = true};
  }
  return std::nullopt;
}

}  // namespace
}  // namespace mxfeed

int main(int argc, char** argv) {
  const auto needs = mxfeed::needs_of(argc > 1 ? argv[1] : "");
  if (!needs) {
    fmt::print(stderr,
               "usage: null_milter idle|rcpt|early|all|seen|work|wait --socket SPEC "
               "[--state DIR]\n");
    return 2;
  }
  return mxfeed::run_milter(argc - 1, argv + 1,
                            {"null", [&](const mxfeed::DaemonContext& context) {
                               return std::make_unique<mxfeed::NullDaemon>(
                                   *needs, argv[1], context);
                             }});
}
