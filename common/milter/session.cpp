// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/session.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "common/base/metrics.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

std::atomic<unsigned> active{0};

constexpr std::size_t kMaxPath = 320;

// Unique in the process; the random part makes it very likely unique in the log.
std::string next_id() {
  static const std::uint32_t start = [] {
    std::uint32_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != sizeof random) random = 1;
    return random;
  }();
  static std::atomic<std::uint64_t> count{0};
  return fmt::format("{:08x}.{:x}", start, ++count);
}

std::string_view to_string(Action action) {
  switch (action) {
    case Action::proceed:
      return "proceed";
    case Action::defer:
      return "defer";
    case Action::reject:
      return "reject";
    case Action::discard:
      return "discard";
  }
  return "?";
}

Verdict misordered() {
  return Verdict::defer({451, "4.5.0"}, "out-of-order", "Commands out of order");
}

// Postfix's maps route our domains to our transports, or to retry(8).
bool may_be_ours(std::string_view transport) {
  return transport.empty() || transport.starts_with("mxfeed-") || transport == "retry";
}

std::string_view without_brackets(std::string_view path) {
  const bool has_both = path.size() >= 2 && path.starts_with('<') && path.ends_with('>');
  return has_both ? path.substr(1, path.size() - 2) : path;
}

std::string sender_of(std::string_view text) {
  if (const auto path = Path::parse(text)) return path->str();
  return std::string(text.substr(0, kMaxPath));
}

}  // namespace

struct Session::Transaction {
  enum class Stage { envelope, header, body };

  Transaction() { ++active; }
  ~Transaction() { --active; }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // The filter borrows the envelope, so it is declared after it.
  Envelope envelope;
  std::unique_ptr<Filter> filter;
  std::optional<Verdict> kept;  // after a fault or a limit: the answer from now on
  Stage stage = Stage::envelope;
  std::size_t headers = 0;
  std::size_t header_bytes = 0;
  bool in_order = true;
};

Session::Session(Milter& milter, std::string_view name, const SessionLimits& limits)
    : milter_(milter), name_(name), limits_(limits), needs_(milter.needs()) {}

Session::~Session() = default;

unsigned Session::active_transactions() {
  return active.load();
}

// Runs a step of the filter; an exception becomes the kept verdict.
template <typename Step>
void Session::guarded(const Step& step) noexcept {
  const auto failed = [this](const Fault& fault) {
    LogFields fields;
    if (transaction_) fields.add("t", transaction_->envelope.id);
    fields.add("milter", name_).add("event", "fault").add("fault", fault.what());
    log(Severity::error, fields);
    counter("mxfeed_faults_total").add();
    if (transaction_) {
      keep(transaction_->filter ? transaction_->filter->on_fault(fault)
                                : milter_.on_fault(fault));
    }
  };
  try {
    step();
  } catch (const Fault& fault) {
    failed(fault);
  } catch (const std::exception& error) {
    failed(Fault("run filter", name_, error.what()));
  } catch (...) {
    failed(Fault("run filter", name_, "unknown exception"));
  }
}

void Session::keep(const Verdict& verdict) {
  if (!transaction_->kept) transaction_->kept = checked(verdict, true);
}

// Postfix would apply a discard before the end to all recipients.
Verdict Session::checked(Verdict verdict, bool at_end) {
  if (verdict.action() == Action::discard && !at_end) {
    log(Severity::error, LogFields()
                             .add("milter", name_)
                             .add("event", "fault")
                             .add("fault", "discard before the end of the message"));
    return Verdict::defer({451, "4.3.0"}, "fault", "Try again later");
  }
  return verdict;
}

void Session::out_of_order(std::string_view event) {
  counter("mxfeed_out_of_order_total").add();
  if (transaction_ ? !transaction_->in_order : std::exchange(misorder_logged_, true))
    return;
  LogFields fields;
  if (transaction_) fields.add("t", transaction_->envelope.id);
  log(Severity::warning,
      fields.add("milter", name_).add("event", event).add("reason", "out-of-order"));
  if (!transaction_) return;
  transaction_->in_order = false;
  transaction_->kept = misordered();
}

