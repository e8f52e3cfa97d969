// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/conflicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/text.h"
#include "common/base/toml_string.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/postfix/attach/known_milters.h"
#include "postfix-conf/postfix/entrances.h"
#include "postfix-conf/postfix/open_relay.h"

namespace mxfeed {
namespace {

// Without their order.
std::set<std::string_view> items_of(std::string_view list) {
  const auto items = list_items(list);
  return {items.begin(), items.end()};
}

class Search {
 public:
  Search(const SiteView& site, const PostfixNeeds& needs)
      : site_(site), settings_(site.settings), needs_(needs) {}

  std::vector<Conflict> find() {
    services();
    intake_port();
    map_types();
    for (auto& conflict : same_domain_conflicts(site_)) {
      found_.push_back(std::move(conflict));
    }
    open_relay();
    for (const auto& cause : site_.reading.uncompiled) {
      add(Trouble::mynetworks, main() + ": mynetworks", cause,
          "write its networks into mynetworks, or into a table of type cidr");
    }
    networks();
    if (!needs_.use.dedicated) shared();
    return std::move(found_);
  }

 private:
  void add(Trouble trouble, std::string place, std::string cause, std::string advice) {
    found_.push_back({trouble, std::move(place), std::move(cause), std::move(advice)});
  }
  std::string main() const { return (settings_.config / "main.cf").string(); }
  std::string master() const { return (settings_.config / "master.cf").string(); }
  // Where the service has the value from.
  std::string place_of(const PostfixService& service, std::string_view name) const {
    return service.options.contains(name)
               ? fmt::format("{}: {}: -o {}", master(), escape_untrusted(service.name),
                             name)
               : fmt::format("{}: {}", main(), name);
  }

  void services() {
    std::size_t count = 0;
    for (const auto& service : settings_.services) {
      if (!gets_filters(service, needs_.use)) continue;
      ++count;
      value_of(service, "smtpd_proxy_filter", Trouble::proxy_filter,
               "milters do not see the content of mail",
               "remove it, or replace it by a content_filter or a milter");
      value_of(service, "smtpd_milter_maps", Trouble::milters_disabled,
               "clients that it names bypass the filters", "remove it");
      const auto options = settings_.parameter(service, "receive_override_options");
      if (options.find("no_milters") != std::string_view::npos) {
        add(Trouble::milters_disabled, place_of(service, "receive_override_options"),
            fmt::format("{}: mail bypasses the filters", escape_untrusted(options)),
            "remove no_milters");
      }
      for (const auto& [name, needed] : needs_.main_cf) {
        const auto own = service.options.find(name);
        if (own == service.options.end() || own->second == normalised(needed)) continue;
        add(Trouble::overridden, place_of(service, name),
            fmt::format("{}: the value that attach sets in main.cf has no effect there",
                        escape_untrusted(own->second)),
            "remove the option");
      }
      milters(service);
    }
    if (count > 0) return unfiltered_services();
    add(Trouble::no_service, master(),
        needs_.use.services.empty()
            ? "no smtpd(8) of port 25 that other hosts reach"
            : fmt::format("none of the services {} of [postfix] in mxfeed.toml",
                          fmt::join(needs_.use.services, ", ")),
        "name the services where mail of strangers comes in: services = "
        "[\"2525/inet\"] in [postfix] of mxfeed.toml");
  }

  // relay_domains is global, so these take mail for our domains too.
  void unfiltered_services() {
    for (const auto& service : settings_.services) {
      if (gets_filters(service, needs_.use)) continue;
      const std::string place =
          fmt::format("{}: {}", master(), escape_untrusted(service.name));
      if (service.serves_strangers()) {
        add(Trouble::milters_disabled, place,
            "mail bypasses the filters: services in [postfix] of mxfeed.toml does not "
            "name it",
            fmt::format("add \"{}\" to services", escape_untrusted(service.name)));
      } else if (takes_strangers_mail(settings_, service)) {
        add(Trouble::milters_disabled, place,
            "mail bypasses the filters: clients need neither log in nor be in mynetworks",
            fmt::format("let its smtpd_relay_restrictions end with reject, or name it in "
                        "[postfix] of mxfeed.toml: services = [{}]",
                        services_with(service)));
      }
    }
  }

  // Those that get the filters, and one more, as in mxfeed.toml.
  std::string services_with(const PostfixService& more) const {
    std::string names;
    for (const auto& service : settings_.services) {
      if (&service != &more && !gets_filters(service, needs_.use)) continue;
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ",
                           escape_untrusted(service.name));
    }
    return names;
  }

  void value_of(const PostfixService& service, std::string_view name, Trouble trouble,
                std::string_view effect, std::string advice) {
    const auto value = settings_.parameter(service, name);
    if (value.empty()) return;
    add(trouble, place_of(service, name),
        fmt::format("{}: {}", escape_untrusted(value), effect), std::move(advice));
  }

  void milters(const PostfixService& service) {
    const auto wanted = milters_in(needs_.parameter(kMiltersParameter));
    const auto list = settings_.parameter(service, "smtpd_milters");
    const auto entries = milters_in(list);
    const auto texts = list_items(list);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto& endpoint = entries[i].endpoint;
      if (endpoint.starts_with("unix:mxfeed/")) {
        once(Trouble::unknown_milter, place_of(service, "smtpd_milters"),
             fmt::format("{}: added by hand", escape_untrusted(endpoint)),
             "remove it: attach adds it in the right place");
        continue;
      }
      const bool is_named =
          std::any_of(wanted.begin(), wanted.end(),
                      [&](const MilterEntry& one) { return one.endpoint == endpoint; });
      if (is_named) continue;
      const KnownMilter* known = recognise_milter(endpoint);
      const std::string text = toml_string(texts[i]);
      once(
          Trouble::unknown_milter, place_of(service, "smtpd_milters"),
          known == nullptr
              ? fmt::format("{}: an unknown milter", escape_untrusted(endpoint))
              : fmt::format("{}: looks like {}", escape_untrusted(endpoint), known->name),
          known == nullptr
              ? fmt::format("in [postfix] of mxfeed.toml: verifiers = [{0}], or sealers "
                            "= [{0}] if it signs or seals; then mxfeed apply",
                            text)
              : fmt::format("in [postfix] of mxfeed.toml: {} = [{}]; then mxfeed apply",
                            known->list, text));
    }
  }

