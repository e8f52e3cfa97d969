// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/meta.h"

#include <fmt/format.h>

#include <limits>
#include <set>

#include "common/base/fault.h"
#include "common/base/text.h"

namespace mxfeed {

std::string render(const GenerationMeta& meta) {
  std::string text = fmt::format(
      "generation: {}\nwritten: {}\nconfig: {}\nprevious: {}\ncopy-of: {}\ndomains: {}\n"
      "removed: {}\nversion: " MXFEED_VERSION "\n",
      meta.number, meta.written.time_since_epoch().count(), meta.config, meta.previous,
      meta.copy_of, meta.domains, meta.removed);
  for (const auto& [name, value] : meta.unknown) {
    fmt::format_to(std::back_inserter(text), "{}: {}\n", name, value);
  }
  return text;
}

GenerationMeta parse_meta(std::string_view text, std::string_view source) {
  const auto damaged = [&](std::string_view line) {
    throw Fault("read generation", source,
                "damaged: " + escape_untrusted(line.substr(0, 80)));
  };
  GenerationMeta meta;
  std::set<std::string_view> seen;
  if (!text.ends_with('\n')) damaged("no end of line");
  text.remove_suffix(1);
  for (const auto line : split(text, '\n')) {
    const auto colon = line.find(": ");
    const auto name = line.substr(0, colon);
    if (colon == std::string_view::npos || name.empty() || !seen.insert(name).second) {
      damaged(line);
    }
    const auto value = line.substr(colon + 2);
    const auto number = [&] {
      const auto parsed = parse_unsigned(value);
      if (!parsed || *parsed > std::numeric_limits<std::int64_t>::max()) damaged(line);
      return *parsed;
    };
    if (name == "generation") {
      meta.number = number();
    } else if (name == "written") {
      meta.written = Time(std::chrono::seconds(number()));
    } else if (name == "config") {
      meta.config = value;
    } else if (name == "previous") {
      meta.previous = number();
    } else if (name == "copy-of") {
      meta.copy_of = number();
    } else if (name == "domains") {
      meta.domains = number();
    } else if (name == "removed") {
      meta.removed = number();
    } else if (name != "version") {
      meta.unknown.emplace_back(name, value);
    }
  }
  if (meta.number == 0) damaged("no number");
  return meta;
}

}  // namespace mxfeed
