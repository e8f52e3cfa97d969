// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/stops.h"

#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::string_view kFull =
    "452 4.2.2 too much mail for this domain is waiting, try again later";
constexpr std::string_view kMainAnswers =
    "450 4.3.2 the main mail server of this domain is available, try that one";
constexpr std::string_view kNothing = "DUNNO";

std::string_view reply(Stop stop) {
  return stop == Stop::full ? kFull : kMainAnswers;
}

bool has_stopped_parent(const Stops& stops, std::string_view name) {
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    name.remove_prefix(dot + 1);
    if (stops.contains(name)) return true;
  }
  return false;
}

bool is_full(const Hosted& hosted, std::uint64_t queued, bool was_full) {
  if (hosted.queue_quota == 0) return false;
  const auto limit =
      was_full ? hosted.queue_quota - hosted.queue_quota / 10 : hosted.queue_quota;
  return queued >= limit;
}

}  // namespace

bool is_active_backup(const Hosted& hosted) {
  return hosted.service == Service::backup && hosted.own == Row::active;
}

bool takes_mail_of_main(const Hosted& hosted, std::optional<bool> answers, bool before) {
  return is_active_backup(hosted) && hosted.while_up == WhileUp::accept &&
         answers.value_or(before);
}

std::optional<Stop> stop_of(const Hosted& hosted, const DomainLoad& load,
                            std::optional<Stop> before) {
  if (!is_relayed(hosted.own)) return std::nullopt;
  if (is_full(hosted, load.queued, before == Stop::full)) return Stop::full;
  if (!is_active_backup(hosted) || hosted.while_up == WhileUp::accept) {
    return std::nullopt;
  }
  // Not known, since the name does not resolve: mail is taken.
  return load.answers.value_or(false) ? std::optional(Stop::main_answers) : std::nullopt;
}

OverlayLines lines_of(const Generated& generated, const Stops& stops) {
  OverlayLines lines;
  if (stops.empty()) return lines;
  for (const auto& one : generated.hosted) {
    if (const auto stop = stops.find(one.name); stop != stops.end()) {
      add_overlay_lines(one, reply(stop->second), lines);
    } else if (has_stopped_parent(stops, one.name)) {
      add_overlay_lines(one, kNothing, lines);
    }
  }
  return lines;
}

Stops parse_stops(const Generated& generated, std::string_view text) {
  Stops stops;
  for (const auto line : split(text, '\n')) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos) continue;
    const auto name = line.substr(0, space);
    const auto value = line.substr(space + 1);
    if (generated.find(name) == nullptr) continue;
    for (const Stop stop : {Stop::full, Stop::main_answers}) {
      if (value == reply(stop)) stops.emplace(name, stop);
    }
  }
  return stops;
}

}  // namespace mxfeed
