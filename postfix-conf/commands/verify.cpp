// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/net/http.h"
#include "common/net/resolver.h"
#include "common/net/smtp_client.h"
#include "common/net/spf.h"
#include "postfix-conf/commands/asked_domain.h"
#include "postfix-conf/commands/domain_source.h"
#include "postfix-conf/commands/in_force.h"
#include "postfix-conf/commands/picked_host.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/queue/alerts.h"
#include "postfix-conf/verify/destinations.h"
#include "postfix-conf/verify/dns_checks.h"
#include "postfix-conf/verify/failed_checks.h"
#include "postfix-conf/verify/server_checks.h"

namespace mxfeed {
namespace {

using std::chrono::seconds;

constexpr seconds kDnsPatience{20};
constexpr std::size_t kWorkers = 16;
// Its SPF record refuses every client (published by IANA).
constexpr const char* kSpfRefusesAll = "example.com";

// Nobody has it, and nobody guesses it.
std::string unknown_local_part() {
  std::random_device random;
  return fmt::format("mxfeed-{:08x}{:08x}", random(), random());
}

class Verifier {
 public:
  Verifier(const Config& config, const PickedHost& host, const VerifyOptions& options)
      : config_(config), resolver_({}) {
    base_.helo = host.local.name;
    base_.foreign = base_.helo;
    base_.recipient = options.recipient;
    base_.unknown = unknown_local_part();
    base_.needs_smtputf8 = config.gateway.smtputf8;
    if (host.config != nullptr) {
      for (const auto& address : host.config->addresses) {
        auto& source = address.is_v4() ? base_.source_v4 : base_.source_v6;
        if (!source) source = address;
      }
    }
    if (options.outside) {
      (options.outside->is_v4() ? base_.outside_v4 : base_.outside_v6) = options.outside;
    }
    // Else it would look as if the customer's server refused the connection.
    for (const auto& source : {base_.source_v4, base_.source_v6, options.outside}) {
      if (source && !smtp::can_come_from(*source)) {
        throw CommandError(
            ExitCode::wrong,
            fmt::format("{} is not an address of this host: run it on that host, or "
                        "correct [[host]]",
                        source->str()));
      }
    }
  }

  std::vector<Finding> verify(const DomainConfig& domain) {
    auto lookup = resolver_.by(std::chrono::steady_clock::now() + kDnsPatience);
    Findings all;
    all.append(check_dns(config_, domain, lookup, [](const std::string& host) {
      return http::get(fmt::format("https://{}/.well-known/mta-sts.txt", host));
    }));
    ServerSettings settings = base_;
    settings.max_size = domain.settings->max_size;
    settings.tls = domain.settings->tls;
    settings.is_filtered = domain.settings->service == Service::feed;
    settings.spf_failing = spf_failing(domain.name);
    all.append(check_destinations_of(domain, lookup));
    for (const auto& server : servers_of(domain, config_.gateway, lookup)) {
      // Whoever wrote the records chooses where this host connects to.
      const auto& address = *server.address();
      if (!why_undeliverable(config_.gateway, address).empty()) continue;
      all.append(check_server(address, server.port, domain.name, settings));
    }
    return all.all();
  }

 private:
  std::vector<Finding> check_destinations_of(const DomainConfig& domain,
                                             dns::Lookup& lookup) const {
    Findings all;
    const auto found = check_destinations(config_, domain, {}, lookup);
    for (const auto& one : found.errors) {
      all.failed("server-name", domain.name, one.cause,
                 "correct the record, or deliver_to");
    }
    for (const auto& one : found.warnings)
      all.unknown("server-name", domain.name, one.cause);
    return all.all();
  }

  std::string spf_failing(const std::string& domain) {
    const auto& source = base_.source_v4 ? base_.source_v4 : base_.source_v6;
    if (!source) return {};
    auto lookup = resolver_.by(std::chrono::steady_clock::now() + kDnsPatience);
    for (const std::string& name : {domain, std::string(kSpfRefusesAll)}) {
      const spf::Session session{
          .ip = *source, .helo = base_.helo, .sender = "postmaster@" + name};
      if (spf::check_mail_from(session, lookup).result == spf::Result::fail) return name;
    }
    return {};
  }

