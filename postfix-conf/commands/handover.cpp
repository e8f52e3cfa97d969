// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/handover.h"

#include <fmt/format.h>

#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/json.h"
#include "common/base/process.h"
#include "postfix-conf/commands/asked_domain.h"

namespace mxfeed {
namespace {

// This host only has its own keys.  Without a certificate, or without Postfix, there are
// none.
DnsRecordSet own_tlsa_records(const Config& config,
                              const std::filesystem::path& postfix_config) {
  std::vector<std::string> lines;
  for (const auto& name : config.gateway.mx) {
    std::vector<std::string> found;
    const auto done =
        run_command({"postfix", "-c", postfix_config.string(), "tls",
                     "output-server-tlsa", "-h", name},
                    "", [&](std::string_view line) { found.emplace_back(line); });
    if (done.status == 0) lines.insert(lines.end(), found.begin(), found.end());
  }
  return tlsa_records(lines);
}

Json json_of(const DnsAdvice& advice) {
  Json sets = Json::list();
  for (const auto& set : advice.sets) {
    Json records = Json::list();
    for (const auto& record : set.records) {
      records.add(Json::object()
                      .set("name", record.owner + ".")
                      .set("type", record.type)
                      .set("data", record.data));
    }
    Json notes = Json::list();
    for (const auto& note : set.notes) notes.add(note);
    sets.add(Json::object()
                 .set("purpose", set.purpose)
                 .set("optional", set.is_optional)
                 .set("records", std::move(records))
                 .set("notes", std::move(notes)));
  }
  return Json::object()
      .set("domain", advice.domain)
      .set("sets", std::move(sets))
      .set("mta_sts",
           Json::object().set("host", advice.sts.host).set("policy", advice.sts.text));
}

}  // namespace

ExitCode show_dns(const CustomerOptions& options, bool json) {
  const auto asked = ask_domain(options.config, options.state, options.domain);
  if (!asked) return ExitCode::wrong;
  auto advice = dns_advice(asked->config, *asked->domain);
  if (options.postfix_config) {
    advice.sets.push_back(own_tlsa_records(asked->config, *options.postfix_config));
  }
  fmt::print("{}", json ? json_of(advice).str() + "\n" : zone_text(advice));
  return ExitCode::fine;
}

ExitCode print_handover(const CustomerOptions& options, MailSystem system,
                        Format format) {
  const auto asked = ask_domain(options.config, options.state, options.domain);
  if (!asked) return ExitCode::wrong;
  const auto sheet = handover_sheet(asked->config, *asked->domain,
                                    dns_advice(asked->config, *asked->domain), system);
  fmt::print("{}", format == Format::html ? sheet.html() : sheet.text());
  return ExitCode::fine;
}

}  // namespace mxfeed
