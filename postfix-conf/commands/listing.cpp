// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/listing.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "common/base/text.h"
#include "postfix-conf/commands/apply.h"
#include "postfix-conf/config/load.h"
#include "postfix-conf/config/settings.h"
#include "postfix-conf/generate/generations.h"

namespace mxfeed {
namespace {

// RFC 8259, 7.
std::string json_string(std::string_view text) {
  std::string all = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      all += '\\';
      all += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      all += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      all += c;
    }
  }
  return all + "\"";
}

std::string utc(Time time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(time.time_since_epoch().count()));
}

// The domain, or the nearest parent that is for names below it too.
const DomainConfig* find_effective(const Config& config, std::string_view name) {
  if (const auto* const own = config.find(name)) return own;
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    name.remove_prefix(dot + 1);
    const auto* const parent = config.find(name);
    if (parent != nullptr && parent->settings.subdomains.value) return parent;
  }
  return nullptr;
}

void show_json(const Config& config, const DomainConfig& domain,
               std::string_view customer, const std::vector<ShownSetting>& settings) {
  fmt::print("{{\"domain\": {}, \"from\": {}, \"customer\": {}, \"settings\": {{",
             json_string(domain.name), json_string(config.describe(domain.place)),
             customer.empty() ? "null" : json_string(customer));
  const char* separator = "";
  for (const auto& one : settings) {
    fmt::print("{}{}: {{\"value\": {}, \"from\": {}}}", separator, json_string(one.key),
               json_string(one.value), json_string(config.describe(one.place)));
    separator = ", ";
  }
  fmt::print("}}}}\n");
}

}  // namespace

int check(const std::filesystem::path& directory) {
  const Config config = load_config_shown(directory);
  print_problems(config);
  if (!config.errors.empty()) {
    const auto count = config.errors.size();
    fmt::print(stderr, "{} error{}\n", count, count == 1 ? "" : "s");
    return 1;
  }
  fmt::print("{} domains of {} customers in {} files: fine\n", config.domains.size(),
             config.customers.size(), config.files.size());
  return 0;
}

int show(const std::filesystem::path& directory, const std::string& name, bool json) {
  const auto wanted = Domain::parse(name);
  if (!wanted) {
    fmt::print(stderr, "\"{}\" is no domain name\n", escape_untrusted(name));
    return 1;
  }
  const Config config = load_config_shown(directory);
  if (!config.errors.empty()) {
    print_problems(config);
    return 1;
  }
  const auto* const domain = find_effective(config, wanted->str());
  if (domain == nullptr) {
    fmt::print(stderr, "{}: not configured\n", wanted->str());
    return 1;
  }
  const std::string customer = domain->customer == DomainConfig::kNoCustomer
                                   ? std::string()
                                   : config.customers[domain->customer].id;
  const auto settings = list_settings(domain->settings, config.gateway);
  if (json) {
    show_json(config, *domain, customer, settings);
    return 0;
  }
  const auto row = [](std::string_view key, std::string_view value,
                      std::string_view from) {
    fmt::print("{:<18} {:<36} {}\n", key, value.empty() ? "-" : value, from);
  };
  row("domain", domain->name, config.describe(domain->place));
  row("customer", customer,
      customer.empty() ? "-" : config.describe(config.customers[domain->customer].place));
  for (const auto& one : settings) {
    row(one.key, one.value, config.describe(one.place));
  }
  return 0;
}

int list_generations(const std::filesystem::path& state, bool json) {
  const Generations generations(state);
  const auto current = generations.number_of(Generations::kCurrent);
  const auto postfix = generations.number_of(Generations::kCurrentPostfix);
  const auto all = generations.list();
  if (json) {
    const char* separator = "[";
    for (const auto& one : all) {
      fmt::print(
          "{}{{\"generation\": {}, \"written\": {}, \"domains\": {}, "
          "\"removed\": {}, \"copy_of\": {}, \"milters\": {}, \"postfix\": {}}}",
          separator, one.number, json_string(utc(one.written)), one.domains, one.removed,
          one.copy_of == 0 ? "null" : std::to_string(one.copy_of), current == one.number,
          postfix == one.number);
      separator = ",\n ";
    }
    fmt::print("{}]\n", all.empty() ? "[" : "");
    return 0;
  }
  fmt::print("{:<10} {:<20} {:>8} {:>8}  {}\n", "generation", "written", "domains",
             "removed", "note");
  for (const auto& one : all) {
    std::string note;
    if (one.copy_of != 0) note = fmt::format("copy of {}; ", one.copy_of);
    if (current == one.number) note += "in force; ";
    if (postfix == one.number && postfix != current) note += "in force in Postfix; ";
    if (current == one.number && postfix != current) note += "not yet in Postfix; ";
    fmt::print("{:<10} {:<20} {:>8} {:>8}  {}\n", one.number, utc(one.written),
               one.domains, one.removed,
               std::string_view(note).substr(0, note.empty() ? 0 : note.size() - 2));
  }
  return 0;
}

}  // namespace mxfeed
