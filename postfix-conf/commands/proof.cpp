// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/proof.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdio>
#include <string>

#include "postfix-conf/generate/generations.h"
#include "postfix-conf/generate/maps.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

void complain(const std::string& line) {
  fmt::print(stderr, "{}\n", line);
}

}  // namespace

bool prove_look_ups(const std::filesystem::path& state,
                    const std::filesystem::path& postfix_config, const Generated& now,
                    const Generated& before, ApplyReport& report) {
  const Postfix postfix(postfix_config);
  const auto link = state / Generations::kCurrentPostfix;
  std::size_t proved = 0;
  bool good = true;
  for (const auto* const kind : kMaps) {
    const auto lines = changed_lines(*kind, now.hosted, before.hosted);
    std::string cause;
    const auto wrong = postfix.wrong_answers(link / kind->name, lines, cause);
    if (!wrong) {
      complain(fmt::format("note: look-ups were not proved with Postfix: {}", cause));
      return true;
    }
    for (const auto& line : *wrong) complain("postmap: " + line);
    good = good && wrong->empty();
    proved += lines.size();
  }
  report.set("look_ups_proved", good ? Json(proved) : Json());
  if (good) report.say(fmt::format("postfix: {} changed look-ups proved", proved));
  return good;
}

}  // namespace mxfeed