bool Session::lacks_recipients() const {
  return (needs_.recipients || needs_.recipient_verdict) &&
         transaction_->envelope.recipients.empty();
}

void Session::report(std::string_view event, const Verdict& verdict,
                     const std::string& rcpt) {
  if (verdict.action() == Action::proceed && verdict.reason().empty()) return;
  counter("mxfeed_verdicts_total",
          fmt::format(R"(event="{}",verdict="{}",reason="{}")", event,
                      to_string(verdict.action()), verdict.reason()))
      .add();
  const Envelope& envelope = transaction_->envelope;
  LogFields fields;
  fields.add("t", envelope.id);
  if (!envelope.queue_id.empty()) fields.add("queue", envelope.queue_id);
  fields.add("milter", name_)
      .add("event", event)
      .add("verdict", to_string(verdict.action()))
      .add("reason", verdict.reason());
  if (verdict.code() != 0) fields.add("code", verdict.code());
  fields.add("client", client_.address ? client_.address->str() : "local")
      .add("from", envelope.sender);
  if (!rcpt.empty()) {
    fields.add("rcpt", rcpt);
  } else if (needs_.recipients || needs_.recipient_verdict) {
    fields.add("rcpts", envelope.recipients.size());
  }
  if (transaction_->filter && !transaction_->kept) transaction_->filter->describe(fields);
  log(Severity::info, fields);
}

void Session::connect(Client client) {
  transaction_.reset();
  connection_.reset();
  client_ = std::move(client);
  guarded([&] { connection_ = milter_.connect(client_); });
}

void Session::helo(std::string_view name) {
  helo_ = name.substr(0, kMaxPath);
}

void Session::mail(std::string_view path, const MailOptions& options) {
  transaction_.reset();
  transaction_ = std::make_unique<Transaction>();
  Envelope& envelope = transaction_->envelope;
  envelope.id = next_id();
  envelope.client = client_;
  envelope.helo = helo_;
  envelope.authenticated = options.authenticated;
  envelope.smtputf8 = options.smtputf8;
  envelope.declared_size = options.size;
  envelope.sender = sender_of(path);
  guarded([&] {
    if (!connection_) connection_ = milter_.connect(client_);
    transaction_->filter = connection_->begin(envelope);
    if (!transaction_->filter) throw Fault("begin transaction", name_, "no filter");
  });
}

Verdict Session::recipient(std::string_view path, std::string_view resolved,
                           std::string_view transport) {
  const std::string_view as_received = path;
  if (!resolved.empty()) path = resolved;
  if (!transaction_ || transaction_->stage != Transaction::Stage::envelope) {
    out_of_order("rcpt");
    return misordered();
  }
  Recipient recipient = Recipient::parse(path);
  recipient.may_be_hosted = may_be_ours(transport);
  recipient.as_received = without_brackets(as_received);
  Verdict verdict = Verdict::proceed();
  if (!transaction_->kept &&
      transaction_->envelope.recipients.size() >= limits_.recipients) {
    // RFC 5321, 4.5.3.1.10: too many recipients.
    if (needs_.recipient_verdict) {
      verdict =
          Verdict::defer({452, "4.5.3"}, "too-many-recipients", "Too many recipients");
      report("rcpt", verdict, sender_of(path));
      return verdict;
    }
    keep(transaction_->filter->on_limit("recipients"));
  }
  if (!transaction_->kept && needs_.recipient_verdict) {
    guarded(
        [&] { verdict = checked(transaction_->filter->on_recipient(recipient), false); });
  }
  if (transaction_->kept) {
    verdict = needs_.recipient_verdict ? checked(*transaction_->kept, false)
                                       : Verdict::proceed();
  }
  if (needs_.recipient_verdict) report("rcpt", verdict, sender_of(path));
  if (verdict.action() == Action::proceed &&
      transaction_->envelope.recipients.size() < limits_.recipients) {
    transaction_->envelope.recipients.push_back(recipient);
    if (!transaction_->kept) {
      guarded([&] { transaction_->filter->on_accepted(recipient); });
    }
  }
  return verdict;
}

