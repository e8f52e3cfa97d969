// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/import/sqlgrey.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/store/sqlite.h"

namespace mxfeed::greylist {
namespace {

struct Table {
  std::string_view name;
  std::vector<std::string_view> columns;
};
const std::array<Table, 3>& tables() {
  static const std::array<Table, 3> kTables = {
      Table{"connect", {"sender_name", "sender_domain", "src", "rcpt", "first_seen"}},
      Table{"from_awl",
            {"sender_name", "sender_domain", "src", "first_seen", "last_seen"}},
      Table{"domain_awl", {"sender_domain", "src", "first_seen", "last_seen"}}};
  return kTables;
}

constexpr std::string_view kNull = "-undef-";
// sqlgrey's max_connect_age by default.
constexpr std::chrono::hours kMostWait{24};

std::optional<IpAddress> client_of(std::string_view src) {
  const auto dots = std::ranges::count(src, '.');
  const auto colons = std::ranges::count(src, ':');
  if (dots == 2 && colons == 0) return IpAddress::parse(std::string(src) + ".0");
  if (colons == 3 && src.find("::") == std::string_view::npos) {
    return IpAddress::parse(std::string(src) + "::");
  }
  return IpAddress::parse(src);
}

}  // namespace

ForeignEntry sqlgrey_entry(std::string_view table,
                           std::span<const std::string_view> row) {
  const auto known = std::ranges::find(tables(), table, &Table::name);
  if (known == tables().end() || known->columns.size() != row.size()) {
    return Fate::malformed;
  }
  const bool is_domain = table == "domain_awl";
  const std::string_view name = is_domain ? std::string_view("*") : row[0];
  const auto rest = row.subspan(is_domain ? 0 : 1);
  const std::string_view domain = rest[0];
  const auto client = client_of(rest[1]);
  const bool is_null = domain == kNull;
  if (!client || name.empty() || domain.empty()) return Fate::malformed;
  const std::string sender = is_null ? std::string() : fmt::format("{}@{}", name, domain);
  if (table == "connect") {
    const auto first = parse_stored_time(rest[3]);
    if (!first || rest[2].find('@') == std::string_view::npos) return Fate::malformed;
    return ForeignRecord{
        ForeignState::waiting, *client, sender, std::string(rest[2]), *first, *first, 0};
  }
  const auto first = parse_stored_time(rest[2]);
  const auto last = parse_stored_time(rest[3]);
  if (!first || !last) return Fate::malformed;
  if (is_null) return Fate::no_recipient;
  const bool is_known_well = is_domain || *last - *first > kMostWait;
  return ForeignRecord{ForeignState::domain,   *client, sender, {}, *first, *last,
                       is_known_well ? 2u : 1u};
}

ForeignEntry parse_sqlgrey(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto words = split(line, '\t');
  return sqlgrey_entry(words[0], std::span(words).subspan(1));
}

bool is_sqlite(std::string_view beginning) {
  using namespace std::string_view_literals;
  return beginning.starts_with("SQLite format 3\0"sv);
}

void read_sqlgrey(const std::filesystem::path& file, const SeeForeign& see) {
  constexpr std::chrono::seconds kBusy{5};
  Sqlite database(file, Sqlite::Access::read_only, kBusy);
  for (const Table& table : tables()) {
    std::string columns;
    for (const auto column : table.columns) {
      columns += fmt::format("{}{}", columns.empty() ? "" : ", ", column);
    }
    SqliteStatement query(database,
                          fmt::format("SELECT {} FROM {}", columns, table.name));
    while (query.step()) {
      std::vector<std::string> texts;
      for (std::size_t i = 0; i < table.columns.size(); ++i) {
        texts.push_back(query.text(static_cast<int>(i)));
      }
      const std::vector<std::string_view> row(texts.begin(), texts.end());
      see(table.name, sqlgrey_entry(table.name, row));
    }
  }
}

}  // namespace mxfeed::greylist
