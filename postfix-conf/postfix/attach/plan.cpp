// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "common/base/text.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/postfix/attach/notices.h"
#include "postfix-conf/postfix/entrances.h"
#include "postfix-conf/postfix/main_cf_text.h"
#include "postfix-conf/postfix/master_cf_text.h"

namespace mxfeed {
namespace {

constexpr std::string_view kOurService = "mxfeed-";
constexpr std::string_view kReloadService = "mxfeed-reload";
constexpr std::string_view kQuarantineServices = "mxfeed-quarantine";
constexpr const char* kSoftLimit = "mxfeed_soft_error_limit";
constexpr const char* kHardLimit = "mxfeed_hard_error_limit";

// What makes Postfix take mail for our domains: the last to be set, the first to go.
constexpr std::string_view kDomains[] = {"relay_domains", "relay_recipient_maps"};
// Lists of the site's that ours are added to.
constexpr std::string_view kLists[] = {"relay_domains", "relay_recipient_maps",
                                       "transport_maps", "smtpd_restriction_classes"};
// Lists of a service that ours come before: the option, and our parameter.
struct Restrictions {
  const char* option;
  const char* parameter;
};
constexpr Restrictions kRestrictions[] = {
    {"smtpd_recipient_restrictions", kRecipientsParameter},
    {"smtpd_etrn_restrictions", kEtrnParameter}};
// What mail that waits needs to be delivered, and not to bounce.
constexpr std::string_view kRouting[] = {"transport_maps", "maximal_queue_lifetime",
                                         "bounce_queue_lifetime", "smtputf8_enable"};
// The limits of our transports.
bool is_of_transport(std::string_view parameter) {
  return parameter.starts_with(kOurService);
}

// Those that mail which waits needs: our transports, and what writes notices about it.
std::set<std::string> routes_in(const MasterCf& master) {
  std::set<std::string> routes;
  for (const auto& service : master.services()) {
    const bool is_transport = service.name.starts_with(kOurService) &&
                              !service.name.starts_with(kReloadService);
    if (is_transport || service.command == kNoticeProgram) routes.insert(service.name);
  }
  return routes;
}

template <typename Names>
bool is_one_of(std::string_view name, const Names& names) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// Whether mail that waits needs it.
bool is_routing(std::string_view parameter) {
  return is_of_transport(parameter) || parameter.starts_with(kDeliveryParameters) ||
         is_one_of(parameter, kRouting);
}

// Empty for the global parameters of a dedicated Postfix.
std::string_view reason_of(std::string_view name) {
  if (name == "relay_domains") return "accepts mail for the configured domains";
  if (name == "relay_recipient_maps") return "accepts their recipients";
  if (name == "transport_maps") return "routes mail to the customers' servers";
  if (is_of_transport(name)) return "limits deliveries to each server";
  if (name == "-o smtpd_recipient_restrictions" || name == "smtpd_restriction_classes" ||
      name.starts_with(kRecipientsParameter)) {
    return "answers for suspended domains, unknown recipients and listed clients";
  }
  if (name == "-o smtpd_etrn_restrictions" || name.starts_with(kEtrnParameter)) {
    return "lets the customers' servers ask for their mail (ETRN)";
  }
  if (name.starts_with(kNoticeParameters) || name == "-o cleanup_service_name" ||
      name == "-o internal_mail_filter_classes") {
    return "keeps the customers' servers out of notices to senders";
  }
  if (name.ends_with("_header_checks")) return "takes our notes out of delivered mail";
  if (name == kQuarantineRouteParameter) return "routes held mail to the quarantine host";
  if (name.starts_with(kDeliveryParameters)) {
    return "keeps deliveries from private addresses and from ourselves";
  }
  if (name == kMiltersParameter || name == "-o smtpd_milters") {
    return "filters mail from strangers";
  }
  if (name.find("error_limit") != std::string_view::npos) {
    return "452 replies to recipients count as errors";
  }
  if (name.starts_with("mxfeed_")) return "used by services in master.cf";
  return {};
}

// Of a service of ours.
std::string_view reason_of_service(std::string_view name) {
  if (name.starts_with(kNoticeService)) return reason_of(kNoticeParameters);
  if (!name.starts_with(kOurService)) return "takes what the other gateways hold";
  if (name.starts_with(kQuarantineServices)) return "holds mail in the quarantine";
  return "delivers to the customers' servers";
}

class AttachPlanner {
 public:
  AttachPlanner(const PostfixFiles& now, const PostfixSettings& site,
                const PostfixNeeds& needs)
      : main_(now.main_cf, is_ours),
        master_(now.master_cf, is_ours),
        site_(site),
        needs_(needs) {}

