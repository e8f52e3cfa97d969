// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/quarantine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "common/command/owner.h"
#include "common/mail/address.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/commands/quarantine_host.h"

namespace mxfeed {
namespace {

using quarantine::Item;
using quarantine::Standing;
using quarantine::Store;

constexpr std::string_view kDaemon = "quarantine";
constexpr const char* kDatabase = "quarantine.db";
constexpr std::string_view kAll = "all";
constexpr std::size_t kMaxHeader = 256 * 1024;

std::string domain_of(const QuarantineOptions& options) {
  const auto domain = Domain::parse(options.domain);
  if (!domain) {
    throw CommandError(ExitCode::usage, fmt::format("DOMAIN: \"{}\" is not a domain name",
                                                    escape_untrusted(options.domain)));
  }
  return domain->str();
}

Store open_held(const QuarantineOptions& options, Sqlite::Access access) {
  check_held_here(options);
  become_daemon(options.state, kDaemon);
  const auto directory = options.state / kDaemon;
  std::error_code error;
  if (!std::filesystem::exists(directory / kDatabase, error)) {
    throw CommandError(ExitCode::wrong,
                       fmt::format("{}: nothing was ever held", directory.string()));
  }
  return {directory, access};
}

std::string sender_of(const Item& item) {
  return item.sender.empty() ? "<>" : item.sender;
}

// The header of the content, its lines ended by LF.
std::string header_of(const std::filesystem::path& content) {
  const Fd file(::open(content.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw Fault("read", content.string(), errno_text(errno));
  std::string text(kMaxHeader, '\0');
  const auto got = ::read(file.get(), text.data(), text.size());
  if (got < 0) throw Fault("read", content.string(), errno_text(errno));
  text.resize(static_cast<std::size_t>(got));
  std::string header;
  for (const auto line : split(text, '\n')) {
    const auto bare = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    if (bare.empty()) break;
    header.append(bare).append("\n");
  }
  return header;
}

void print_content(const std::filesystem::path& content) {
  const Fd file(::open(content.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw Fault("read", content.string(), errno_text(errno));
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Fault("read", content.string(), errno_text(errno));
    if (got == 0) return;
    if (!write_all(STDOUT_FILENO, {buffer.data(), static_cast<std::size_t>(got)})) {
      throw Fault("write", "standard output", errno_text(errno));
    }
  }
}

Item item_of(const Store& store, const std::string& domain, const std::string& id) {
  const auto number = parse_unsigned(id);
  const auto item = number && *number <= INT64_MAX
                        ? store.find(static_cast<std::int64_t>(*number))
                        : std::nullopt;
  // The items of other domains are none of this one's.
  if (!item || item->address.domain != domain) {
    throw CommandError(ExitCode::wrong, fmt::format("{}: nothing is held as {}", domain,
                                                    escape_untrusted(id)));
  }
  return *item;
}

Json json_of(const Item& item) {
  Json json = Json::object();
  json.set("id", item.id)
      .set("domain", item.address.domain)
      .set("state", to_string(item.standing))
      .set("kind", to_string(item.address.kind))
      .set("reason", item.address.reason)
      .set("arrived", utc(item.arrived))
      .set("since", utc(item.since))
      .set("size", item.size)
      .set("from", item.sender)
      .set("to", item.address.recipient)
      .set("message", item.address.token)
      .set("released_as", item.queue_id.empty() ? Json() : Json(item.queue_id));
  return json;
}

}  // namespace

void check_held_here(const QuarantineOptions& options) {
  const auto host = quarantine_host_of(options.state);
  if (host.empty()) return;
  std::error_code error;
  if (!std::filesystem::exists(options.state / kDaemon / kDatabase, error)) {
    throw CommandError(
        ExitCode::wrong,
        fmt::format("{}: nothing is held on this host: the quarantine of all gateways is "
                    "on {}: run the command there",
                    escape_untrusted(options.domain), escape_untrusted(host)));
  }
  complain(
      fmt::format("note: the quarantine of all gateways is on {}; this is what was "
                  "held on this host before",
                  escape_untrusted(host)));
}

ExitCode list_held(const QuarantineOptions& options, bool ended, bool lessons) {
  const auto domain = domain_of(options);
  const Store store = open_held(options, Sqlite::Access::read_write);
  Listing listing({{"id", 6, true},
                   {"arrived", 20},
                   {"state", 9},
                   {"kind", 11},
                   {"size", 9, true},
                   {"from", 24},
                   {"to", 24},
                   {"reason", 0}},
                  options.json);
  store.each(domain, [&](const Item& item) {
    if (!ended && !item.is_live()) return;
    if (teaches(item.address.kind) != lessons) return;
    listing.row({item.id, utc(item.arrived), to_string(item.standing),
                 to_string(item.address.kind), item.size,
                 options.json ? item.sender : sender_of(item), item.address.recipient,
                 item.address.reason});
  });
  return ExitCode::fine;
}

ExitCode show_held(const QuarantineOptions& options, const std::string& id,
                   bool content) {
  const auto domain = domain_of(options);
  const Store store = open_held(options, Sqlite::Access::read_write);
  const Item item = item_of(store, domain, id);
  if (content) {
    if (!item.is_live()) {
      throw CommandError(ExitCode::wrong,
                         fmt::format("{}: it is {}", item.id, to_string(item.standing)));
    }
    print_content(store.content_of(item));
    return ExitCode::fine;
  }
  const auto header = item.is_live() ? header_of(store.content_of(item)) : std::string();
  if (options.json) {
    fmt::print("{}\n", json_of(item).set("header", header).str());
    return ExitCode::fine;
  }
  fmt::print("id: {}\nstate: {} since {}\nkind: {}\nreason: {}\narrived: {}\nsize: {}\n",
             item.id, to_string(item.standing), utc(item.since),
             to_string(item.address.kind), escape_line(item.address.reason),
             utc(item.arrived), item.size);
  fmt::print("from: {}\nto: {}\n", escape_line(sender_of(item)),
             escape_line(item.address.recipient));
  if (!item.queue_id.empty()) fmt::print("released as: {}\n", item.queue_id);
  if (!header.empty()) fmt::print("\n");
  for (const auto line : split(trim(header), '\n')) {
    if (!line.empty()) fmt::print("{}\n", escape_line(line));
  }
  return ExitCode::fine;
}

ExitCode delete_held(const QuarantineOptions& options,
                     const std::vector<std::string>& ids) {
  domain_of(options);
  Store store = open_held(options, Sqlite::Access::read_write);
  HeldReport report(options.json);
  for (const auto& item : named_items(store, options, ids)) {
    const bool done = store.remove(item.id, Standing::deleted, system_time());
    report.add(item, "deleted",
               done ? "" : fmt::format("it is {}", to_string(item.standing)));
  }
  return report.finish();
}

std::vector<Item> named_items(const Store& store, const QuarantineOptions& options,
                              const std::vector<std::string>& ids) {
  const auto domain = domain_of(options);
  std::vector<Item> items;
  if (ids == std::vector<std::string>{std::string(kAll)}) {
    store.each(domain, [&](const Item& item) {
      if (item.standing == Standing::held && !teaches(item.address.kind))
        items.push_back(item);
    });
    return items;
  }
  for (const auto& id : ids) items.push_back(item_of(store, domain, id));
  return items;
}

void HeldReport::add(const Item& item, std::string_view done,
                     const std::string& problem) {
  lines_.push_back({item, std::string(done), problem});
}

ExitCode HeldReport::finish() const {
  bool is_fine = true;
  if (json_) {
    Json list = Json::list();
    for (const auto& line : lines_) {
      Json json = Json::object();
      json.set("id", line.item.id)
          .set("to", line.item.address.recipient)
          .set("done", line.problem.empty() ? Json(line.done) : Json())
          .set("problem", line.problem.empty() ? Json() : Json(line.problem));
      list.add(std::move(json));
      is_fine = is_fine && line.problem.empty();
    }
    fmt::print("{}\n", list.str());
    return is_fine ? ExitCode::fine : ExitCode::wrong;
  }
  for (const auto& line : lines_) {
    const auto to = escape_untrusted(line.item.address.recipient);
    if (line.problem.empty()) {
      fmt::print("{}: {}: {}\n", line.item.id, to, line.done);
    } else {
      std::fflush(stdout);
      fmt::print(stderr, "{}: {}: not {}: {}\n", line.item.id, to, line.done,
                 escape_line(line.problem));
      is_fine = false;
    }
  }
  return is_fine ? ExitCode::fine : ExitCode::wrong;
}

}  // namespace mxfeed
