// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper_news.h"

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/base/process.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "postfix-conf/commands/domain_source.h"
#include "postfix-conf/config/load.h"

namespace mxfeed {
namespace {

constexpr std::chrono::hours kBetweenAlerts{1};
constexpr std::chrono::hours kBetweenWarnings{24};

}  // namespace

const Config& KeeperNews::config() {
  if (!config_) config_ = load_config(directory_, {}, kept_rows(state_));
  return *config_;
}

void KeeperNews::alert(const Alert& alert) {
  if (!book_.may_send(alert.kind, alert.domain, now_, kBetweenAlerts)) return;
  LogFields fields;
  fields.add("alert", alert.kind);
  if (!alert.domain.empty()) fields.add("domain", alert.domain);
  fields.add("text", alert.text);
  log(Severity::warning, fields);
  const auto json = alert_json(alert, postfix_.host, now_);
  for (const auto& problem : send_alert(config().gateway.alerts, json)) {
    log(Severity::error, LogFields().add("alert", alert.kind).add("fault", problem));
  }
}

void KeeperNews::warn(const std::string& domain, const ExpiringSoon& soon) {
  if (!book_.may_send("warning", domain, now_, kBetweenWarnings)) return;
  const auto contacts = contacts_of(soon.customer);
  alert({"expiring", domain,
         fmt::format("{} will be returned to their senders, or held and deleted as "
                     "on_refusal says, the first at {}; {}",
                     count_of(soon.messages, "message"), utc(soon.first),
                     contacts.empty() ? "no contact can be reached by mail"
                                      : "its contacts are told by mail")});
  if (contacts.empty()) return;
  mail(contacts, domain,
       fmt::format(
           "Mail for {0} waits here, since its mail server does not take it.\n"
           "{1} will be returned to their senders, the first at {2}.\n"
           "Where a sender cannot be verified, the mail may be deleted instead.\n\n"
           "The last answer was:\n{3}\n\n"
           "Please make the mail server available, or ask us to keep the mail "
           "longer.\n",
           domain, count_of(soon.messages, "message"), utc(soon.first),
           soon.reason.empty() ? "none" : escape_line(soon.reason)));
}

std::vector<std::string> KeeperNews::contacts_of(const std::string& customer) {
  std::vector<std::string> contacts;
  if (customer.empty()) return contacts;
  for (const auto& one : config().customers) {
    if (one.id != customer) continue;
    for (const auto& contact : one.contacts) {
      // It would wait in the same queue.
      if (!terms_.is_hosted(contact)) contacts.push_back(contact);
    }
  }
  return contacts;
}

void KeeperNews::mail(const std::vector<std::string>& contacts, const std::string& domain,
                      const std::string& text) const {
  const std::string sender = "postmaster@" + postfix_.host;
  std::vector<std::string> command = {
      "sendmail", "-C", postfix_.config.string(), "-i", "-f", sender, "--"};
  command.insert(command.end(), contacts.begin(), contacts.end());
  const auto message = fmt::format(
      "From: {}\nTo: {}\nSubject: Mail for {} will be returned\n"
      "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
      "Content-Type: text/plain; charset=utf-8\n\n{}",
      sender, fmt::join(contacts, ",\n "), domain, text);
  const auto result = run_command(command, message, [](std::string_view) {});
  if (result.status == 0) return;
  log(Severity::error,
      LogFields()
          .add("warning", domain)
          .add("fault", fmt::format("sendmail: status {}: {}", result.status,
                                    trim(result.errors))));
}

}  // namespace mxfeed
