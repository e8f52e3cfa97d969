// SPDX-License-Identifier: GPL-2.0-or-later
//
// The state machine of one milter session (one SMTP connection), between the events from
// Postfix and the calls of a Filter: order, limits, kept faults, edits, the log line and
// the counters of each verdict.  Does not know libmilter.
//
// Each event returns the verdict to be answered; where Postfix was told not to wait for
// an answer (Needs), it is always to proceed.  An exception from a filter becomes the
// filter's verdict on faults and is kept.  Exceptions of the session itself (out of
// memory) pass through.  Events of one session come from one thread.
//
// An event out of order (RCPT before MAIL, a header after the body, DATA or an end
// without recipients) ends the transaction; its answer, and that of every event until the
// next MAIL, is 451 4.5.0.

#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/milter/filter.h"

namespace mxfeed {

// Limits on what comes from the network.  Postfix limits one field to 60 kB, but not the
// number of fields.
struct SessionLimits {
  std::size_t header_bytes = std::size_t{1} << 20;  // names and values of all fields
  std::size_t headers = 10'000;
  std::size_t recipients = 10'000;
};

// Carries out edits: libmilter, or a list in a test.
class EditSink {
 public:
  virtual ~EditSink() = default;
  // Each returns false if the edit was refused.
  virtual bool edit(const HeaderEdit& edit) = 0;
  virtual bool add_recipient(const std::string& address) = 0;
  virtual bool remove_recipient(const std::string& address) = 0;
  virtual bool quarantine(const std::string& reason) = 0;
  virtual void progress() = 0;
};

// What comes with MAIL besides the address.
struct MailOptions {
  bool authenticated = false;
  bool smtputf8 = false;
  std::uint64_t size = 0;  // 0: not declared
};

class Session {
 public:
  // `name` is the milter's in log lines; both outlive the session.
  Session(Milter& milter, std::string_view name, const SessionLimits& limits = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void connect(Client client);
  void helo(std::string_view name);
  // `path` is the argument of MAIL, "<a@b.example>"; begins a transaction and ends the
  // previous one.
  void mail(std::string_view path, const MailOptions& options = {});
  // `path` is the argument of RCPT as the client wrote it, such as
  // "<c%d.example@mx.example>" or "<c(x)@d.example>".  `resolved` is the address that
  // Postfix made of it and routes by: it takes precedence.  `transport` is the service
  // that it is routed to.  Both are empty if Postfix did not send them.
  [[nodiscard]] Verdict recipient(std::string_view path, std::string_view resolved = {},
                                  std::string_view transport = {});
  // Postfix has refused the recipient; `status` is its enhanced status code.
  void refused_recipient(std::string_view path, std::string_view status);
  // After a verdict to proceed the transaction has ended if the filter does not want the
  // content.
  [[nodiscard]] Verdict data();
  void header(std::string_view name, std::string_view value);
  void body(std::span<const std::byte> chunk);
  [[nodiscard]] Verdict end(EditSink& sink);
  void abort();

  // What was asked of Postfix, for this connection.
  const Needs& needs() const { return needs_; }
  bool in_transaction() const { return transaction_ != nullptr; }

  // Postfix's id of the message, as soon as it has one.
  void set_queue_id(std::string_view id);

  // The number of open transactions in the whole process.
  static unsigned active_transactions();

 private:
  struct Transaction;

  template <typename Step>
  void guarded(const Step& step) noexcept;
  void keep(const Verdict& verdict);
  void out_of_order(std::string_view event);
  bool lacks_recipients() const;
  void report(std::string_view event, const Verdict& verdict, const std::string& rcpt);
  Verdict checked(Verdict verdict, bool at_end);

  Milter& milter_;
  const std::string_view name_;
  const SessionLimits limits_;
  const Needs needs_;
  Client client_;
  std::string helo_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Transaction> transaction_;
  bool misorder_logged_ = false;  // outside of a transaction: logged once a session
};

}  // namespace mxfeed
