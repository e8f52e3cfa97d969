// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/listing.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "common/base/text.h"

namespace mxfeed {
namespace {

void print_line(const std::vector<Column>& columns,
                const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) line += "  ";
    line += columns[i].right ? fmt::format("{:>{}}", cells[i], columns[i].width)
                             : fmt::format("{:<{}}", cells[i], columns[i].width);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  fmt::print("{}\n", line);
}

std::string heading(std::string_view key) {
  std::string text;
  for (const char c : key) {
    text += c == '_' ? ' ' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return text;
}

}  // namespace

Listing::Listing(std::vector<Column> columns, bool json)
    : columns_(std::move(columns)), json_(json) {
  if (json_) return;
  std::vector<std::string> headings;
  for (const auto& column : columns_) headings.push_back(heading(column.key));
  print_line(columns_, headings);
}

Listing::~Listing() {
  if (json_) fmt::print("{}", empty_ ? "[]\n" : "]\n");
}

void Listing::row(const std::vector<Json>& values) {
  if (json_) {
    Json object = Json::object();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      object.set(columns_[i].key, values.at(i));
    }
    fmt::print("{}{}", empty_ ? "[" : ",\n ", object.str());
  } else {
    std::vector<std::string> cells;
    for (const auto& value : values) cells.push_back(value.plain());
    print_line(columns_, cells);
  }
  empty_ = false;
}

std::string utc(Time time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string count_of(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace mxfeed