void Session::refused_recipient(std::string_view path, std::string_view status) {
  if (!transaction_ || transaction_->stage != Transaction::Stage::envelope) {
    out_of_order("rcpt");
    return;
  }
  if (transaction_->kept) return;
  guarded([&] {
    const Verdict verdict =
        transaction_->filter->on_refused(Recipient::parse(path), status.substr(0, 16));
    if (!verdict.reason().empty()) report("refused", verdict, sender_of(path));
  });
}

Verdict Session::data() {
  if (!transaction_ || transaction_->stage != Transaction::Stage::envelope) {
    out_of_order("data");
    return misordered();
  }
  transaction_->stage = Transaction::Stage::header;
  if (lacks_recipients()) out_of_order("data");
  Verdict verdict = Verdict::proceed();
  if (!transaction_->kept) {
    guarded([&] { verdict = checked(transaction_->filter->on_data(), false); });
  }
  if (transaction_->kept) verdict = checked(*transaction_->kept, false);
  report("data", verdict, "");
  const bool is_over = transaction_->kept || !transaction_->filter->wants_content();
  if (is_over && verdict.action() == Action::proceed) transaction_.reset();
  return verdict;
}

void Session::header(std::string_view name, std::string_view value) {
  if (!transaction_ || transaction_->stage == Transaction::Stage::body) {
    out_of_order("header");
    return;
  }
  transaction_->stage = Transaction::Stage::header;
  if (transaction_->kept) return;
  transaction_->headers += 1;
  transaction_->header_bytes += name.size() + value.size();
  if (transaction_->headers > limits_.headers ||
      transaction_->header_bytes > limits_.header_bytes) {
    keep(transaction_->filter->on_limit("header"));
    return;
  }
  guarded([&] { transaction_->filter->on_header(name, value); });
}

void Session::body(std::span<const std::byte> chunk) {
  if (!transaction_) {
    out_of_order("body");
    return;
  }
  transaction_->stage = Transaction::Stage::body;
  if (transaction_->kept) return;
  guarded([&] { transaction_->filter->on_body(chunk); });
}

Verdict Session::end(EditSink& sink) {
  if (!transaction_) {
    out_of_order("end");
    return misordered();
  }
  Transaction& transaction = *transaction_;
  if (transaction.in_order && lacks_recipients()) out_of_order("end");
  Verdict verdict = Verdict::proceed();
  MessageEdits edits;
  if (!transaction.kept) {
    guarded(
        [&] { verdict = transaction.filter->on_end(edits, [&] { sink.progress(); }); });
  }
  if (transaction.kept) {
    verdict = *transaction.kept;
  } else if (verdict.action() == Action::proceed && !edits.empty()) {
    // A message with only some of its edits must not pass, whatever the policy.
    bool done = true;
    for (const HeaderEdit& edit : edits.ordered()) done = done && sink.edit(edit);
    // A recipient that is exchanged for others is never without one.
    for (const auto& one : edits.added_recipients()) {
      done = done && sink.add_recipient(one);
    }
    for (const auto& one : edits.removed_recipients()) {
      done = done && sink.remove_recipient(one);
    }
    if (done && !edits.quarantine_reason().empty()) {
      done = sink.quarantine(edits.quarantine_reason());
    }
    if (!done) {
      counter("mxfeed_faults_total").add();
      verdict = Verdict::defer({451, "4.3.0"}, "edit-fault", "Try again later");
    }
  }
  report("end", verdict, "");
  transaction_.reset();
  return verdict;
}

void Session::abort() {
  transaction_.reset();
}

void Session::set_queue_id(std::string_view id) {
  if (transaction_ && transaction_->envelope.queue_id.empty()) {
    transaction_->envelope.queue_id = id.substr(0, 64);
  }
}

}  // namespace mxfeed
