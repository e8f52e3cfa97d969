// SPDX-License-Identifier: GPL-2.0-or-later
//
// The server's side of LMTP (RFC 2033), as Postfix's lmtp(8) speaks it.  No I/O: octets
// go in, replies come out, and a Delivery takes what is delivered.
//
// Nothing that comes in is unbounded.  What is odd is answered 4xx or 5xx; our transport
// has soft_bounce, so Postfix keeps the mail in either case.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/held_address.h"

namespace mxfeed::quarantine {

// The envelope of a message.
struct Arrival {
  std::string sender;             // without angle brackets; empty for the null sender
  bool eight_bit = false;         // BODY=8BITMIME (RFC 6152)
  bool smtputf8 = false;          // RFC 6531
  std::vector<HeldAddress> held;  // in the order of the commands
  std::vector<std::string> receipts{};  // tokens of messages that Postfix has taken
};

// What becomes of a message.  Each function but abandon() may throw Fault: then all of
// its recipients are answered 452.
class Delivery {
 public:
  virtual ~Delivery() = default;
  virtual void begin(const Arrival& arrival) = 0;
  // Octets of the content, its lines ended by CRLF, dots not doubled.
  virtual void add(std::string_view content) = 0;
  // All of it came.  When this returns it is kept, whatever happens to the host.
  virtual void end(const Arrival& arrival) = 0;
  // It is not delivered after all.
  virtual void abandon() noexcept = 0;
};

class Dialog {
 public:
  static constexpr std::size_t kMaxLine = 4096;  // of a command, with its CRLF
  static constexpr std::size_t kMaxRecipients = 1000;
  static constexpr std::size_t kMaxSender = 1024;
  static constexpr std::size_t kMaxErrors = 20;  // then the client is told to go
  static constexpr std::size_t kMaxSize = std::size_t{2} << 30;

  // `delivery` outlives the dialog.
  Dialog(Delivery& delivery, std::string host, std::size_t most_size = kMaxSize);
  ~Dialog();
  Dialog(const Dialog&) = delete;
  Dialog& operator=(const Dialog&) = delete;

  // Octets that the client has sent.
  void feed(std::string_view octets);
  // What is to be sent to the client; each call returns what is new.
  std::string take_replies();

  // Whether the connection is to be closed once the replies are sent.
  bool is_over() const { return is_over_; }
  // Whether a message is coming in: it would be lost to the client's next try.
  bool is_receiving() const { return state_ == State::content; }

 private:
  enum class State { command, content };
  // What the end of the content so far is.
  enum class Tail { line_start, dot, dot_cr, text, cr };

  void command(std::string_view line);
  void hello();
  void mail(std::string_view argument);
  void recipient(std::string_view argument);
  void data();
  std::string_view take_content(std::string_view octets);
  void add(std::string_view content);
  void finish();
  void fail_delivery(std::string_view what);
  void reset();
  void reply(std::string_view text);
  void refuse(std::string_view text);

  Delivery& delivery_;
  const std::string host_;
  const std::size_t most_size_;
  State state_ = State::command;
  Tail tail_ = Tail::line_start;
  std::string line_;          // a command that is not complete
  bool is_too_long_ = false;  // the rest of its line is skipped
  bool greeted_ = false;      // LHLO came
  bool has_sender_ = false;
  Arrival arrival_;
  std::vector<bool> is_receipt_;  // of the accepted recipients, for the replies
  std::size_t size_ = 0;
  std::string failure_;  // the reply for all recipients, if the delivery failed
  std::string replies_;
  std::size_t errors_ = 0;
  bool is_over_ = false;
};

}  // namespace mxfeed::quarantine