  // Several services have it from the same place.
  void once(Trouble trouble, const std::string& place, const std::string& cause,
            std::string advice) {
    if (said_.insert(place + cause).second) add(trouble, place, cause, std::move(advice));
  }

  void open_relay() {
    const auto relays = open_relays(settings_);
    for (const auto& text : relays) {
      add(Trouble::open_relay, "", text, "correct that first");
    }
    if (!relays.empty()) return;
    // Those that stand in a table.
    for (const auto& network : site_.reading.site.mynetworks) {
      if (!is_everybody(network)) continue;
      add(Trouble::open_relay, main() + ": mynetworks",
          fmt::format("{} lets everybody relay", network.str()), "correct that first");
    }
  }

  void map_types() {
    std::set<std::string> missing;
    for (const auto& [name, value] : needs_.main_cf) {
      for (const auto item : list_items(value)) {
        const auto colon = item.find(":/");
        if (colon == std::string_view::npos || !is_ours(item)) continue;
        const auto type = item.substr(0, colon);
        if (!settings_.map_types.contains(type)) missing.emplace(type);
      }
    }
    for (const auto& type : missing) {
      add(Trouble::map_type, "", fmt::format("{}: Postfix does not support it", type),
          fmt::format("install the package postfix-{}", type));
    }
  }

  // master(8) ends if two services have a port.
  void intake_port() {
    const auto port = intake_port_of(needs_.master_cf);
    if (port.empty()) return;
    for (const auto& service : settings_.services) {
      std::string_view name = service.name;
      if (!name.ends_with("/inet")) continue;
      name.remove_suffix(std::string_view("/inet").size());
      if (name.substr(name.rfind(':') + 1) != port) continue;
      add(Trouble::port_taken,
          fmt::format("{}: {}", master(), escape_untrusted(service.name)),
          fmt::format("has the port {}, where the quarantine host takes mail", port),
          "in [quarantine] of mxfeed.toml: another port, on all hosts; then mxfeed "
          "apply");
    }
  }

  // The policy has one list for all services.
  void networks() {
    const PostfixService* first = nullptr;
    for (const auto& service : settings_.services) {
      if (!gets_filters(service, needs_.use)) continue;
      if (first == nullptr) first = &service;
      const auto value = settings_.parameter(service, "mynetworks");
      if (items_of(value) == items_of(settings_.parameter(*first, "mynetworks")))
        continue;
      add(Trouble::mynetworks, place_of(service, "mynetworks"),
          fmt::format("{}: {} has other networks", escape_untrusted(value),
                      escape_untrusted(first->name)),
          "give both the same: the filters have one list for all services");
    }
  }

  void shared() {
    const auto limit = parse_unsigned(settings_.parameter("message_size_limit"));
    if (limit.value_or(0) > 0 && needs_.use.largest_message > *limit) {
      add(Trouble::message_size, main() + ": message_size_limit",
          fmt::format("{}: max_size of {} is {}", *limit, needs_.use.largest_of,
                      needs_.use.largest_message),
          "lower max_size, or raise message_size_limit");
    }
    const auto parents =
        list_items(settings_.parameter("parent_domain_matches_subdomains"));
    const auto has = [&](std::string_view name) {
      return std::find(parents.begin(), parents.end(), name) != parents.end();
    };
    if (has("relay_domains") && has("transport_maps")) {
      add(Trouble::subdomains_routed, main() + ": parent_domain_matches_subdomains",
          "has relay_domains and transport_maps: mail for every name below a configured "
          "domain would be relayed",
          "remove one of them");
    }
  }

  const SiteView& site_;
  const PostfixSettings& settings_;
  const PostfixNeeds& needs_;
  std::vector<Conflict> found_;
  std::set<std::string> said_;
};

}  // namespace

std::string Conflict::str() const {
  return fmt::format("{}{}{}: {}", place, place.empty() ? "" : ": ", cause, advice);
}

std::vector<Conflict> same_domain_conflicts(const SiteView& site) {
  std::vector<Conflict> found;
  for (const auto& one : site.same) {
    const std::string place =
        fmt::format("{}: {}", (site.settings.config / "main.cf").string(), one.parameter);
    if (!one.fault.empty()) {
      found.push_back(
          {Trouble::same_domain, place,
           fmt::format("{}: {}", escape_untrusted(one.item), one.fault),
           "correct that first: it cannot be searched for configured domains"});
      continue;
    }
    std::string names = fmt::format("{}", fmt::join(one.domains, ", "));
    if (one.count > one.domains.size()) {
      names += fmt::format(" and {} more", one.count - one.domains.size());
    }
    found.push_back({Trouble::same_domain, place,
                     fmt::format("{} has {}", escape_untrusted(one.item), names),
                     "remove it there, or from the configuration of mxfeed"});
  }
  return found;
}

std::vector<Conflict> find_conflicts(const SiteView& site, const PostfixNeeds& needs) {
  return Search(site, needs).find();
}

}  // namespace mxfeed