  const Config& config_;
  ServerSettings base_;
  dns::Resolver resolver_;
};

Json json_of(const Finding& one) {
  return Json::object()
      .set("outcome", to_string(one.outcome))
      .set("check", one.check)
      .set("subject", one.subject)
      .set("cause", one.cause)
      .set("advice", one.advice.empty() ? Json() : Json(one.advice));
}

Json json_of(const DomainConfig& domain, const std::vector<Finding>& findings) {
  Json list = Json::list();
  for (const auto& one : findings) list.add(json_of(one));
  return Json::object().set("domain", domain.name).set("checks", std::move(list));
}

void print(const DomainConfig& domain, const std::vector<Finding>& findings) {
  fmt::print("{}\n", domain.name);
  for (const auto& one : findings) {
    fmt::print("  {:<8} {:<11} {}: {}\n", to_string(one.outcome), one.check,
               escape_line(one.subject), escape_line(one.cause));
    if (!one.advice.empty()) {
      fmt::print("  {:<8} {:<11} {}\n", "", "", escape_line(one.advice));
    }
  }
}

bool has(const std::vector<std::vector<Finding>>& all, Outcome outcome) {
  return std::any_of(all.begin(), all.end(), [&](const auto& findings) {
    return std::any_of(findings.begin(), findings.end(),
                       [&](const Finding& one) { return one.outcome == outcome; });
  });
}

// One line each, for the log.
void print_changes(const std::vector<VerifyChange>& changes, bool json) {
  Json list = Json::list();
  for (const auto& [domain, finding, is_ok_again] : changes) {
    list.add(json_of(finding).set("domain", domain));
    if (json) continue;
    fmt::print("{}: {} {}: {}{}{}\n", domain, finding.check, escape_line(finding.subject),
               is_ok_again ? "" : "failed: ", escape_line(finding.cause),
               is_ok_again ? "" : "; " + escape_line(finding.advice));
  }
  if (json) fmt::print("{}\n", list.str());
}

// Alerts for each domain with a check that fails now and did not before.
void alert_changes(const AlertChannels& channels, const std::string& host,
                   const std::vector<VerifyChange>& changes) {
  std::map<std::string, std::vector<std::string>> failed;
  for (const auto& [domain, finding, is_ok_again] : changes) {
    if (is_ok_again) continue;
    failed[domain].push_back(fmt::format("{} {}: {}", finding.check,
                                         escape_line(finding.subject),
                                         escape_line(finding.cause)));
  }
  for (const auto& [domain, checks] : failed) {
    const Alert alert = {"verify", domain,
                         fmt::format("no longer as it must be: {}; see mxfeed verify {}",
                                     fmt::join(checks, "; "), domain)};
    for (const auto& problem :
         send_alert(channels, alert_json(alert, host, system_time()))) {
      complain(fmt::format("alert: {}", problem));
    }
  }
}

// Tells what differs from the last time, and keeps what fails for the next.
ExitCode report_changes(const VerifyOptions& options, const AlertChannels& channels,
                        const std::string& host,
                        const std::vector<const DomainConfig*>& domains,
                        std::vector<std::vector<Finding>> found) {
  const auto directory = options.state / "verify";
  const auto file = directory / "failed";
  std::vector<VerifiedDomain> verified;
  for (std::size_t i = 0; i < domains.size(); ++i) {
    verified.push_back({domains[i]->name, std::move(found[i])});
  }
  const auto before = parse_failed_checks(read_file(file).value_or(""));
  const auto result = compare(before, verified);
  print_changes(result.changes, options.json);
  alert_changes(channels, host, result.changes);
  // After they were told: rather twice than never.
  std::fflush(stdout);
  std::filesystem::create_directories(directory);
  write_file(file, render(result.failed));
  const bool is_worse =
      std::any_of(result.changes.begin(), result.changes.end(),
                  [](const VerifyChange& one) { return !one.is_ok_again; });
  return is_worse ? ExitCode::wrong : ExitCode::fine;
}

// Many at a time: they wait for servers.
std::vector<std::vector<Finding>> verify_all(
    Verifier& verifier, const std::vector<const DomainConfig*>& domains) {
  std::vector<std::vector<Finding>> found(domains.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < domains.size(); i = next++) {
      found[i] = verifier.verify(*domains[i]);
    }
  };
  std::vector<std::jthread> workers;
  for (std::size_t i = 1; i < std::min(kWorkers, domains.size()); ++i) {
    workers.emplace_back(work);
  }
  work();
  workers.clear();
  return found;
}

}  // namespace

ExitCode verify(const VerifyOptions& options) {
  // A server that is gone is an error to report.
  std::signal(SIGPIPE, SIG_IGN);
  std::optional<AskedDomain> asked;
  std::optional<Config> all;
  std::vector<const DomainConfig*> domains;
  if (options.domain.empty()) {
    all = load_config_shown(options.config, kept_rows(options.state));
    if (!all->errors.empty()) {
      print_problems(*all);
      return ExitCode::wrong;
    }
    for (const auto& domain : all->domains) {
      if (domain.settings->state != DomainState::removed) domains.push_back(&domain);
    }
  } else {
    asked = ask_domain(options.config, options.state, options.domain);
    if (!asked) return ExitCode::wrong;
    domains.push_back(asked->domain);
  }
  const Config& config = all ? *all : asked->config;
  const auto former = read_in_force(Generations(options.state)).meta.local;
  const auto host = pick_host(config, options.host, former);
  Verifier verifier(config, host, options);
  auto found = verify_all(verifier, domains);
  if (options.only_changes) {
    return report_changes(options, config.gateway.alerts, host.local.name, domains,
                          std::move(found));
  }
  if (options.json) {
    Json list = Json::list();
    for (std::size_t i = 0; i < domains.size(); ++i) {
      list.add(json_of(*domains[i], found[i]));
    }
    fmt::print("{}\n", list.str());
  } else {
    for (std::size_t i = 0; i < domains.size(); ++i) print(*domains[i], found[i]);
  }
  if (has(found, Outcome::failed)) return ExitCode::wrong;
  return has(found, Outcome::unknown) ? ExitCode::try_later : ExitCode::fine;
}

}  // namespace mxfeed
