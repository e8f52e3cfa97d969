// SPDX-License-Identifier: GPL-2.0-or-later
//
// The state machine of one milter session (one SMTP connection) between what Postfix
// sends and what a Filter is asked: order, limits, kept faults, replies, edits, the log
// line and the counters of each verdict.  Knows no libmilter.
//
// Each event returns the verdict to be answered; where Postfix was told not to wait for
// an answer (Needs), it is always to proceed.  What a filter throws is kept and answered;
// lack of memory passes through.  Events of one session come from one thread.
//
// An event out of order (RCPT before MAIL, a header after the body, an end without
// recipients) ends the transaction; its answer, and that of every event until the next
// MAIL, is 451 4.5.0.

#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/milter/filter.h"

namespace mxfeed {

// Nothing from the network is unbounded.  Postfix bounds one field to 60 kB, the number
// of fields not at all.
struct SessionLimits {
  std::size_t header_bytes = std::size_t{1} << 20;  // names and values of all fields
  std::size_t headers = 10'000;
  std::size_t recipients = 10'000;
};

// Carries out edits: libmilter, or a list in a test.
class EditSink {
 public:
  virtual ~EditSink() = default;
  // False if it could not be done.
  virtual bool edit(const HeaderEdit& edit) = 0;
  virtual bool quarantine(const std::string& reason) = 0;
  virtual void progress() = 0;
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
  // `path` is the argument of MAIL, "<a@b.example>"; begins a transaction, ends the one
  // before.
  void mail(std::string_view path, std::string_view auth_user);
  // `path` is the argument of RCPT as the client wrote it: "<c%d.example@mx.example>" or
  // "<c(x)@d.example>" are the client's to choose.  `resolved` is the address that
  // Postfix made of it and routes by, which counts; empty if it did not say.
  [[nodiscard]] Verdict recipient(std::string_view path, std::string_view resolved = {});
  [[nodiscard]] Verdict data();
  void header(std::string_view name, std::string_view value);
  void body(std::span<const std::byte> chunk);
  [[nodiscard]] Verdict end(EditSink& sink);
  void abort();

  // Postfix's id of the message, as soon as it has one.
  void set_queue_id(std::string_view id);

  // Transactions between MAIL and their end, in the whole process.
  static unsigned active_transactions();

 private:
  struct Transaction;

  template <typename Step>
  void guarded(const Step& step) noexcept;
  void keep(const Verdict& verdict);
  void out_of_order(std::string_view event);
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
  bool misorder_logged_ = false;  // outside a transaction: once a session is enough
};

}  // namespace mxfeed
