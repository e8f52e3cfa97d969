// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/sessions.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "postfix-conf/generate/main_cf.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

struct Child {
  pid_t pid = 0;
  std::string name;  // at most 15 characters
};

// proc(5), /proc/PID/stat: the name is in parentheses and may have any character.
// Nothing if it is no child of `parent`.
std::optional<Child> parse_stat(std::string_view text, pid_t pid, std::uint64_t parent) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::nullopt;
  }
  const auto fields = split(trim(text.substr(close + 1)), ' ');
  constexpr std::size_t kParent = 1;  // behind the name and the state
  if (fields.size() <= kParent || parse_unsigned(fields[kParent]) != parent) {
    return std::nullopt;
  }
  return Child{pid, std::string(text.substr(open + 1, close - open - 1))};
}

std::optional<std::string> read_proc(const fs::path& file) {
  try {
    return read_file(file, 64 * 1024);
  } catch (const Fault&) {
    return std::nullopt;  // the process has ended meanwhile
  }
}

// The processes that the master(8) of this Postfix has started.
std::vector<Child> children_of_master(const fs::path& queue) {
  std::vector<Child> children;
  const auto text = read_proc(queue / "pid/master.pid");
  const auto master = text ? parse_unsigned(trim(*text)) : std::nullopt;
  if (!master) return children;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const auto pid = parse_unsigned(entry.path().filename().string());
    if (!pid) continue;
    const auto stat = read_proc(entry.path() / "stat");
    if (!stat) continue;
    auto child = parse_stat(*stat, static_cast<pid_t>(*pid), *master);
    if (child) children.push_back(*std::move(child));
  }
  return children;
}

// master(8) gives a service's name and type, "smtpd -n smtp -t inet -o ...", and leaves
// out a name that is the program's.
SmtpdProcess parse_arguments(std::string_view text) {
  std::string name = "smtpd";
  std::string type;
  SmtpdProcess process;
  std::string_view before;
  for (const auto argument : split(text, '\0')) {
    if (before == "-n") name = argument;
    if (before == "-t") type = argument;
    if (argument.find(kMiltersParameter) != std::string_view::npos) {
      process.has_filters = true;
    }
    before = argument;
  }
  process.service = name + "/" + type;
  return process;
}

}  // namespace

std::vector<SmtpdProcess> smtpd_processes(const fs::path& queue) {
  std::vector<SmtpdProcess> found;
  for (const auto& child : children_of_master(queue)) {
    // A child that does not run its program yet has its parent's name.
    if (child.name == "master") {
      found.emplace_back();
    } else if (child.name == "smtpd") {
      const auto text =
          read_proc(fs::path("/proc") / std::to_string(child.pid) / "cmdline");
      // The arguments of a process that ends are empty.
      if (text && !text->empty()) found.push_back(parse_arguments(*text));
    }
  }
  return found;
}

}  // namespace mxfeed
