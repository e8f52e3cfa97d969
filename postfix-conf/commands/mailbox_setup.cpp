// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/process.h"
#include "common/base/text.h"
#include "common/command/command.h"
#include "postfix-conf/commands/mailbox.h"
#include "postfix-conf/generate/generation_files.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/mailbox/boxes.h"
#include "postfix-conf/mailbox/dovecot_conf.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(std::string cause) {
  throw CommandError(ExitCode::wrong, std::move(cause));
}

// What the program prints.
std::string output_of(const std::vector<std::string>& command) {
  std::string output;
  const auto result = run_command(
      command, "", [&](std::string_view line) { output.append(line).append("\n"); });
  if (result.status != 0) {
    refuse(fmt::format("{}: status {}: {}", command[0], result.status,
                       escape_line(trim(result.errors))));
  }
  return output;
}

void check_protocols(const fs::path& dovecot_conf) {
  // "imap lmtp pop3", or from 2.4 on "imap = yes" on a line each.
  std::string value =
      output_of({"doveconf", "-c", dovecot_conf.string(), "-h", "protocols"});
  std::ranges::replace(value, '\n', ' ');
  const auto words = split(value, ' ');
  for (const std::string_view wanted : {"lmtp", "pop3", "imap"}) {
    if (std::ranges::find(words, wanted) == words.end()) {
      refuse(
          fmt::format("Dovecot does not serve {0}: install dovecot-{0}d, or add it to "
                      "protocols",
                      wanted));
    }
  }
}

void print_changes(const fs::path& file, const std::optional<std::string>& before,
                   std::string_view after) {
  fmt::print("--- {}\n", file.string());
  const auto lines = [](char sign, std::string_view text) {
    for (const auto line : split(text, '\n')) {
      if (!line.empty()) fmt::print("{}{}\n", sign, line);
    }
  };
  if (before) lines('-', *before);
  lines('+', after);
}

// Writes the file; Dovecot must be able to read all of its configuration then.
void write_checked(const fs::path& file, const fs::path& dovecot_conf,
                   const std::optional<std::string>& before, const std::string& after) {
  fs::create_directories(file.parent_path());
  write_file(file, after);
  const auto result = run_command({"doveconf", "-c", dovecot_conf.string(), "-n"}, "",
                                  [](std::string_view) {});
  if (result.status == 0) return;
  if (before) {
    write_file(file, *before);
  } else {
    std::error_code ignored;
    fs::remove(file, ignored);
  }
  refuse(fmt::format("Dovecot does not take {}, which is as before: {}", file.string(),
                     escape_line(trim(result.errors))));
}

}  // namespace

ExitCode set_up_mailboxes(const MailboxSetup& setup) {
  const fs::path dovecot_conf_file = setup.dovecot_config / "dovecot.conf";
  const ::passwd* const owner = ::getpwnam(setup.user.c_str());
  if (owner == nullptr) refuse(fmt::format("there is no user {}", setup.user));
  DovecotNeeds needs;
  needs.state = setup.state;
  needs.uid = owner->pw_uid;
  needs.gid = owner->pw_gid;
  needs.queue_directory =
      Postfix(setup.postfix_config).parameters({"queue_directory"}).at(0);
  const std::string version(trim(output_of({"dovecot", "--version"})));
  const std::string wanted = dovecot_conf(version, needs);
  if (wanted.empty()) {
    refuse(
        fmt::format("Dovecot {} is too old: 2.3 is needed", escape_untrusted(version)));
  }
  check_protocols(dovecot_conf_file);
  const fs::path file = setup.dovecot_config / kDovecotFile;
  const auto before = read_regular_file(file);
  if (before != wanted) print_changes(file, before, wanted);
  if (setup.dry_run) return ExitCode::fine;
  const fs::path boxes = setup.state / kMailboxDirectory;
  fs::create_directories(boxes);
  fs::permissions(boxes, fs::perms::owner_all);
  if (::chown(boxes.c_str(), needs.uid, needs.gid) != 0) {
    throw Fault("give to " + setup.user, boxes.string(), errno_text(errno));
  }
  const fs::path users = setup.state / Generations::kCurrent / kMailboxFile;
  if (fs::exists(users)) give_to_dovecot(users);
  if (before == wanted) {
    fmt::print("{}: as it should be\n", file.string());
    return ExitCode::fine;
  }
  write_checked(file, dovecot_conf_file, before, wanted);
  fmt::print("run systemctl restart dovecot\n");
  return ExitCode::fine;
}

}  // namespace mxfeed
