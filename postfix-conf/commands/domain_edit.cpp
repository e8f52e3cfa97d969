// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/domain_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <system_error>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/mail/address.h"
#include "postfix-conf/commands/domain_source.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/config/domain_file.h"
#include "postfix-conf/generate/generations.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(std::string cause) {
  throw CommandError(ExitCode::wrong, std::move(cause));
}

std::string name_of(const DomainEdit& edit) {
  const auto name = Domain::parse(edit.name);
  if (name) return name->str();
  throw CommandError(ExitCode::usage, fmt::format("\"{}\" is not a domain name",
                                                  escape_untrusted(edit.name)));
}

// It becomes the name of a file.
bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= 200 && text.front() != '.' &&
         std::ranges::all_of(text, [](char c) {
           return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

fs::path path_for(const DomainEdit& edit, const std::string& customer,
                  const std::string& name) {
  const std::string& base = customer.empty() ? name : customer;
  if (!is_plain_name(base)) {
    refuse(
        fmt::format("customer \"{}\": an id with other characters than letters, digits, "
                    "\".\", \"-\" and \"_\" cannot be set by a command",
                    escape_untrusted(base)));
  }
  return edit.config / "domains.d" / (base + ".toml");
}

// The file as we wrote it, or an empty one if there is none.
DomainFile read_ours(const fs::path& path) {
  const auto text = read_regular_file(path);
  if (!text) return {};
  auto file = DomainFile::parse(*text);
  if (file) return *std::move(file);
  refuse(fmt::format("{}: not as mxfeed domain set wrote it; edit it by hand",
                     escape_untrusted(path.string())));
}

Config read_config(const DomainEdit& edit) {
  return load_config_shown(edit.config, kept_rows(edit.state));
}

// Writes the text; if the configuration has errors then, the former text again.
void write_checked(const DomainEdit& edit, const fs::path& path,
                   const std::optional<std::string>& before, const std::string& after) {
  if (before) {
    rewrite_file(path, after);
  } else {
    fs::create_directories(path.parent_path());
    write_file(path, after);
  }
  const Config now = read_config(edit);
  if (now.errors.empty() && !edit.dry_run) return;
  if (before) {
    rewrite_file(path, *before);
  } else {
    fs::remove(path);
  }
  if (now.errors.empty()) return;
  print_problems(now);
  refuse("the configuration would have errors; nothing was changed");
}

ExitCode change(const DomainEdit& edit, const fs::path& path, const DomainFile& file) {
  const std::string shown = escape_untrusted(path.string());
  const auto before = read_regular_file(path);
  const std::string after = file.str();
  const bool is_changed = before != after;
  if (is_changed) write_checked(edit, path, before, after);
  if (edit.json) {
    fmt::print("{}\n", Json::object()
                           .set("domain", edit.name)
                           .set("file", path.string())
                           .set("changed", is_changed && !edit.dry_run)
                           .set("would_change", is_changed)
                           .str());
  } else if (!is_changed) {
    fmt::print("{}: as it was; nothing was changed\n", shown);
  } else {
    fmt::print("{}: {}\n", shown,
               edit.dry_run ? "would be written" : "written; run mxfeed apply");
  }
  return ExitCode::fine;
}

// Does the work while no other mxfeed changes the configuration.
ExitCode locked(const DomainEdit& edit,
                const std::function<ExitCode(const Config&)>& work) {
  const auto lock = Generations(edit.state).lock();
  if (!lock) throw CommandError(ExitCode::try_later, "another mxfeed is making changes");
  const Config config = read_config(edit);
  if (!config.errors.empty()) {
    print_problems(config);
    refuse("the configuration has errors; nothing was changed");
  }
  return work(config);
}

}  // namespace

ExitCode set_domain(const DomainEdit& edit) {
  const std::string name = name_of(edit);
  return locked(edit, [&](const Config& config) {
    const fs::path path = path_for(edit, customer_in(edit.row), name);
    const auto* const known = config.find(name);
    if (known != nullptr &&
        fs::path(config.files[known->place.file]).filename() != path.filename()) {
      refuse(fmt::format("domain \"{}\" is in {}; nothing was changed", name,
                         config.describe(known->place)));
    }
    const auto file = read_ours(path).with(edit.row, name);
    if (!file) {
      throw CommandError(ExitCode::usage, file.cause());
    }
    return change(edit, path, *file);
  });
}

ExitCode remove_domain(const DomainEdit& edit) {
  const std::string name = name_of(edit);
  return locked(edit, [&](const Config& config) {
    const auto* const known = config.find(name);
    if (known == nullptr) refuse(fmt::format("domain \"{}\" is not configured", name));
    if (known->place.file == config.source_file) {
      refuse(fmt::format("domain \"{}\" comes from [source]: remove it there", name));
    }
    const fs::path path = config.files[known->place.file];
    const auto file = read_ours(path).without(name);
    if (!file) refuse(fmt::format("domain \"{}\" is not in {}", name, path.string()));
    return change(edit, path, *file);
  });
}

}  // namespace mxfeed