  Plan plan() {
    Plan plan;
    options();
    for (const auto& line : needs_.master_cf) {
      wanted_services_.insert(name_of(line));
      master_.add_service(line);
    }
    for (const auto& name : master_.ours()) {
      if (!wanted_services_.contains(name)) master_.take_back(name);
    }
    for (const auto& [name, value] : needs_.main_cf) {
      if (is_one_of(name, kDomains) || is_restrictions(name)) continue;
      set(name, name == kMiltersParameter ? present_milters(value) : value);
    }
    plan.first = {main_.text(), master_.text()};
    for (const auto& [name, value] : needs_.main_cf) {
      if (is_one_of(name, kDomains)) set(name, value);
    }
    for (const auto& name : main_.ours()) {
      if (!wanted_.contains(name)) main_.take_back(name);
    }
    plan.last = {main_.text(), master_.text()};
    return plan;
  }

 private:
  static std::string name_of(std::string_view line) {
    const auto fields = list_items(line);
    return fields.size() < 2 ? std::string(line)
                             : fmt::format("{}/{}", fields[0], fields[1]);
  }

  void set(const std::string& name, const std::string& value) {
    wanted_.insert(name);
    const bool is_list = is_one_of(name, kLists) && !value.empty();
    if (is_list && has_ours(name, value)) return;
    main_.set(name, is_list ? extended(name, value) : value);
  }

  // Whether the list has our items, wherever they stand among the site's, and no others
  // of ours.
  bool has_ours(std::string_view name, std::string_view ours) const {
    const std::string now = main_.value(name).value_or("");
    std::vector<std::string_view> found = list_items(now);
    std::erase_if(found, [](std::string_view item) { return !is_ours(item); });
    return found == list_items(ours);
  }

  // Without those that the site has removed.
  std::string present_milters(const std::string& value) const {
    const auto absent = absent_milters(site_, needs_);
    if (absent.empty()) return value;
    std::vector<std::string_view> present;
    for (const auto item : list_items(value)) {
      if (!is_one_of(milters_in(item).front().endpoint, absent)) present.push_back(item);
    }
    return fmt::format("{}", fmt::join(present, ", "));
  }

  static bool is_restrictions(std::string_view parameter) {
    return std::any_of(std::begin(kRestrictions), std::end(kRestrictions),
                       [&](const auto& one) { return one.parameter == parameter; });
  }

  // Puts our restrictions before those that the service has without us, which are
  // copied: an option cannot refer to the parameter that it replaces.
  void restrict(const PostfixService& service, std::vector<ServiceOption>& options) {
    for (const auto& [option, parameter] : kRestrictions) {
      const auto ours = needs_.parameter(parameter);
      if (ours.empty()) continue;
      std::string name = parameter;
      std::string list;
      if (service.options.contains(option)) {
        name += '_';
        for (const char c : service.name) {
          name += is_letter(c) || is_digit(c) ? c : '_';
        }
        list = raw_option(service.name, option);
      } else if (const auto needed = needs_.parameter(option); !needed.empty()) {
        list = needed;
      } else {
        list = main_.site_value(option).value_or(std::string(site_.parameter(option)));
      }
      list = normalised(trim(list));
      set(name, list.empty() ? std::string(ours) : fmt::format("{}, {}", ours, list));
      options.push_back({option, fmt::format("${}", name)});
    }
  }

  // The site's value, `$name` not expanded.
  std::string raw_option(std::string_view service, std::string_view option) const {
    for (const auto& one : master_.site_services()) {
      if (one.name != service) continue;
      const auto found = one.options.find(option);
      if (found != one.options.end()) return found->second;
    }
    return {};
  }

  // The site's items come first.
  std::string extended(const std::string& name, const std::string& ours) const {
    std::string items(trim(main_.site_value(name).value_or(built_in(name))));
    while (items.ends_with(','))
      items = trim(std::string_view(items).substr(0, items.size() - 1));
    return items.empty() ? ours : fmt::format("{}, {}", items, ours);
  }

  // What holds if the site does not set it.
  std::string built_in(std::string_view name) const {
    const auto value = site_.parameter(name);
    if (name == "relay_domains" && !value.empty() &&
        value == site_.parameter("mydestination")) {
      return "$mydestination";
    }
    return std::string(value);
  }

  std::string_view effective(const PostfixService& service, std::string_view name) const {
    const auto own = service.options.find(name);
    if (own != service.options.end()) return own->second;
    const auto needed = needs_.parameter(name);
    return needed.empty() ? site_.parameter(name) : needed;
  }

