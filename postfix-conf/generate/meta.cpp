// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/meta.h"

#include <fmt/format.h>

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "common/base/fault.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

std::string texts_of(const std::vector<Network>& networks) {
  std::string text;
  for (const auto& one : networks) text += (text.empty() ? "" : " ") + one.str();
  return text;
}

}  // namespace

std::string render(const GenerationMeta& meta) {
  std::string text = fmt::format(
      "generation: {}\nwritten: {}\nconfig: {}\nprevious: {}\ncopy-of: {}\ndomains: {}\n"
      "removed: {}\nversion: " MXFEED_VERSION "\n",
      meta.number, meta.written.time_since_epoch().count(), meta.config, meta.previous,
      meta.copy_of, meta.domains, meta.removed);
  const auto word = [](bool flag) { return flag ? "yes" : "no"; };
  fmt::format_to(
      std::back_inserter(text),
      "host: {}\nhost-selected: {}\nsite-relay-recipients: {}\nsite-parents-match: {}\n"
      "site-mynetworks: {}\nsite-proxies: {}\ndedicated: {}\nlargest-message: {}\n"
      "largest-message-of: {}\nlongest-lifetime: {}\nremoval-grace: {}\n"
      "services: {}\nallow-private: {}\nquarantine-route: yes\nquarantine-host: {}\n"
      "quarantine-servers: {}\nmailbox-keep: {}\n",
      meta.local.name, word(meta.local.is_selected), word(meta.site.has_relay_recipients),
      word(meta.site.parents_match), texts_of(meta.site.mynetworks), meta.site.proxies,
      word(meta.use.dedicated), meta.use.largest_message, meta.use.largest_of,
      meta.use.longest_lifetime.count(), meta.use.removal_grace.count(),
      fmt::join(meta.use.services, " "), texts_of(meta.use.allow_private),
      meta.use.quarantine_host, fmt::join(meta.use.quarantine_servers, " "),
      meta.use.mailbox_keep.count());
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
    const auto flag = [&] {
      if (value != "yes" && value != "no") damaged(line);
      return value == "yes";
    };
    const auto words = [&] {
      std::vector<std::string> all;
      for (const auto one : split(value, ' ')) {
        if (!one.empty()) all.emplace_back(one);
      }
      return all;
    };
    const auto networks = [&] {
      std::vector<Network> all;
      for (const auto one : split(value, ' ')) {
        if (one.empty()) continue;
        const auto network = Network::parse(one);
        if (!network) damaged(line);
        all.push_back(*network);
      }
      return all;
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
    } else if (name == "host") {
      meta.local.name = value;
    } else if (name == "host-selected") {
      meta.local.is_selected = flag();
    } else if (name == "site-relay-recipients") {
      meta.site.has_relay_recipients = flag();
    } else if (name == "site-parents-match") {
      meta.site.parents_match = flag();
    } else if (name == "site-mynetworks") {
      meta.site.mynetworks = networks();
    } else if (name == "site-proxies") {
      meta.site.proxies = value;
    } else if (name == "dedicated") {
      meta.use.dedicated = flag();
    } else if (name == "largest-message") {
      meta.use.largest_message = number();
    } else if (name == "largest-message-of") {
      meta.use.largest_of = value;
    } else if (name == "longest-lifetime") {
      meta.use.longest_lifetime = std::chrono::seconds(number());
    } else if (name == "removal-grace") {
      meta.use.removal_grace = std::chrono::seconds(number());
    } else if (name == "mailbox-keep") {
      meta.use.mailbox_keep = std::chrono::seconds(number());
    } else if (name == "services") {
      meta.use.services = words();
    } else if (name == "allow-private") {
      meta.use.allow_private = networks();
    } else if (name == "quarantine-route") {
      meta.has_quarantine_route = flag();
    } else if (name == "quarantine-host") {
      meta.use.quarantine_host = value;
    } else if (name == "quarantine-servers") {
      meta.use.quarantine_servers = words();
    } else if (name != "version") {
      meta.unknown.emplace_back(name, value);
    }
  }
  if (meta.number == 0) damaged("no number");
  return meta;
}

}  // namespace mxfeed
