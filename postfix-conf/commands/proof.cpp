// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/proof.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <vector>

#include "common/base/fault.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/generate/maps.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
bool prove_look_ups(const std::filesystem::path& state,
                    const std::filesystem::path& postfix_config, const Generated& now,
                    const Generated& before, ApplyReport& report) {
  const Postfix postfix(postfix_config);
  const auto link = state / Generations::kCurrentPostfix;
  std::size_t proved = 0;
  bool good = true;
  for (const auto* const kind : kMaps) {
    const auto lines = changed_lines(*kind, now, before);
    std::vector<std::string> wrong;
    try {
      wrong = postfix.wrong_answers(link / kind->name, lines);
    } catch (const Fault& fault) {
      complain(
          fmt::format("note: look-ups were not verified with Postfix: {}", fault.what()));
      return true;
    }
    for (const auto& line : wrong) complain("postmap: " + line);
    good = good && wrong.empty();
    proved += lines.size();
  }
  report.set("look_ups_proved", good ? Json(proved) : Json());
  if (good) report.say(fmt::format("postfix: {} changed look-ups verified", proved));
  return good;
}

}  // namespace mxfeed
