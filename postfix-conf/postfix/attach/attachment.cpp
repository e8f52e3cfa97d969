// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/attachment.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/base/text.h"
#include "postfix-conf/postfix/entrances.h"
#include "postfix-conf/postfix/open_relay.h"

namespace mxfeed {
namespace {

Danger danger_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::proxy_filter:
    case Trouble::milters_disabled:
      return Danger::unscanned;
    case Trouble::open_relay:
      return Danger::open_relay;
    case Trouble::map_type:
      return Danger::unsupported_map;
    case Trouble::no_service:
    case Trouble::same_domain:
    case Trouble::mynetworks:
    case Trouble::message_size:
    case Trouble::unknown_milter:
    case Trouble::overridden:
    case Trouble::subdomains_routed:
    case Trouble::port_taken:
      break;
  }
  return Danger::differs;
}

class Examination {
 public:
  Examination(const Survey& survey, const PostfixNeeds& needs)
      : survey_(survey), now_(survey.now), needs_(needs) {}

  Attachment examine() {
    result_.state = attach_state(survey_.files);
    if (needs_.main_cf.empty()) {
      for (const auto& text : open_relays(now_)) add(Danger::open_relay, text);
      return std::move(result_);
    }
    for (const auto& conflict : find_conflicts(survey_.site, needs_)) {
      add(danger_of(conflict.trouble), conflict.str());
    }
    if (result_.accepts_mail()) {
      for (const auto& service : now_.services) {
        if (gets_filters(service, needs_.use)) find_scanner(service);
      }
      find_changed_site();
    }
    for (const auto& change :
         plan_attach(survey_.files, survey_.site.settings, needs_).changes) {
      result_.differing.push_back(change.subject());
    }
    return std::move(result_);
  }

 private:
  void add(Danger danger, std::string text) {
    if (said_.insert(text).second) result_.findings.push_back({danger, std::move(text)});
  }

  // Whether the service has the scanner, and that is not optional.
  void find_scanner(const PostfixService& service) {
    const auto list = now_.parameter(service, "smtpd_milters");
    const bool own = service.options.contains("smtpd_milters");
    const std::string place =
        own ? fmt::format("{}: {}: -o smtpd_milters",
                          (now_.config / "master.cf").string(),
                          escape_untrusted(service.name))
            : fmt::format("{}: smtpd_milters", (now_.config / "main.cf").string());
    const auto running = milters_in(list);
    const auto found = std::find_if(running.begin(), running.end(), is_scanner);
    if (found == running.end()) {
      add(Danger::unscanned,
          fmt::format("{}={}: mail bypasses the filters", place, escape_untrusted(list)));
      return;
    }
    const auto action = found->default_action.empty()
                            ? now_.parameter(service, "milter_default_action")
                            : std::string_view(found->default_action);
    if (action == "accept") {
      add(Danger::unscanned,
          fmt::format("{}: {}: default_action=accept: mail bypasses the filter while "
                      "it does not answer",
                      place, escape_untrusted(found->endpoint)));
    }
  }

  // What apply compiled of the site.
  void find_changed_site() {
    const auto changed = [&](std::string_view name) {
      add(Danger::differs,
          fmt::format("{}: {} has changed: run mxfeed apply and mxfeed postfix attach",
                      (now_.config / "main.cf").string(), name));
    };
    const Site& site = survey_.site.reading.site;
    if (site.mynetworks != needs_.site.mynetworks) changed("mynetworks");
    if (needs_.use.dedicated) return;
    if (site.has_relay_recipients != needs_.site.has_relay_recipients) {
      changed("relay_recipient_maps");
    }
    if (site.parents_match != needs_.site.parents_match) {
      changed("parent_domain_matches_subdomains");
    }
  }

  const Survey& survey_;
  const PostfixSettings& now_;
  const PostfixNeeds& needs_;
  Attachment result_;
  std::set<std::string> said_;
};

}  // namespace

std::string_view to_string(const Attachment& attachment) {
  switch (attachment.state) {
    case AttachState::detached:
      return "detached";
    case AttachState::detaching:
      return "detaching";
    case AttachState::partly:
      return "partly attached";
    case AttachState::accepting:
      break;
  }
  return attachment.differing.empty() ? "attached" : "drifted";
}

Attachment examine(const Survey& survey, const PostfixNeeds& needs) {
  return Examination(survey, needs).examine();
}

}  // namespace mxfeed
