// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attachment.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "postfix-conf/postfix/open_relay.h"

namespace mxfeed {
namespace {

constexpr std::string_view kPast = "mail bypasses the filters";

// Whether this is the socket of mxfeed-virus, without which mail is unscanned.
bool is_scanner(std::string_view endpoint) {
  return endpoint.find("virus") != std::string_view::npos;
}

class Examination {
 public:
  Examination(const PostfixSettings& settings, const PostfixNeeds& needs)
      : settings_(settings), needs_(needs) {}

  Attachment examine() {
    result_.takes_mail = takes_mail();
    for (const auto& text : open_relays(settings_)) add(Danger::open_relay, text);
    if (!needs_.main_cf.empty()) {
      find_unsupported_maps();
      find_bypasses();
      find_differing();
    }
    return std::move(result_);
  }

 private:
  std::string_view needed(std::string_view name) const {
    for (const auto& [one, value] : needs_.main_cf) {
      if (one == name) return value;
    }
    return {};
  }

  void add(Danger danger, std::string text) {
    result_.findings.push_back({danger, std::move(text)});
  }

  std::string main_place() const { return (settings_.config / "main.cf").string(); }
  std::string place_of(const PostfixService& service) const {
    return fmt::format("{}: {}: -o ", (settings_.config / "master.cf").string(),
                       escape_untrusted(service.name));
  }

  // Whether relay_domains contains our map.
  bool takes_mail() const {
    const auto ours = list_items(needed("relay_domains"));
    const auto running = list_items(settings_.parameter("relay_domains"));
    return std::any_of(ours.begin(), ours.end(), [&](std::string_view map) {
      return std::find(running.begin(), running.end(), map) != running.end();
    });
  }

  void find_unsupported_maps() {
    std::set<std::string> missing;
    for (const auto& [name, value] : needs_.main_cf) {
      for (const auto item : list_items(value)) {
        const auto colon = item.find(":/");
        if (colon == std::string_view::npos || !name.ends_with("s")) continue;
        const auto type = item.substr(0, colon);
        if (!settings_.map_types.contains(type)) missing.emplace(type);
      }
    }
    for (const auto& type : missing) {
      add(Danger::unsupported_map,
          fmt::format("{}: install the package postfix-{}", type, type));
    }
  }

  void find_bypasses() {
    bypass(main_place() + ": ", "smtpd_milter_maps",
           settings_.parameter("smtpd_milter_maps"));
    bypass(main_place() + ": ", "receive_override_options",
           settings_.parameter("receive_override_options"));
    bool uses_main = true;
    for (const auto& service : settings_.services) {
      if (!service.serves_port_25()) continue;
      uses_main = false;
      for (const auto& [name, value] : service.options) {
        bypass(place_of(service), name, value);
        if (name == "smtpd_relay_restrictions" && !is_needed(name, value)) {
          add(Danger::differs,
              fmt::format("{}{}={}: relaying is not restricted as generated",
                          place_of(service), name, escape_untrusted(value)));
        }
      }
      const bool own = service.options.contains("smtpd_milters");
      milters(own ? place_of(service) : main_place() + ": ",
              settings_.parameter(service, "smtpd_milters"),
              settings_.parameter(service, "milter_default_action"));
    }
    if (uses_main) {
      milters(main_place() + ": ", settings_.parameter("smtpd_milters"),
              settings_.parameter("milter_default_action"));
    }
  }

  // Finds settings that bypass the filters, however these are configured.
  void bypass(const std::string& place, std::string_view name, std::string_view value) {
    std::string_view effect;
    if (name == "smtpd_milter_maps" && !value.empty()) {
      effect = "clients that it names bypass the filters";
    }
    if (name == "receive_override_options" &&
        value.find("no_milters") != std::string_view::npos) {
      effect = kPast;
    }
    if (effect.empty()) return;
    add(Danger::unscanned,
        fmt::format("{}{}={}: {}", place, name, escape_untrusted(value), effect));
  }

  // Checks that the list contains mxfeed-virus, and that it is not optional.
  void milters(const std::string& place, std::string_view list,
               std::string_view default_action) {
    if (!said_.insert(place + std::string(list)).second) return;
    // Before Postfix is attached, main.cf has no milters of ours.
    if (!result_.takes_mail && place.starts_with(main_place())) return;
    const auto running = milters_in(list);
    for (const auto& ours : milters_in(needed("smtpd_milters"))) {
      if (!is_scanner(ours.endpoint)) continue;
      const auto found = std::find_if(
          running.begin(), running.end(),
          [&](const MilterEntry& entry) { return entry.endpoint == ours.endpoint; });
      if (found == running.end()) {
        add(Danger::unscanned,
            fmt::format("{}smtpd_milters={}: {}", place, escape_untrusted(list), kPast));
        return;
      }
      const std::string_view action =
          found->default_action.empty() ? default_action : found->default_action;
      if (action == "accept") {
        add(Danger::unscanned,
            fmt::format("{}smtpd_milters: {}: default_action=accept: mail bypasses the "
                        "filter while it does not answer",
                        place, escape_untrusted(found->endpoint)));
      }
    }
  }

  // The site's milters, domains and routes may stand beside ours.
  bool is_needed(std::string_view name, std::string_view value) const {
    const auto wanted = normalised(needed(name));
    if (name == "smtpd_milters") return value.find(wanted) != std::string_view::npos;
    if (name != "relay_domains" && name != "transport_maps") return value == wanted;
    const auto ours = list_items(wanted);
    const auto all = list_items(value);
    return std::all_of(ours.begin(), ours.end(), [&](std::string_view item) {
      return std::find(all.begin(), all.end(), item) != all.end();
    });
  }

  void find_differing() {
    for (const auto& [name, value] : needs_.main_cf) {
      const auto found = settings_.main.find(name);
      if (found == settings_.main.end() || !is_needed(name, found->second)) {
        result_.differing.push_back(name);
      }
    }
    for (const auto& line : needs_.master_cf) {
      const auto fields = list_items(line);
      const auto name =
          fields.size() < 2 ? line : fmt::format("{}/{}", fields[0], fields[1]);
      const bool there = std::any_of(
          settings_.services.begin(), settings_.services.end(),
          [&](const PostfixService& service) { return service.name == name; });
      if (!there) result_.differing.push_back(name + " (master.cf)");
    }
  }

  const PostfixSettings& settings_;
  const PostfixNeeds& needs_;
  Attachment result_;
  std::set<std::string> said_;
};

std::string read_whole(const std::filesystem::path& file) {
  auto content = read_file(file);
  if (!content) throw Fault("read", file.string(), "no such file");
  return *std::move(content);
}

}  // namespace

PostfixNeeds read_needs(const std::filesystem::path& generation) {
  PostfixNeeds needs;
  const std::string main = read_whole(generation / "main.cf");
  for (const auto line : split(main, '\n')) {
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos) continue;
    needs.main_cf.emplace_back(trim(line.substr(0, equals)),
                               trim(line.substr(equals + 1)));
  }
  const std::string master = read_whole(generation / "master.cf");
  for (const auto line : split(master, '\n')) {
    if (!line.empty() && !line.starts_with('#')) needs.master_cf.emplace_back(line);
  }
  return needs;
}

Attachment examine(const PostfixSettings& settings, const PostfixNeeds& needs) {
  return Examination(settings, needs).examine();
}

}  // namespace mxfeed
