// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/notices.h"

#include <fmt/format.h>

#include <string_view>

#include "common/base/text.h"
#include "postfix-conf/generate/main_cf.h"

namespace mxfeed {
namespace {

struct Taken {
  const char* name;
  std::string_view by_default;
};
// What our options would replace.
constexpr Taken kTaken[] = {{"cleanup_service_name", "cleanup"},
                            {"internal_mail_filter_classes", ""}};

// "-o NAME=VALUE", "NAME=VALUE" if main.cf has it; empty if the site sets neither.
std::string own_setting(const PostfixSettings& site, const PostfixService& service) {
  for (const auto& [name, by_default] : kTaken) {
    const auto value = site.parameter(service, name);
    const bool is_option = service.options.contains(name);
    if (!is_option && (value.empty() || value == by_default)) continue;
    return fmt::format("{}{}={}", is_option ? "-o " : "", name, escape_untrusted(value));
  }
  return {};
}

}  // namespace

NoticeServices notice_services(const PostfixSettings& site, const PostfixNeeds& needs) {
  NoticeServices found;
  if (!has_notices(needs.master_cf)) return found;
  for (const auto& service : site.services) {
    if (service.command != kNoticeProgram) continue;
    const auto own = own_setting(site, service);
    if (own.empty()) {
      found.ours.push_back(service.name);
    } else {
      found.kept.push_back(fmt::format("{}: {}", escape_untrusted(service.name), own));
    }
  }
  return found;
}

}  // namespace mxfeed