  // Whether the limit of errors is not above the number of recipients, at least under
  // stress (STRESS_README).
  bool cuts_off(const PostfixService& service, std::string_view name,
                std::uint64_t recipients) const {
    const bool is_of_main =
        !service.options.contains(name) && needs_.parameter(name).empty();
    const auto raw = is_of_main ? main_.site_value(name) : std::nullopt;
    if (raw && raw->find("stress") != std::string::npos) return true;
    const auto limit = parse_unsigned(effective(service, name));
    return limit.value_or(0) <= recipients;
  }

  void options() {
    std::uint64_t most = 0;
    std::map<std::string, std::vector<ServiceOption>> wanted;
    for (const auto& service : site_.services) {
      if (!gets_filters(service, needs_.use)) continue;
      auto& options = wanted[service.name];
      options.push_back({"smtpd_milters", fmt::format("${}", kMiltersParameter)});
      restrict(service, options);
      const auto recipients =
          parse_unsigned(effective(service, "smtpd_recipient_limit")).value_or(1000);
      if (cuts_off(service, "smtpd_soft_error_limit", recipients)) {
        options.push_back({"smtpd_soft_error_limit", fmt::format("${}", kSoftLimit)});
        most = std::max(most, recipients);
      }
      if (cuts_off(service, "smtpd_hard_error_limit", recipients)) {
        options.push_back({"smtpd_hard_error_limit", fmt::format("${}", kHardLimit)});
        most = std::max(most, recipients);
      }
    }
    if (most > 0) {
      set(kSoftLimit, std::to_string(most + 100));
      set(kHardLimit, std::to_string(most + 200));
    }
    for (const auto& name : notice_services(site_, needs_).ours) {
      // bounce(8) itself tells cleanup(8) whether a notice is to be checked.
      wanted[name] = {
          {"cleanup_service_name", fmt::format("${}", kNoticeServiceParameter)},
          {"internal_mail_filter_classes", fmt::format("${}", kNoticeClassesParameter)}};
    }
    for (const auto& [name, some] : wanted) {
      wanted_services_.insert(name);
      master_.add_options(name, some);
    }
  }

