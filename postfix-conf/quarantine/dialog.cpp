// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/quarantine/dialog.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/text.h"

namespace mxfeed::quarantine {
namespace {

// "FROM:<a@b> SIZE=1" after "FROM:": the path without its brackets, and what follows.
struct Argument {
  std::string_view path;
  std::vector<std::string_view> parameters;
};

bool is_clean(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= ' ' && byte != 0x7f;
  });
}

// The end of a path, which may have ">" in quotes (RFC 5321, 4.1.2).
std::size_t end_of_path(std::string_view text) {
  bool is_quoted = false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      is_quoted = !is_quoted;
    } else if (text[i] == '>' && !is_quoted) {
      return i;
    }
  }
  return std::string_view::npos;
}

std::optional<Argument> parse_argument(std::string_view text, std::string_view keyword) {
  if (!istarts_with(text, keyword)) return std::nullopt;
  text = trim(text.substr(keyword.size()));
  if (!text.starts_with('<') || !is_clean(text)) return std::nullopt;
  const auto end = end_of_path(text);
  if (end == std::string_view::npos) return std::nullopt;
  Argument argument{text.substr(1, end - 1), {}};
  text.remove_prefix(end + 1);
  if (!text.empty() && !text.starts_with(' ')) return std::nullopt;
  while (!(text = trim(text)).empty()) {
    const auto blank = std::min(text.find(' '), text.size());
    argument.parameters.push_back(text.substr(0, blank));
    text.remove_prefix(blank);
  }
  return argument;
}

}  // namespace

Dialog::Dialog(Delivery& delivery, std::string host, std::size_t most_size)
    : delivery_(delivery), host_(std::move(host)), most_size_(most_size) {
  reply(fmt::format("220 {} mxfeed-quarantine LMTP", host_));
}

Dialog::~Dialog() {
  if (state_ == State::content) delivery_.abandon();
}

std::string Dialog::take_replies() {
  return std::exchange(replies_, {});
}

void Dialog::reply(std::string_view text) {
  replies_.append(text).append("\r\n");
}

void Dialog::refuse(std::string_view text) {
  static Metric& refused = counter("mxfeed_quarantine_refused_commands_total");
  refused.add();
  if (++errors_ < kMaxErrors) return reply(text);
  reply("421 4.7.0 Too many errors");
  is_over_ = true;
}

void Dialog::feed(std::string_view octets) {
  while (!octets.empty() && !is_over_) {
    if (state_ == State::content) {
      octets = take_content(octets);
      continue;
    }
    const auto end = octets.find('\n');
    const auto piece = octets.substr(0, end);
    if (!is_too_long_ && line_.size() + piece.size() + 1 > kMaxLine) {
      is_too_long_ = true;
      line_.clear();
    }
    if (!is_too_long_) line_.append(piece);
    if (end == std::string_view::npos) return;
    octets.remove_prefix(end + 1);
    std::string line = std::exchange(line_, {});
    if (std::exchange(is_too_long_, false)) {
      refuse("500 5.5.2 Line too long");
      continue;
    }
    if (line.ends_with('\r')) line.pop_back();
    command(line);
  }
}

void Dialog::command(std::string_view line) {
  const auto blank = std::min(line.find(' '), line.size());
  const auto verb = line.substr(0, blank);
  const auto argument = trim(line.substr(blank));
  if (iequals(verb, "LHLO")) return hello();
  if (iequals(verb, "QUIT")) {
    reply("221 2.0.0 Bye");
    is_over_ = true;
  } else if (iequals(verb, "NOOP")) {
    reply("250 2.0.0 Ok");
  } else if (iequals(verb, "RSET")) {
    reset();
    reply("250 2.0.0 Ok");
  } else if (!greeted_) {
    refuse("503 5.5.1 Say LHLO first");
  } else if (iequals(verb, "MAIL")) {
    mail(argument);
  } else if (iequals(verb, "RCPT")) {
    recipient(argument);
  } else if (iequals(verb, "DATA")) {
    data();
  } else {
    refuse("500 5.5.2 Unknown command");
  }
}

void Dialog::hello() {
  reset();
  greeted_ = true;
  reply(fmt::format("250-{}", host_));
  reply("250-PIPELINING");
  reply("250-ENHANCEDSTATUSCODES");
  reply("250-8BITMIME");
  reply("250-SMTPUTF8");
  reply(fmt::format("250 SIZE {}", most_size_));
}

