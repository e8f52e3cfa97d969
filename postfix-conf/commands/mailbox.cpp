// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/mailbox.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "common/base/fault.h"
#include "common/base/password.h"
#include "common/base/text.h"
#include "common/command/command.h"
#include "common/command/listing.h"
#include "common/mail/address.h"
#include "common/mail/envelope.h"
#include "postfix-conf/commands/config_edit.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/config/mailbox_edit.h"
#include "postfix-conf/config/settings.h"
#include "postfix-conf/generate/generation_files.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/mailbox/boxes.h"
#include "postfix-conf/mailbox/maildir.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

// What an inbox has.
struct Content {
  std::uint64_t messages = 0, bytes = 0;
};

// Of the mailboxes of a domain, by user.
std::map<std::string, Content> contents_of(const fs::path& mailboxes) {
  std::map<std::string, Content> contents;
  each_mail(mailboxes, [&](const MailFile& file) {
    std::error_code error;
    const auto size = fs::file_size(file.path, error);
    if (error) return true;  // read or deleted meanwhile
    Content& content = contents[file.user];
    ++content.messages;
    content.bytes += size;
    return true;
  });
  return contents;
}

std::string checked_user(const std::string& text) {
  std::string user = ascii_lower(text);
  if (is_mailbox_user(user)) return user;
  throw CommandError(ExitCode::usage,
                     fmt::format("\"{}\" is not a name of letters, digits and ._=-",
                                 escape_untrusted(text)));
}

bool has_mailbox(const DomainConfig& domain, const std::string& user) {
  return std::ranges::any_of(domain.settings->mailboxes,
                             [&](const MailboxConfig& one) { return one.user == user; });
}

// The recipients that a list has, and those that wait in the queue.
std::set<std::string> known_users(const MailboxOptions& options, const Config& config,
                                  const DomainConfig& domain) {
  std::set<std::string> users;
  const auto add = [&](std::string_view local_part) {
    std::string user = ascii_lower(local_part.substr(0, local_part.find('+')));
    if (is_mailbox_user(user)) users.insert(std::move(user));
  };
  if (const auto list = config.recipients.find(domain.name);
      list != config.recipients.end()) {
    for (const auto& one : list->second) add(one);
  }
  Postfix(options.postfix_config).read_queue([&](const QueuedMessage& message) {
    for (const auto& one : message.recipients) {
      const Recipient recipient = Recipient::parse(one.address);
      const auto spellings = spellings_of(recipient.domain);
      if (std::ranges::find(spellings, domain.name) != spellings.end()) {
        add(recipient.local_part);
      }
    }
  });
  return users;
}

// Only once: nobody can read them from their hashes.
void print_passwords(const MailboxOptions& options, const std::string& domain,
                     const std::vector<std::pair<std::string, std::string>>& passwords) {
  const std::string server =
      Postfix(options.postfix_config).parameters({"myhostname"}).at(0);
  Listing listing({{"mailbox", 30}, {"password", 20}, {"pop3", 1}, {"imap", 1}},
                  options.json);
  for (const auto& [user, password] : passwords) {
    listing.row({user + "@" + domain, password, server + ":995", server + ":993"});
  }
}

// The file of the domain has hashes of passwords.
void hide_from_others(const Config& config, const std::string& domain) {
  fs::permissions(config.files.at(configured_domain(config, domain).place.file),
                  fs::perms::others_all, fs::perm_options::remove);
}

// Why the domain cannot have the service; empty if it can.
std::string obstacle_of(const DomainConfig& domain, Service service) {
  const DomainSettings& settings = *domain.settings;
  if (service != Service::mailbox) {
    return domain.deliver_to.empty() && !settings.deliver_to_mx
               ? "deliver_to is missing: the customer's server"
               : "";
  }
  if (settings.mailboxes.empty()) return "it has no mailboxes: mxfeed mailbox create";
  if (settings.standby_mailboxes) {
    return fmt::format("standby_mailboxes is on: mxfeed mailbox standby {} off",
                       domain.name);
  }
  return settings.policy.subdomains ? "subdomains is on" : "";
}

EditedDomain edited(const MailboxOptions& options, const std::string& domain) {
  return {options.config, options.state, domain};
}

}  // namespace

ExitCode list_mailboxes(const MailboxOptions& options, const std::string& domain) {
  const fs::path file = options.state / Generations::kCurrentPostfix / kMailboxFile;
  if (::access(file.c_str(), R_OK) != 0 && errno == EACCES) {
    throw Fault("list mailboxes", file.string(), errno_text(errno));
  }
  const Generated generated = read_hosted(options.state);
  std::string wanted;
  if (!domain.empty()) {
    const auto name = Domain::parse(domain);
    wanted = name ? name->str() : domain;
    if (generated.find(wanted) == nullptr) {
      throw CommandError(
          ExitCode::wrong,
          fmt::format("{}: the generation in force does not have it; run mxfeed apply",
                      escape_untrusted(domain)));
    }
  }
  Listing listing({{"mailbox", 30},
                   {"login", 5},
                   {"copies", 6},
                   {"messages", 8, true},
                   {"bytes", 12, true}},
                  options.json);
  std::map<std::string, Content> contents;
  const std::string* domain_of_contents = nullptr;
  for (const auto& one : generated.mailboxes) {
    if (!wanted.empty() && one.domain != wanted) continue;
    if (domain_of_contents == nullptr || *domain_of_contents != one.domain) {
      contents = contents_of(options.state / kMailboxDirectory / one.domain);
      domain_of_contents = &one.domain;
    }
    const auto* const hosted = generated.find(one.domain);
    const Content& content = contents[one.user];
    listing.row({one.user + "@" + one.domain, !one.password.empty(),
                 hosted != nullptr && hosted->standby, content.messages, content.bytes});
  }
  return ExitCode::fine;
}