  MainCf main_;
  MasterCf master_;
  const PostfixSettings& site_;
  const PostfixNeeds& needs_;
  std::set<std::string> wanted_, wanted_services_;
};

using Services = std::map<std::string, PostfixService>;

Services by_name(const MasterCf& master) {
  Services all;
  for (auto& service : master.services()) all.insert_or_assign(service.name, service);
  return all;
}

// "smtp -o x=y" of a service of ours.
std::string command_of(const PostfixService& service) {
  std::string text = service.command;
  for (const auto& [name, value] : service.options) {
    fmt::format_to(std::back_inserter(text), " -o {}={}", name, value);
  }
  return text;
}

void add_master_changes(const MasterCf& now, const MasterCf& then,
                        std::vector<Change>& changes) {
  const Services before = by_name(now);
  const Services after = by_name(then);
  std::set<std::string> names;
  for (const auto* const all : {&before, &after}) {
    for (const auto& one : *all) names.insert(one.first);
  }
  for (const auto& name : names) {
    const auto old = before.find(name);
    const auto next = after.find(name);
    const std::string place = "master.cf: " + name;
    const auto text = [&](const Services::const_iterator& at, const Services& in) {
      return at == in.end() ? std::nullopt : std::optional(command_of(at->second));
    };
    if (is_our_service(next == after.end() ? old->second : next->second)) {
      const auto from = text(old, before);
      const auto to = text(next, after);
      if (from != to) {
        changes.push_back({place, "", from, to, std::string(reason_of_service(name))});
      }
      continue;
    }
    if (old == before.end() || next == after.end()) continue;
    std::set<std::string> options;
    for (const auto& one : old->second.options) options.insert(one.first);
    for (const auto& one : next->second.options) options.insert(one.first);
    for (const auto& option : options) {
      const auto value = [&](const Parameters& all) {
        const auto found = all.find(option);
        return found == all.end() ? std::nullopt : std::optional(found->second);
      };
      const auto from = value(old->second.options);
      const auto to = value(next->second.options);
      if (from == to) continue;
      const std::string named = "-o " + option;
      changes.push_back({place, named, from, to, std::string(reason_of(named))});
    }
  }
}

void add_changes(const PostfixFiles& now, Plan& plan) {
  const MainCf before(now.main_cf, is_ours);
  const MainCf after(plan.last.main_cf, is_ours);
  std::vector<std::string> names = after.ours();
  for (auto& name : before.ours()) {
    if (!is_one_of(name, names)) names.push_back(std::move(name));
  }
  for (const auto& name : names) {
    auto from = before.value(name);
    auto to = after.value(name);
    if (from == to) continue;
    const auto reason = reason_of(name);
    plan.changes.push_back({"main.cf", name, std::move(from), std::move(to),
                            std::string(reason.empty() ? "dedicated = true" : reason),
                            reason.empty()});
  }
  add_master_changes(MasterCf(now.master_cf, is_ours),
                     MasterCf(plan.last.master_cf, is_ours), plan.changes);
  // The same by value, but not to the byte: a record that is not needed any more.
  if (plan.changes.empty() && plan.last != now) {
    plan.changes.push_back({"main.cf, master.cf", "", std::nullopt, std::nullopt,
                            "only comments of mxfeed change"});
  }
}

}  // namespace

std::string_view PostfixNeeds::parameter(std::string_view name) const {
  for (const auto& [one, value] : main_cf) {
    if (one == name) return value;
  }
  return {};
}

bool is_ours(std::string_view item) {
  return item.find("/current-postfix/") != std::string_view::npos ||
         item.find("/keeper/transport") != std::string_view::npos ||
         item.starts_with("mxfeed_") || item.starts_with("$mxfeed_") ||
         item.starts_with("${mxfeed_") || item.starts_with("$(mxfeed_");
}

std::vector<std::string> absent_milters(const PostfixSettings& site,
                                        const PostfixNeeds& needs) {
  constexpr std::string_view kOurSockets[] = {kGreylistSocket, kVirusSocket, kSpamSocket};
  std::vector<std::string> absent;
  if (needs.use.dedicated) return absent;
  std::set<std::string> present;
  for (const auto& service : site.services) {
    if (!gets_filters(service, needs.use)) continue;
    for (auto& one : milters_in(site.parameter(service, "smtpd_milters"))) {
      present.insert(std::move(one.endpoint));
    }
  }
  for (auto& one : milters_in(needs.parameter(kMiltersParameter))) {
    if (is_one_of(one.endpoint, kOurSockets) || present.contains(one.endpoint)) continue;
    absent.push_back(std::move(one.endpoint));
  }
  return absent;
}

bool is_scanner(const MilterEntry& milter) {
  return milter.endpoint == kVirusSocket;
}

PostfixFiles site_files(const PostfixFiles& files) {
  return plan_detach(files, Routes::remove).last;
}

std::string Change::subject() const {
  return name.empty() ? place : fmt::format("{}: {}", place, name);
}

Plan plan_attach(const PostfixFiles& now, const PostfixSettings& site,
                 const PostfixNeeds& needs) {
  Plan plan = AttachPlanner(now, site, needs).plan();
  add_changes(now, plan);
  return plan;
}

Plan plan_detach(const PostfixFiles& now, Routes routes) {
  Plan plan;
  MainCf main(now.main_cf, is_ours);
  MasterCf master(now.master_cf, is_ours);
  const bool keeps = routes == Routes::keep;
  for (const auto name : kDomains) main.take_back(name);
  plan.first.main_cf = main.text();
  const auto needed = routes_in(master);
  for (const auto& name : master.ours()) {
    if (!keeps || !needed.contains(name)) master.take_back(name);
  }
  plan.first.master_cf = master.text();
  for (const auto& name : main.ours()) {
    if (!keeps || !is_routing(name)) main.take_back(name);
  }
  plan.last = {main.text(), master.text()};
  add_changes(now, plan);
  for (auto& change : plan.changes) change.reason.clear();
  return plan;
}

AttachState attach_state(const PostfixFiles& files) {
  const MainCf main(files.main_cf, is_ours);
  const MasterCf master(files.master_cf, is_ours);
  const auto names = main.ours();
  const auto services = master.ours();
  if (names.empty() && services.empty()) return AttachState::detached;
  const std::string taken = main.value("relay_domains").value_or("");
  for (const auto item : list_items(taken)) {
    if (is_ours(item)) return AttachState::accepting;
  }
  const auto routes = routes_in(master);
  const bool only_routes =
      std::all_of(names.begin(), names.end(),
                  [](const std::string& name) { return is_routing(name); }) &&
      std::all_of(services.begin(), services.end(),
                  [&](const std::string& name) { return routes.contains(name); });
  return only_routes ? AttachState::detaching : AttachState::partly;
}

}  // namespace mxfeed
