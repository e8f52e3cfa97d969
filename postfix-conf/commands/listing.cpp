// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "postfix-conf/commands/asked_domain.h"
#include "postfix-conf/commands/domain_source.h"
#include "postfix-conf/commands/health.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/config/load.h"
#include "postfix-conf/config/settings.h"
#include "postfix-conf/generate/generations.h"

namespace mxfeed {
namespace {

Json json_of(const Config& config, const DomainConfig& domain, std::string_view customer,
             const std::vector<ShownSetting>& settings) {
  Json members = Json::object();
  for (const auto& one : settings) {
    members.set(
        one.key,
        Json::object().set("value", one.value).set("from", config.describe(one.place)));
  }
  return Json::object()
      .set("domain", domain.name)
      .set("from", config.describe(domain.place))
      .set("customer", customer.empty() ? Json() : Json(customer))
      .set("settings", std::move(members));
}

Json json_of(const Config& config, const Problem& problem) {
  const auto& place = problem.place;
  return Json::object()
      .set("file",
           place.file < config.files.size() ? Json(config.files[place.file]) : Json())
      .set("line", place.line == 0 ? Json() : Json(place.line))
      .set("subject", problem.subject.empty() ? Json() : Json(problem.subject))
      .set("key", problem.key.empty() ? Json() : Json(problem.key))
      .set("cause", problem.cause);
}

Json json_of(const Config& config, const Health& health, const DomainSource& source) {
  Json errors = Json::list();
  for (const auto& error : config.errors) errors.add(json_of(config, error));
  Json warnings = Json::list();
  for (const auto& warning : config.warnings) warnings.add(json_of(config, warning));
  return Json::object()
      .set("ok", config.errors.empty())
      .set("domains", config.domains.size())
      .set("customers", config.customers.size())
      .set("files", config.files_read)
      .set("errors", std::move(errors))
      .set("warnings", std::move(warnings))
      .set("source", source.json())
      .set("dangers", json_of(health.alarms));
}

}  // namespace

ExitCode check(const CheckOptions& options) {
  DomainSource source(options.state);
  const Config config = source.load(options.config);
  for (const auto& problem : source.problems()) complain(problem);
  print_problems(config);
  const bool good = config.errors.empty();
  const Health health =
      good ? look_at_health(options.state, options.postfix_config, Scope::in_use)
           : Health();
  if (options.json) fmt::print("{}\n", json_of(config, health, source).str());
  if (!good) {
    fmt::print(stderr, "{}\n", count_of(config.errors.size(), "error"));
    return ExitCode::wrong;
  }
  if (!options.json) {
    fmt::print("{}, {}, {}: ok\n", count_of(config.domains.size(), "domain"),
               count_of(config.customers.size(), "customer"),
               count_of(config.files_read, "file"));
  }
  return worse(print_alarms(health),
               source.problems().empty() ? ExitCode::fine : ExitCode::wrong);
}

ExitCode show(const std::filesystem::path& directory, const std::filesystem::path& state,
              const std::string& name, bool json) {
  const auto asked = ask_domain(directory, state, name);
  if (!asked) return ExitCode::wrong;
  const Config& config = asked->config;
  const auto* const domain = asked->domain;
  const std::string customer = domain->customer == DomainConfig::kNoCustomer
                                   ? std::string()
                                   : config.customers[domain->customer].id;
  const auto settings = list_settings(*domain);
  if (json) {
    fmt::print("{}\n", json_of(config, *domain, customer, settings).str());
    return ExitCode::fine;
  }
  const auto row = [](std::string_view key, std::string_view value,
                      std::string_view from) {
    fmt::print("{:<18} {:<36} {}\n", key, value.empty() ? "-" : value, from);
  };
  row("domain", domain->name, config.describe(domain->place));
  row("customer", customer,
      customer.empty() ? "-" : config.describe(config.customers[domain->customer].place));
  for (const auto& one : settings) {
    row(one.key, one.text(), config.describe(one.place));
  }
  return ExitCode::fine;
}

ExitCode list_generations(const std::filesystem::path& state, bool json) {
  const Generations generations(state);
  const auto current = generations.number_of(Generations::kCurrent);
  const auto postfix = generations.number_of(Generations::kCurrentPostfix);
  const auto all = generations.list();
  Listing listing({{"generation", 10, true},
                   {"written", 20},
                   {"domains", 8, true},
                   {"removed", 8, true},
                   {"copy_of", 7, true},
                   {"milters", 7},
                   {"postfix", 7}},
                  json);
  for (const auto& one : all) {
    listing.row({one.number, utc(one.written), one.domains, one.removed,
                 one.copy_of == 0 ? Json() : Json(one.copy_of), current == one.number,
                 postfix == one.number});
  }
  return ExitCode::fine;
}

}  // namespace mxfeed