void Dialog::mail(std::string_view text) {
  if (has_sender_) return refuse("503 5.5.1 Nested MAIL command");
  const auto argument = parse_argument(text, "FROM:");
  if (!argument || argument->path.size() > kMaxSender) {
    return refuse("501 5.1.7 Malformed sender");
  }
  Arrival arrival;
  arrival.sender = argument->path;
  for (const auto one : argument->parameters) {
    constexpr std::string_view kSize = "SIZE=";
    if (iequals(one, "BODY=8BITMIME")) {
      arrival.eight_bit = true;
    } else if (iequals(one, "SMTPUTF8")) {
      arrival.smtputf8 = true;
    } else if (istarts_with(one, kSize)) {
      const auto size = parse_unsigned(one.substr(kSize.size()));
      if (!size) return refuse("501 5.5.4 Malformed SIZE");
      if (*size > most_size_) return refuse("552 5.3.4 Message too large");
    } else if (!iequals(one, "BODY=7BIT")) {
      return refuse("555 5.5.4 Unknown parameter");
    }
  }
  arrival_ = std::move(arrival);
  has_sender_ = true;
  reply("250 2.1.0 Ok");
}

void Dialog::recipient(std::string_view text) {
  if (!has_sender_) return refuse("503 5.5.1 Say MAIL first");
  const auto argument = parse_argument(text, "TO:");
  if (!argument || !argument->parameters.empty()) {
    return refuse("501 5.1.3 Malformed recipient");
  }
  const auto at = argument->path.rfind('@');
  const bool is_ours = at != std::string_view::npos &&
                       iequals(argument->path.substr(at + 1), kQuarantineDomain);
  const auto local_part = is_ours ? argument->path.substr(0, at) : std::string_view();
  auto held = HeldAddress::parse(local_part);
  auto receipt = parse_receipt(local_part);
  if (!held && !receipt) return refuse("550 5.1.1 Not an address of the quarantine");
  if (is_receipt_.size() >= kMaxRecipients) {
    return reply("452 4.5.3 Too many recipients");
  }
  is_receipt_.push_back(receipt.has_value());
  if (held) arrival_.held.push_back(*std::move(held));
  if (receipt) arrival_.receipts.push_back(*std::move(receipt));
  reply("250 2.1.5 Ok");
}

void Dialog::data() {
  // RFC 2033, 4.2: without a recipient there is no reply after the message.
  if (is_receipt_.empty()) return refuse("503 5.5.1 No valid recipients");
  failure_.clear();
  try {
    delivery_.begin(arrival_);
  } catch (const Fault& fault) {
    fail_delivery(fault.what());
    return reply(std::exchange(failure_, {}));
  }
  state_ = State::content;
  tail_ = Tail::line_start;
  size_ = 0;
  reply("354 End data with <CR><LF>.<CR><LF>");
}

void Dialog::fail_delivery(std::string_view what) {
  counter("mxfeed_faults_total").add();
  log(Severity::error, LogFields().add("event", "quarantine-fault").add("fault", what));
  failure_ = "452 4.3.1 The quarantine cannot store it at present";
}

void Dialog::add(std::string_view content) {
  if (content.empty() || !failure_.empty()) return;
  size_ += content.size();
  if (size_ > most_size_) {
    failure_ = "552 5.3.4 Message too large";
    return delivery_.abandon();
  }
  try {
    delivery_.add(content);
  } catch (const Fault& fault) {
    fail_delivery(fault.what());
    delivery_.abandon();
  }
}

// Returns what follows the end of the message.  RFC 5321, 4.5.2: a line that begins with
// a dot loses it; one of a dot alone is the end.  Only CRLF ends a line.
std::string_view Dialog::take_content(std::string_view octets) {
  std::size_t begin = 0;  // of what is not yet handed over
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const char c = octets[i];
    switch (tail_) {
      case Tail::line_start:
        if (c == '.') {
          add(octets.substr(begin, i - begin));
          begin = i + 1;
          tail_ = Tail::dot;
          continue;
        }
        break;
      case Tail::dot:
        if (c == '\r') {
          begin = i + 1;
          tail_ = Tail::dot_cr;
          continue;
        }
        break;
      case Tail::dot_cr:
        if (c == '\n') {
          finish();
          return octets.substr(i + 1);
        }
        add("\r");
        begin = i;
        break;
      case Tail::cr:
        if (c == '\n') {
          tail_ = Tail::line_start;
          continue;
        }
        break;
      case Tail::text:
        break;
    }
    tail_ = c == '\r' ? Tail::cr : Tail::text;
  }
  if (begin < octets.size()) add(octets.substr(begin));
  return {};
}

void Dialog::finish() {
  state_ = State::command;
  if (failure_.empty()) {
    try {
      delivery_.end(arrival_);
    } catch (const Fault& fault) {
      fail_delivery(fault.what());
      delivery_.abandon();
    }
  }
  // RFC 2033, 4.2: one reply for each recipient.
  for (const bool is_receipt : is_receipt_) {
    reply(!failure_.empty() ? failure_
          : is_receipt      ? "250 2.0.0 Noted"
                            : "250 2.0.0 Held");
  }
  reset();
}

void Dialog::reset() {
  has_sender_ = false;
  arrival_ = {};
  is_receipt_.clear();
  failure_.clear();
}

}  // namespace mxfeed::quarantine