ExitCode create_mailboxes(const MailboxOptions& options, const std::string& domain,
                          const std::vector<std::string>& users, bool from_recipients) {
  std::set<std::string> wanted;
  for (const auto& one : users) wanted.insert(checked_user(one));
  std::vector<std::pair<std::string, std::string>> passwords;
  std::string name;
  const Config now = edit_domain(
      edited(options, domain),
      [&](const Config& config, const DomainConfig& found, std::string_view text) {
        name = found.name;
        for (const auto& user : wanted) {
          if (!has_mailbox(found, user)) continue;
          throw CommandError(ExitCode::wrong,
                             fmt::format("{}@{}: there is one already; mxfeed mailbox "
                                         "passwd gives it a new password",
                                         user, name));
        }
        if (from_recipients) wanted.merge(known_users(options, config, found));
        std::vector<MailboxConfig> all;
        for (const auto& user : wanted) {
          if (has_mailbox(found, user)) continue;
          passwords.emplace_back(user, random_password());
          all.push_back({user, password_hash(passwords.back().second)});
        }
        if (all.empty()) {
          throw CommandError(ExitCode::wrong,
                             from_recipients
                                 ? fmt::format("{}: no recipient is known that has no "
                                               "mailbox yet",
                                               name)
                                 : "name a user, or give --from-recipients");
        }
        return std::optional(add_mailboxes(text, found.place.line, all));
      },
      [&](const DomainConfig& changed) {
        return std::ranges::all_of(
            passwords, [&](const auto& one) { return has_mailbox(changed, one.first); });
      },
      "[[domain.mailbox]]");
  hide_from_others(now, name);
  print_passwords(options, name, passwords);
  if (!options.json) fmt::print("run mxfeed apply\n");
  return ExitCode::fine;
}

ExitCode change_password(const MailboxOptions& options, const std::string& domain,
                         const std::string& user) {
  const std::string wanted = checked_user(user);
  const std::string password = random_password();
  const MailboxConfig mailbox{wanted, password_hash(password)};
  std::string name;
  const Config now = edit_domain(
      edited(options, domain),
      [&](const Config&, const DomainConfig& found, std::string_view text) {
        name = found.name;
        if (!has_mailbox(found, wanted)) {
          throw CommandError(
              ExitCode::wrong,
              fmt::format("{}@{}: there is no such mailbox", wanted, name));
        }
        return set_mailbox_password(text, found.place.line, mailbox);
      },
      [&](const DomainConfig& changed) {
        const auto& all = changed.settings->mailboxes;
        return std::ranges::find(all, mailbox) != all.end();
      },
      "its password");
  hide_from_others(now, name);
  print_passwords(options, name, {{wanted, password}});
  if (!options.json) fmt::print("run mxfeed apply\n");
  return ExitCode::fine;
}

ExitCode set_standby(const MailboxOptions& options, const std::string& domain, bool on) {
  constexpr const char* kKey = "standby_mailboxes";
  const char* const value = on ? "true" : "false";
  const Config now = edit_domain(
      edited(options, domain),
      [&](const Config&, const DomainConfig& found, std::string_view text) {
        return set_domain_value(text, found, kKey, value);
      },
      [&](const DomainConfig& changed) {
        return changed.settings->standby_mailboxes == on;
      },
      fmt::format("{} = {}", kKey, value));
  const DomainConfig& found = configured_domain(now, domain);
  fmt::print("{}: {} = {}; run mxfeed apply\n",
             now.describe(found.place_of(domain_setting(kKey))), kKey, value);
  if (on && found.settings->mailboxes.empty()) {
    fmt::print(
        "{}: all copies go to {}@{}, which has no password: see mxfeed mailbox "
        "create\n",
        found.name, kCatchAllUser, found.name);
  }
  return ExitCode::fine;
}

ExitCode swap_service(const MailboxOptions& options, const std::string& domain,
                      Service service, bool dry_run) {
  constexpr const char* kKey = "service";
  const std::string value = fmt::format("\"{}\"", to_string(service));
  const auto tell = [&](const Config& config, std::string_view before) {
    const DomainConfig& found = configured_domain(config, domain);
    fmt::print("{}: {} = {}{}\n", config.describe(found.place), kKey, value,
               dry_run ? fmt::format(", now \"{}\"", before) : "; run mxfeed apply");
    fmt::print("{}\n",
               service == Service::mailbox
                   ? "what waits in the queue goes to the mailboxes, with what comes"
                   : fmt::format("what comes and what waits in the queue goes to the "
                                 "customer's server; then mxfeed mailbox drain {} "
                                 "delivers what the mailboxes hold",
                                 found.name));
  };
  const auto check = [&](const Config& config) {
    const DomainConfig& found = configured_domain(config, domain);
    if (const auto obstacle = obstacle_of(found, service); !obstacle.empty()) {
      throw CommandError(ExitCode::wrong, fmt::format("{}: {}", found.name, obstacle));
    }
  };
  if (dry_run) {
    const Config config = read_sound_config(options.config);
    check(config);
    tell(config, to_string(configured_domain(config, domain).settings->service));
    return ExitCode::fine;
  }
  const Config now = edit_domain(
      edited(options, domain),
      [&](const Config& config, const DomainConfig& found, std::string_view text) {
        check(config);
        return set_domain_value(text, found, kKey, value);
      },
      [&](const DomainConfig& changed) { return changed.settings->service == service; },
      fmt::format("{} = {}", kKey, value));
  tell(now, "");
  return ExitCode::fine;
}

}  // namespace mxfeed
