// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a milter of ours implements: who connects, one transaction, its end.
//
// Session (session.h) is the state machine between libmilter and these classes: it calls
// them in protocol order, from the session's own thread, applies limits, renders replies
// and carries out edits.  It knows no libmilter; the trampolines in libmilter.cpp do, so
// that sessions can be tested, fuzzed and run many in a process.
//
// Verdicts exist at RCPT, DATA and end of message only: Postfix is told not to wait for
// an answer anywhere else.  A fault or an exceeded limit in between is kept and answered
// at the next of these.  Outcomes are returned, faults are thrown.

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

// Tells Postfix that an answer takes longer (SMFIR_PROGRESS): each call starts its timer
// anew.  Valid during on_end() only, from its thread.
using Progress = std::function<void()>;

// One transaction, MAIL FROM to end of message.  An aborted one is simply destroyed.
class Filter {
 public:
  virtual ~Filter() = default;

  // Concerns this recipient only; the transaction goes on whatever the verdict.  The
  // recipient joins Envelope::recipients after a verdict to proceed.
  [[nodiscard]] virtual Verdict on_recipient(const Recipient&) {
    return Verdict::proceed();
  }
  [[nodiscard]] virtual Verdict on_data() { return Verdict::proceed(); }

  // `value` is as received: folded, LF line ends, leading space kept.  Both are valid
  // during the call only.
  virtual void on_header(std::string_view /*name*/, std::string_view /*value*/) {}

  // A chunk of the body, cut anywhere, CRLF line ends, valid during the call only.
  virtual void on_body(std::span<const std::byte>) {}

  // Everything has been seen.  The only place where the message may be edited; edits take
  // effect only with a verdict to proceed.
  [[nodiscard]] virtual Verdict on_end(MessageEdits&, const Progress&) {
    return Verdict::proceed();
  }

  // The answer when something of ours broke, in this call or an earlier one; the filter
  // is asked nothing more in this transaction.  Default: 451 4.3.0, reason "fault".
  [[nodiscard]] virtual Verdict on_fault(const Fault&) noexcept;

  // The answer when the message exceeds a limit of the session (session.h).
  // Default: 552 5.3.4, reason "limit".
  [[nodiscard]] virtual Verdict on_limit(std::string_view what) noexcept;

  // Adds what the log line of the last verdict should say besides the session's own
  // fields (t, event, verdict, reason, queue, client, from, rcpt).
  virtual void describe(LogFields&) const {}
};

// One SMTP connection.  Look-ups that take time are started here, not awaited.
class Connection {
 public:
  virtual ~Connection() = default;

  // At MAIL FROM; the policy snapshot of the transaction is taken here.  Never null: a
  // filter with nothing to do proceeds.  The envelope outlives the filter.
  virtual std::unique_ptr<Filter> begin(const Envelope&) = 0;
};

// What Postfix has to send and to wait for; the rest is negotiated away, and every answer
// not given is throughput won.
struct Needs {
  bool helo = false;
  bool headers = false;
  bool body = false;
  bool recipients = false;         // told of them, without an answer
  bool recipient_verdict = false;  // implies recipients
  bool data_verdict = false;
  // Nothing is left to do after DATA: the filter is asked on_data() last, never on_end(),
  // and Postfix does not read the message once more for this milter.  Not together with
  // headers, body or edits.
  bool ends_at_data = false;
  bool edits = false;
};

// Shared by all connections, thread-safe, outlives them.
class Milter {
 public:
  virtual ~Milter() = default;
  virtual Needs needs() const = 0;
  // Never null.
  virtual std::unique_ptr<Connection> connect(const Client&) = 0;

  // The answer for a transaction that has no filter, because connect() or begin() threw.
  // Default: 451 4.3.0, reason "fault".
  [[nodiscard]] virtual Verdict on_fault(const Fault&) noexcept;
};

}  // namespace mxfeed
