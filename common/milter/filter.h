// SPDX-License-Identifier: GPL-2.0-or-later
//
// The interface that each milter implements: connection, transaction, end of message.
//
// Session (session.h) is the state machine between libmilter and these classes: it calls
// them in protocol order, from the session's own thread, applies limits, renders replies
// and carries out edits.  It does not know libmilter; only the trampolines in
// libmilter.cpp do.  So sessions can be tested and fuzzed, many in one process.
//
// Verdicts exist at RCPT, DATA and end of message only: Postfix is told not to wait for
// an answer anywhere else.  A fault or an exceeded limit in between is kept, and answered
// at the next of these events.  Outcomes are returned, faults are thrown.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/mail/edits.h"
#include "common/mail/envelope.h"
#include "common/mail/verdict.h"

namespace mxfeed {

// Tells Postfix that an answer takes longer (SMFIR_PROGRESS): each call restarts its
// timer.  Valid during on_end() only, from its thread.
using Progress = std::function<void()>;

// One transaction, MAIL FROM to end of message.  An aborted one is simply destroyed.
class Filter {
 public:
  virtual ~Filter() = default;

  // The verdict concerns this recipient only; the transaction continues in any case.  The
  // recipient joins Envelope::recipients after a verdict to proceed.
  [[nodiscard]] virtual Verdict on_recipient(const Recipient&) {
    return Verdict::proceed();
  }
  // The recipient has joined Envelope::recipients, with or without a verdict (Needs).
  virtual void on_accepted(const Recipient&) {}
  // Postfix itself has refused the recipient, which does not join the envelope; `status`
  // is its enhanced status code, "4.1.1" (RFC 3463).  Of the verdict only the reason
  // counts, for the log.  Needs::refused_recipients.
  [[nodiscard]] virtual Verdict on_refused(const Recipient&,
                                           std::string_view /*status*/) {
    return Verdict::proceed();
  }
  // Not called if Postfix could be told not to wait for an answer (Needs::data_verdict).
  [[nodiscard]] virtual Verdict on_data() { return Verdict::proceed(); }

  // Asked after on_data().  If not, the transaction ends there: Postfix does not read the
  // message again for this milter, and on_end() is not called.
  [[nodiscard]] virtual bool wants_content() const noexcept { return true; }

  // `value` is as received: folded, LF line ends, leading space kept.  Both are valid
  // during the call only.
  virtual void on_header(std::string_view /*name*/, std::string_view /*value*/) {}

  // A chunk of the body, cut anywhere, with CRLF line ends; valid during the call only.
  virtual void on_body(std::span<const std::byte>) {}

  // The whole message has been seen.  Only here may it be edited; the edits take effect
  // only with a verdict to proceed.
  [[nodiscard]] virtual Verdict on_end(MessageEdits&, const Progress&) {
    return Verdict::proceed();
  }

  // The answer after a fault, in this call or an earlier one; the filter is not called
  // again in this transaction.  Default: 451 4.3.0, reason "fault".
  [[nodiscard]] virtual Verdict on_fault(const Fault&) noexcept;

  // The answer when the message exceeds a limit of the session (session.h).
  // Default: 552 5.3.4, reason "limit".
  [[nodiscard]] virtual Verdict on_limit(std::string_view what) noexcept;

  // Adds fields to the log line of the last verdict, besides the session's own (t, queue,
  // milter, event, verdict, reason, code, client, from, rcpt, rcpts).
  virtual void describe(LogFields&) const {}
};

// One SMTP connection.  Slow look-ups may be started here but not waited for.
class Connection {
 public:
  virtual ~Connection() = default;

  // Called at MAIL FROM; takes the policy snapshot of the transaction.  Never null: a
  // filter with nothing to do proceeds.  The envelope outlives the filter.
  virtual std::unique_ptr<Filter> begin(const Envelope&) = 0;
};

// What Postfix has to send, and which answers it has to wait for.  The rest is negotiated
// away: every answer that is not needed costs throughput.
struct Needs {
  bool helo = false;
  bool headers = false;
  bool body = false;
  bool recipients = false;         // sent, without an answer
  bool recipient_verdict = false;  // implies recipients
  bool refused_recipients = false;
  bool data_verdict = false;
  bool edits = false;
  bool recipient_edits = false;
};

// Shared by all connections, thread-safe, outlives them.
class Milter {
 public:
  virtual ~Milter() = default;
  // Asked for each connection; only data_verdict may differ between them.
  virtual Needs needs() const = 0;
  // Never null.
  virtual std::unique_ptr<Connection> connect(const Client&) = 0;

  // The answer for a transaction that has no filter, because connect() or begin() threw.
  // Default: 451 4.3.0, reason "fault".
  [[nodiscard]] virtual Verdict on_fault(const Fault&) noexcept;

  // Whether mail passes if the session itself failed, as when the memory is exhausted;
  // otherwise it is deferred.
  [[nodiscard]] virtual bool passes_without_session() const noexcept { return false; }
};

}  // namespace mxfeed
