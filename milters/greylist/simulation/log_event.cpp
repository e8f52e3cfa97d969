// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/simulation/log_event.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "common/base/text.h"
#include "common/base/time_text.h"
#include "common/mail/delivery_line.h"

namespace mxfeed::greylist {
namespace {

using Kind = LogEvent::Kind;

constexpr std::array<std::string_view, 12> kMonths = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// "2026-11-27T02:51:00.123+01:00 ..." or "...+0100 ..."
std::optional<Time> full_time(std::string_view line) {
  std::string word(line.substr(0, line.find(' ')));
  constexpr std::size_t kZone = 5;
  if (word.size() > kZone) {
    const char sign = word[word.size() - kZone];
    if (sign == '+' || sign == '-') word.insert(word.size() - 2, ":");
  }
  return parse_time(word);
}

// "Nov 27 02:51:00 ..."
std::optional<Time> short_time(std::string_view line, Time now) {
  constexpr std::size_t kSize = 15;
  if (line.size() < kSize) return std::nullopt;
  const auto month = std::ranges::find(kMonths, line.substr(0, 3));
  const auto day = parse_unsigned(trim(line.substr(4, 2)));
  const auto clock = line.substr(7, 8);
  if (month == kMonths.end() || !day || clock[2] != ':' || clock[5] != ':') {
    return std::nullopt;
  }
  const auto hour = parse_unsigned(clock.substr(0, 2));
  const auto minute = parse_unsigned(clock.substr(3, 2));
  const auto second = parse_unsigned(clock.substr(6, 2));
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  namespace chr = std::chrono;
  const chr::year_month_day today(chr::floor<chr::days>(now));
  // The log may be a little ahead, or of another zone.
  for (const chr::year year : {today.year(), today.year() - chr::years(1)}) {
    const chr::year_month_day date(
        year, chr::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
        chr::day(static_cast<unsigned>(*day)));
    if (!date.ok()) continue;
    const Time time = chr::sys_days(date) + chr::hours(*hour) + chr::minutes(*minute) +
                      chr::seconds(*second);
    if (time <= now + chr::days(1)) return time;
  }
  return std::nullopt;
}

struct Parts {
  std::string_view program;  // "smtpd" of "postfix/smtpd", "postfix-in/smtpd" and so on
  std::string_view process;  // "smtpd[123]"
  std::string_view text;
};

std::optional<Parts> parts_of(std::string_view line) {
  // A program's name, never a peer's text, is before the first "]: ".
  const auto end = line.find("]: ");
  if (end == std::string_view::npos) return std::nullopt;
  auto tag = line.substr(0, end + 1);
  tag.remove_prefix(tag.rfind(' ') + 1);
  const auto slash = tag.rfind('/');
  if (!tag.starts_with("postfix") || slash == std::string_view::npos) return std::nullopt;
  const auto process = tag.substr(slash + 1);
  return Parts{process.substr(0, process.find('[')), process, line.substr(end + 3)};
}

// "QUEUEID: REST", where the queue ID is removed; empty if there is none.
std::string_view take_queue_id(std::string_view& text) {
  const auto end = text.find(": ");
  if (end == std::string_view::npos) return {};
  const auto id = text.substr(0, end);
  constexpr std::size_t kLongest = 20;
  if (id.empty() || id.size() > kLongest ||
      !std::ranges::all_of(id, [](char c) { return is_digit(c) || is_letter(c); })) {
    return {};
  }
  text.remove_prefix(end + 2);
  return id;
}

// "mail.s.example[198.51.100.7]" with anything behind.
std::optional<Client> client_of(std::string_view text) {
  const auto open = text.find('[');
  const auto close = text.find(']', open);
  if (close == std::string_view::npos) return std::nullopt;
  const auto name = text.substr(0, open);
  const auto address = IpAddress::parse(text.substr(open + 1, close - open - 1));
  if (!address) return std::nullopt;
  return Client{address, name == "unknown" ? std::string() : std::string(name)};
}

std::optional<std::string_view> only_between(std::string_view text,
                                             std::string_view begin,
                                             std::string_view end) {
  const auto from = text.find(begin);
  if (from == std::string_view::npos) return std::nullopt;
  const auto start = from + begin.size();
  const auto to = text.find(end, start);
  if (to == std::string_view::npos) return std::nullopt;
  return text.substr(start, to - start);
}

bool is_in(std::string_view lower_text, std::string_view piece) {
  return lower_text.find(piece) != std::string_view::npos;
}

// What greylisters answer; rspamd's text names none.
bool is_greylisting(std::string_view reply, bool by_milter) {
  const std::string text = ascii_lower(reply);
  return text.starts_with('4') && (is_in(text, "greylist") || is_in(text, "graylist") ||
                                   (by_milter && is_in(text, "try again later")));
}

// "RCPT from CLIENT: 450 4.7.1 ...; from=<...> to=<...> proto=ESMTP helo=<...>"
std::optional<LogEvent> deferred(std::string_view text, bool by_milter) {
  const auto stage = text.find(" from ");
  if (stage == std::string_view::npos) return std::nullopt;
  const auto name = text.substr(0, stage);
  if (name != "RCPT" && name != "DATA" && name != "END-OF-MESSAGE") return std::nullopt;
  text.remove_prefix(stage + 6);
  const auto client = client_of(text);
  const auto reply = text.find(": ");
  if (!client || reply == std::string_view::npos) return std::nullopt;
  text.remove_prefix(reply + 2);
  // A sender may look like the rest of the line: then there are two ways to read it.
  constexpr std::string_view kFrom = "; from=<";
  const auto from = text.find(kFrom);
  if (from == std::string_view::npos || from != text.rfind(kFrom) ||
      !is_greylisting(text.substr(0, from), by_milter)) {
    return std::nullopt;
  }
  text.remove_prefix(from);
  const auto sender = only_between(text, kFrom, "> to=<");
  const auto recipient = only_between(text, "> to=<", "> proto=");
  if (!sender || !recipient) return std::nullopt;
  LogEvent event;
  event.kind = Kind::deferred;
  event.client = *client;
  event.sender = *sender;
  event.recipient = *recipient;
  event.helo = only_between(text, " helo=<", ">").value_or("");
  event.authenticated = is_in(text, " sasl_username=") || is_in(text, " sasl_method=");
  return event;
}

std::optional<LogEvent> by_smtpd(std::string_view text) {
  LogEvent event;
  if (text.starts_with("connect from ") || text.starts_with("disconnect from ")) {
    return event;
  }
  const auto id = take_queue_id(text);
  if (id.empty()) return std::nullopt;
  for (const std::string_view word : {"reject: ", "milter-reject: "}) {
    if (text.starts_with(word)) {
      return deferred(text.substr(word.size()), word.starts_with('m'));
    }
  }
  if (!text.starts_with("client=")) return std::nullopt;
  text.remove_prefix(std::string_view("client=").size());
  auto client = client_of(text);
  if (!client) return std::nullopt;
  event.kind = Kind::client;
  event.queue_id = id;
  event.client = *std::move(client);
  event.authenticated = is_in(text, ", sasl_");
  return event;
}

std::optional<LogEvent> by_others(std::string_view text, std::string_view line,
                                  bool is_manager) {
  const auto whole = text;
  const auto id = take_queue_id(text);
  if (id.empty()) return std::nullopt;
  LogEvent event;
  event.queue_id = id;
  if (is_manager && text == "removed") {
    event.kind = Kind::removed;
  } else if (is_manager && text.starts_with("from=<")) {
    const auto sender = only_between(text, "from=<", ">, ");
    if (!sender) return std::nullopt;
    event.kind = Kind::sender;
    event.sender = *sender;
  } else if (text.starts_with("milter-reject: ")) {
    // cleanup(8), at the end of the message.
    return by_smtpd(whole);
  } else {
    const auto delivery = parse_delivery(line, id);
    if (!delivery) return std::nullopt;
    event.kind = Kind::recipient;
    event.recipient =
        delivery->original.empty() ? delivery->recipient : delivery->original;
  }
  return event;
}

}  // namespace

std::optional<LogEvent> parse_log_event(std::string_view line, Time now) {
  const auto parts = parts_of(line);
  if (!parts) return std::nullopt;
  auto event = parts->program == "smtpd"
                   ? by_smtpd(parts->text)
                   : by_others(parts->text, line, parts->program == "qmgr");
  if (!event) return std::nullopt;
  // Last, as most lines are others.
  const bool is_full = !line.empty() && is_digit(line.front());
  const auto time = is_full ? full_time(line) : short_time(line, now);
  if (!time) return std::nullopt;
  event->time = *time;
  event->process = parts->process;
  return event;
}

}  // namespace mxfeed::greylist
