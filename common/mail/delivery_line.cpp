// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/delivery_line.h"

namespace mxfeed {
namespace {

// What stands between `begin` and `end`, searched from the front; removed with all before
// it.
std::optional<std::string> take(std::string_view& rest, std::string_view begin,
                                std::string_view end) {
  const auto from = rest.find(begin);
  if (from == std::string_view::npos) return std::nullopt;
  const auto start = from + begin.size();
  const auto to = rest.find(end, start);
  if (to == std::string_view::npos) return std::nullopt;
  std::string text(rest.substr(start, to - start));
  rest.remove_prefix(to + end.size());
  return text;
}

}  // namespace

std::optional<DeliveryLine> parse_delivery(std::string_view line,
                                           std::string_view queue_id) {
  if (queue_id.empty()) return std::nullopt;
  // "... postfix/smtp[123]: 4XyZ: to=<...>": a program's name, never a peer's text, is
  // before the first "]: ".
  const auto program = line.find("]: ");
  if (program == std::string_view::npos) return std::nullopt;
  auto rest = line.substr(program + 3);
  if (!rest.starts_with(queue_id)) return std::nullopt;
  rest.remove_prefix(queue_id.size());
  if (!rest.starts_with(": to=<")) return std::nullopt;
  // The recipient may have anything in it.
  const auto recipient = take(rest, ": to=<", ">, ");
  std::optional<std::string> original;
  if (rest.starts_with("orig_to=<")) original = take(rest, "orig_to=<", ">, ");
  const auto relay = take(rest, "relay=", ", delay");
  const auto status = take(rest, ", status=", " (");
  if (!recipient || !relay || !status || !rest.ends_with(')')) return std::nullopt;
  rest.remove_suffix(1);
  return DeliveryLine{*recipient, *relay, *status, std::string(rest),
                      original.value_or("")};
}

}  // namespace mxfeed
