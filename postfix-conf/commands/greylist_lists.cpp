// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/greylist_lists.h"

#include <fmt/format.h>

#include <optional>
#include <variant>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/mail/address.h"
#include "common/policy/sender_list.h"
#include "postfix-conf/commands/config_edit.h"
#include "postfix-conf/config/config.h"
#include "postfix-conf/config/greylist_edit.h"
#include "postfix-conf/generate/generations.h"

namespace mxfeed {
namespace {

ListEntry entry_of(const ListChange& change) {
  auto parsed = ListEntry::parse(change.entry);
  if (const auto* const cause = std::get_if<std::string>(&parsed)) {
    throw CommandError(
        ExitCode::usage,
        fmt::format("ENTRY: \"{}\" {}", escape_untrusted(change.entry), *cause));
  }
  return std::get<ListEntry>(std::move(parsed));
}

const DomainConfig& domain_in(const Config& config, const std::string& text) {
  const auto name = Domain::parse(text);
  const auto* const domain = name ? config.find(name->str()) : nullptr;
  if (domain != nullptr) return *domain;
  throw CommandError(ExitCode::wrong, fmt::format("--domain: \"{}\" is not configured",
                                                  escape_untrusted(text)));
}

// The lists of the configuration that the change is about.
const SenderList& list_in(const Config& config, const ListChange& change) {
  const bool is_allow = change.key == "allow";
  if (change.domain.empty()) {
    const auto& greylist = config.gateway.greylist;
    return is_allow ? greylist.allow : greylist.deny;
  }
  const auto& greylist = domain_in(config, change.domain).settings->policy.greylist;
  return is_allow ? greylist.allow : greylist.deny;
}

std::string where(const Config& config, const ListChange& change) {
  if (change.domain.empty()) return fmt::format("{}: [greylist]", config.files.at(0));
  const auto& domain = domain_in(config, change.domain);
  return fmt::format("{}: domain \"{}\"", config.describe(domain.place), domain.name);
}

// What the list has after the change.
SenderList changed_list(const SenderList& list, const ListEntry& entry, bool removes) {
  SenderList changed;
  for (const ListEntry& one : list.entries()) {
    if (one != entry) changed.add(one);
  }
  if (!removes) changed.add(entry);
  return changed;
}

void check_size(const SenderList& list, const ListChange& change) {
  if (change.removes || list.entries().size() < SenderList::kMostEntries) return;
  throw CommandError(ExitCode::wrong, fmt::format("{} has {} entries, which is the limit",
                                                  change.key, SenderList::kMostEntries));
}

// Throws CommandError if an operator must do it.
void edit(const Config& config, const ListChange& change, const ListEntry& entry,
          const SenderList& wanted) {
  const Place place =
      change.domain.empty() ? Place{0, 0} : domain_in(config, change.domain).place;
  const std::string& file = config.files.at(place.file);
  const ListPlace list{change.key, place.line};
  const auto before = read_regular_file(file);
  std::optional<std::string> after;
  if (before) {
    after = change.removes ? remove_entry(*before, list, entry)
                           : add_entry(*before, list, entry);
  }
  const auto is_right = [&](const Config& now) {
    return now.domains.size() == config.domains.size() &&
           list_in(now, change).entries() == wanted.entries();
  };
  if (after && edit_config(change.config, file, *before, *after, is_right)) return;
  throw CommandError(
      ExitCode::wrong,
      fmt::format("{}: cannot be edited, nothing was changed; {} \"{}\" {} greylist.{} "
                  "there, then run mxfeed apply",
                  where(config, change), change.removes ? "remove" : "write",
                  escape_untrusted(entry.str()), change.removes ? "from" : "into",
                  change.key));
}

}  // namespace

ExitCode change_greylist_list(const ListChange& change) {
  const ListEntry entry = entry_of(change);
  const auto lock = Generations(change.state).lock();
  if (!lock) {
    throw CommandError(ExitCode::try_later, "another mxfeed is making changes");
  }
  const Config config = read_sound_config(change.config);
  const SenderList& list = list_in(config, change);
  const std::string place = where(config, change);
  const std::string text = escape_untrusted(entry.str());
  if (list.has(entry) != change.removes) {
    fmt::print("{}: {}: \"{}\" is {} there; nothing was changed\n", place, change.key,
               text, change.removes ? "not" : "already");
    return change.removes ? ExitCode::wrong : ExitCode::fine;
  }
  check_size(list, change);
  edit(config, change, entry, changed_list(list, entry, change.removes));
  fmt::print("{}: {}: \"{}\" {}; run mxfeed apply\n", place, change.key, text,
             change.removes ? "removed" : "added");
  return ExitCode::fine;
}

}  // namespace mxfeed
