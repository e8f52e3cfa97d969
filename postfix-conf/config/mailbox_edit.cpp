// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/mailbox_edit.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/base/toml_string.h"
#include "postfix-conf/config/domain_lines.h"
#include "postfix-conf/config/toml_edit.h"

namespace mxfeed {
namespace {

constexpr std::string_view kTable = "[[domain.mailbox]]";

// Whether the line is `user = "NAME"`.
bool names(std::string_view line, std::string_view user) {
  const auto text = bare_line(line);
  if (!text.starts_with("user")) return false;
  const auto rest = trim(text.substr(4));
  if (!rest.starts_with('=')) return false;
  const auto value = trim(rest.substr(1));
  return value.size() > 2 && (value.front() == '"' || value.front() == '\'') &&
         iequals(value.substr(1, value.size() - 2), user);
}

}  // namespace

std::string add_mailboxes(std::string_view text, std::uint32_t domain_line,
                          const std::vector<MailboxConfig>& mailboxes) {
  const auto all = split(text, '\n');
  auto [begin, end] = lines_of_domain(all, domain_line);
  // In front of what separates it from the next domain.
  const auto is_apart = [&](std::uint32_t line) {
    return bare_line(all[line - 1]).empty();
  };
  while (end > begin && is_apart(end - 1)) --end;
  const auto& last = all[end - 2];
  const std::size_t at =
      static_cast<std::size_t>(last.data() + last.size() - text.data());
  const std::string_view line_end = last.ends_with('\r') ? "\r\n" : "\n";
  std::string more;
  for (const auto& one : mailboxes) {
    more += fmt::format("{0}  {1}{0}  user = {2}{0}  password = {3}", line_end, kTable,
                        toml_string(one.user), toml_string(one.password));
  }
  // The line's own end follows it.
  if (last.ends_with('\r')) {
    more.erase(0, 1);
    more += '\r';
  }
  std::string changed(text);
  changed.insert(at, more);
  if (at == text.size()) changed += line_end;
  return changed;
}

std::optional<std::string> set_mailbox_password(std::string_view text,
                                                std::uint32_t domain_line,
                                                const MailboxConfig& mailbox) {
  const auto all = split(text, '\n');
  const auto [begin, end] = lines_of_domain(all, domain_line);
  bool is_inside = false;
  std::uint32_t user_line = 0, password_line = 0;
  const auto found = [&] { return user_line != 0 && password_line != 0; };
  for (std::uint32_t line = begin; line < end && !found(); ++line) {
    const auto bare = bare_line(all[line - 1]);
    if (bare.starts_with('[')) {
      is_inside = bare == kTable;
      user_line = password_line = 0;
    } else if (is_inside && names(all[line - 1], mailbox.user)) {
      user_line = line;
    } else if (is_inside && bare.starts_with("password")) {
      password_line = line;
    }
  }
  if (!found()) return std::nullopt;
  return replace_value(text, password_line, "password", toml_string(mailbox.password));
}

}  // namespace mxfeed
