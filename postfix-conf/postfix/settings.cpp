// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/settings.h"

#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::string_view kInet = "/inet";

// "192.0.2.1:25/inet" without the type.
std::string_view address_of(std::string_view service) {
  return service.substr(0, service.size() - kInet.size());
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address.starts_with("[::1]:") ||
         address.starts_with("localhost:");
}

}  // namespace

bool PostfixService::serves_port_25() const {
  const std::string_view service = name;
  if (service.ends_with("/pass")) return true;
  if (!service.ends_with(kInet) || command == "postscreen") return false;
  const auto address = address_of(service);
  const auto port = address.substr(address.rfind(':') + 1);
  return port == "smtp" || port == "25";
}

bool PostfixService::serves_others() const {
  const std::string_view service = name;
  if (command != "smtpd") return false;
  return service.ends_with("/pass") ||
         (service.ends_with(kInet) && !is_loopback(address_of(service)));
}

std::string_view PostfixSettings::parameter(std::string_view name) const {
  const auto found = main.find(name);
  return found == main.end() ? std::string_view() : found->second;
}

std::string_view PostfixSettings::parameter(const PostfixService& service,
                                            std::string_view name) const {
  const auto own = service.options.find(name);
  return own == service.options.end() ? parameter(name) : own->second;
}

std::string normalised(std::string_view value) {
  std::string all;
  for (const char c : value) {
    if (is_space(c)) {
      if (!all.empty() && all.back() != ' ' && all.back() != ',') all += ' ';
    } else if (c == ',') {
      if (!all.empty() && all.back() == ' ') all.pop_back();
      all += ',';
    } else {
      all += c;
    }
  }
  while (!all.empty() && all.back() == ' ') all.pop_back();
  return all;
}

std::vector<std::string_view> list_items(std::string_view list) {
  std::vector<std::string_view> items;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    const bool ends = i == list.size();
    if (!ends && list[i] == '{') ++depth;
    if (!ends && list[i] == '}' && depth > 0) --depth;
    if (!ends && (depth > 0 || (!is_space(list[i]) && list[i] != ','))) continue;
    if (i > begin) items.push_back(list.substr(begin, i - begin));
    begin = i + 1;
  }
  return items;
}

std::vector<MilterEntry> milters_in(std::string_view smtpd_milters) {
  constexpr std::string_view kAction = "default_action=";
  std::vector<MilterEntry> entries;
  for (std::string_view item : list_items(smtpd_milters)) {
    if (!item.starts_with('{')) {
      entries.push_back({std::string(item), ""});
      continue;
    }
    item.remove_prefix(1);
    if (item.ends_with('}')) item.remove_suffix(1);
    MilterEntry entry;
    for (const auto word : list_items(item)) {
      if (entry.endpoint.empty()) {
        entry.endpoint = word;
      } else if (word.starts_with(kAction)) {
        entry.default_action = word.substr(kAction.size());
      }
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace mxfeed
