// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/source_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

#include "common/base/digest.h"
#include "common/base/parallel.h"
#include "common/base/text.h"
#include "postfix-conf/config/load_domains.h"
#include "postfix-conf/config/section.h"
#include "postfix-conf/config/toml.h"

namespace mxfeed {
namespace {

constexpr std::size_t kRowsAtOnce = 256;
constexpr std::size_t kDigest = 16;

struct Row {
  std::string_view text;
  std::uint32_t line;  // from 1 on
};

// Calls see(Row) for each line that is not empty.
template <typename See>
void each_row(std::string_view text, const See& see) {
  for (std::uint32_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!trim(text.substr(0, end)).empty()) see(Row{text.substr(0, end), line});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::vector<Row> split(std::string_view text) {
  std::vector<Row> rows;
  each_row(text, [&](const Row& row) { rows.push_back(row); });
  return rows;
}

bool say_the_same(const CustomerConfig& a, const CustomerConfig& b) {
  return a.contacts == b.contacts && a.backup == b.backup &&
         a.max_backup_domains == b.max_backup_domains;
}

// Customers are few where their domains are many.
class Customers {
 public:
  explicit Customers(std::vector<CustomerConfig>& all) : all_(all) {}

  // The index of the customer; a row may name only its id, or say all of it again.
  std::uint32_t add(CustomerConfig customer, std::vector<Problem>& errors) {
    const auto next = static_cast<std::uint32_t>(all_.size());
    const auto [known, is_new] = by_id_.emplace(customer.id, next);
    if (is_new) {
      all_.push_back(std::move(customer));
      return next;
    }
    CustomerConfig& first = all_[known->second];
    if (names_only(customer) || say_the_same(customer, first)) return known->second;
    if (names_only(first)) {
      first = std::move(customer);
      return known->second;
    }
    errors.push_back({customer.place, fmt::format("customer \"{}\"", customer.id), "",
                      fmt::format("says other than line {}", first.place.line)});
    return known->second;
  }

 private:
  std::vector<CustomerConfig>& all_;
  std::unordered_map<std::string, std::uint32_t> by_id_;
};

// Some rows, read on one core.
struct Chunk {
  std::vector<CustomerConfig> customers;
  std::vector<DomainConfig> domains;  // `customer` is an index into `customers`
  std::list<DomainSettings> settings;
  std::vector<Problem> errors, warnings;
  std::string digest;
};

void read_row(const Row& row, const Defaults& defaults, std::uint32_t file,
              Chunk& chunk) {
  Problems problems{chunk.errors, chunk.warnings, file, false, row.line};
  const auto parsed = TomlFile::parse_json(row.text);
  if (const auto* const error = std::get_if<SyntaxError>(&parsed)) {
    chunk.errors.push_back({problems.place_of(0), "", "", error->cause});
    return;
  }
  auto read =
      read_domains(std::get<TomlFile>(parsed).root(), defaults, problems, chunk.settings);
  if (read.customer) {
    // The rows of a customer are mostly together.
    const bool is_same = !chunk.customers.empty() &&
                         chunk.customers.back().id == read.customer->id &&
                         say_the_same(chunk.customers.back(), *read.customer);
    if (!is_same) chunk.customers.push_back(*std::move(read.customer));
  }
  for (DomainConfig& domain : read.domains) {
    if (read.customer) {
      domain.customer = static_cast<std::uint32_t>(chunk.customers.size() - 1);
    }
    chunk.domains.push_back(std::move(domain));
  }
}

Chunk read_chunk(std::span<const Row> rows, const Defaults& defaults,
                 std::uint32_t file) {
  Chunk chunk;
  chunk.domains.reserve(rows.size());
  for (const Row& row : rows) read_row(row, defaults, file, chunk);
  const char* const end = rows.back().text.data() + rows.back().text.size();
  const char* const begin = rows.front().text.data();
  chunk.digest = digest({begin, static_cast<std::size_t>(end - begin)}, kDigest);
  return chunk;
}

// The names of the domains in a row; nothing if they cannot be told.
std::optional<std::vector<std::string>> names_in(std::string_view row) {
  const auto parsed = TomlFile::parse_json(row);
  if (!std::holds_alternative<TomlFile>(parsed)) return std::nullopt;
  const auto domains = std::get<TomlFile>(parsed).root().member("domain");
  if (!domains) return std::nullopt;
  std::vector<std::string> names;
  bool are_all = true;
  const auto add = [&](TomlNode domain) {
    std::optional<TomlNode> name;
    if (domain.kind() == TomlNode::Kind::table) name = domain.member("name");
    std::optional<Domain> known;
    if (name && name->kind() == TomlNode::Kind::string) {
      known = Domain::parse(name->string());
    }
    if (known) names.push_back(known->str());
    are_all = are_all && known;
  };
  if (domains->kind() == TomlNode::Kind::array) {
    domains->each_item(add);
  } else {
    add(*domains);
  }
  return are_all ? std::optional(std::move(names)) : std::nullopt;
}

using Names = std::unordered_set<std::string>;

bool are_in(const std::vector<std::string>& names, const Names& all) {
  return std::ranges::any_of(names, [&](const auto& name) { return all.contains(name); });
}

}  // namespace

bool names_only(const CustomerConfig& customer) {
  return say_the_same(customer, CustomerConfig());
}

Parsed<std::string> rows_of_output(std::string output) {
  const std::string_view text = trim(output);
  const std::size_t begin = text.rfind('\n') + 1;  // 0 if there is one line
  const auto parsed = TomlFile::parse_json(text.substr(begin));
  std::optional<TomlNode> end;
  if (const auto* const row = std::get_if<TomlFile>(&parsed)) {
    end = row->root().member("end");
  }
  if (!end || end->kind() != TomlNode::Kind::integer) {
    return Wrong{"its output does not end with a line {\"end\": N}: it is not whole"};
  }
  std::size_t rows = 0;
  each_row(text.substr(0, begin), [&](const Row&) { ++rows; });
  if (end->integer() < 0 || static_cast<std::uint64_t>(end->integer()) != rows) {
    return Wrong{
        fmt::format("its output has {} rows, and its end says {}", rows, end->integer())};
  }
  const std::size_t kept = static_cast<std::size_t>(text.data() - output.data()) + begin;
  output.resize(kept);
  return output;
}

SourceDomains read_rows(std::string_view text, const Defaults& defaults,
                        std::uint32_t file) {
  const std::vector<Row> rows = split(text);
  std::vector<Chunk> chunks((rows.size() + kRowsAtOnce - 1) / kRowsAtOnce);
  for_each_on_all_cores(chunks.size(), [&](std::size_t i) {
    const std::size_t begin = i * kRowsAtOnce;
    const std::size_t size = std::min(kRowsAtOnce, rows.size() - begin);
    chunks[i] = read_chunk(std::span(rows).subspan(begin, size), defaults, file);
  });
  SourceDomains all;
  Customers customers(all.customers);
  for (Chunk& chunk : chunks) {
    std::ranges::move(chunk.errors, std::back_inserter(all.errors));
    std::ranges::move(chunk.warnings, std::back_inserter(all.warnings));
    all.settings.splice(all.settings.end(), chunk.settings);
    std::vector<std::uint32_t> numbers;
    for (CustomerConfig& customer : chunk.customers) {
      numbers.push_back(customers.add(std::move(customer), all.errors));
    }
    for (DomainConfig& domain : chunk.domains) {
      if (domain.customer != DomainConfig::kNoCustomer) {
        domain.customer = numbers[domain.customer];
      }
    }
    all.domains.push_back(std::move(chunk.domains));
    all.digests.push_back(std::move(chunk.digest));
  }
  return all;
}

std::string mend_rows(std::string_view text, const std::set<std::uint32_t>& faulty,
                      std::string_view kept) {
  Names wanted;   // domains of the faulty rows
  Names present;  // of the others
  bool all_told = true;
  const std::vector<Row> rows = split(text);
  for (const Row& row : rows) {
    const auto names = names_in(row.text);
    const bool is_faulty = faulty.contains(row.line);
    if (is_faulty && !names) all_told = false;
    if (names) (is_faulty ? wanted : present).insert(names->begin(), names->end());
  }
  std::string mended;
  std::uint32_t line = 1;
  for (const Row& row : rows) {
    for (; line < row.line; ++line) mended += '\n';
    if (!faulty.contains(row.line)) mended += row.text;
  }
  for (const Row& row : split(kept)) {
    const auto names = names_in(row.text);
    if (!names || are_in(*names, present)) continue;
    if (all_told && !are_in(*names, wanted)) continue;
    (mended += '\n') += row.text;
    present.insert(names->begin(), names->end());
  }
  return mended + '\n';
}

}  // namespace mxfeed
