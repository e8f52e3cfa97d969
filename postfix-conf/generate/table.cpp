// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/base/time_text.h"

namespace mxfeed {
namespace {

enum Column : std::size_t {
  kDomain,
  kService,
  kOwn,
  kBelow,
  kLifetime,
  kClass,
  kCustomer,
  kRoute,
  kIntake,
  kGoneSince,
  kExtendedUntil,
  kOnRefusal,
  kWhileUp,
  kBlocklist,
  kTls,
  kCallout,
  kWhileDown,
  kQueueQuota,
  kStandby,
  kColumns
};
constexpr std::array<std::string_view, kColumns> kNames = {
    "domain",         "service",    "own",         "below",     "queue_lifetime",
    "content_class",  "customer",   "route",       "intake",    "gone_since",
    "extended_until", "on_refusal", "while_up",    "blocklist", "tls",
    "callout",        "while_down", "queue_quota", "standby"};
// Columns of version 0.1.0 instead of own and below.
constexpr std::string_view kState = "state";
constexpr std::string_view kSubdomains = "subdomains";

constexpr std::size_t kPiece = 256 * 1024;

void split_into(std::vector<std::string_view>& cells, std::string_view line) {
  cells.clear();
  for (;;) {
    const auto tab = line.find('\t');
    cells.push_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return;
    line.remove_prefix(tab + 1);
  }
}

constexpr std::array kServices{Service::feed, Service::backup, Service::direct,
                               Service::mailbox};
constexpr std::array kOnRefusals{OnRefusal::bounce, OnRefusal::bounce_verified,
                                 OnRefusal::hold};
constexpr std::array kWhileUps{WhileUp::accept, WhileUp::defer};
constexpr std::array kWhileDowns{WhileDown::accept, WhileDown::defer};

// The value in the array that has the word.
template <const auto& values>
auto parse_word(std::string_view text) {
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](auto one) { return to_string(one) == text; });
  return found == values.end() ? std::nullopt : std::optional(*found);
}

std::optional<bool> parse_flag(std::string_view text) {
  if (text == "yes") return true;
  return text == "no" ? std::optional(false) : std::nullopt;
}

// Empty for Time().
std::string time_cell(Time time) {
  return time == Time() ? std::string() : format_time(time);
}

// The positions of the columns: those of kNames, then those of version 0.1.0.
class Header {
 public:
  // Nothing if the domain column is missing, or a name is empty or a duplicate.
  static std::optional<Header> parse(std::string_view line) {
    Header header;
    split_into(header.names_, line);
    auto sorted = header.names_;
    std::sort(sorted.begin(), sorted.end());
    if (sorted.front().empty() ||
        std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i < kColumns; ++i) header.at_[i] = header.place(kNames[i]);
    if (!header.at_[kDomain]) return std::nullopt;
    if (!header.at_[kOwn] && !header.at_[kBelow]) {
      header.state_ = header.place(kState);
      header.subdomains_ = header.place(kSubdomains);
    }
    for (std::size_t i = 0; i < header.names_.size(); ++i) {
      const auto is = [&](const auto& at) { return at == i; };
      if (!std::any_of(header.at_.begin(), header.at_.end(), is) && !is(header.state_) &&
          !is(header.subdomains_)) {
        header.unknown_.push_back(i);
      }
    }
    return header;
  }

  // The domain of the line; nothing if it is damaged.
  std::optional<Hosted> read(const std::vector<std::string_view>& cells) const {
    if (cells.size() != names_.size()) return std::nullopt;
    // Empty if the column is missing: then the default applies.
    const auto cell = [&](const std::optional<std::size_t>& at) {
      return at ? cells[*at] : std::string_view();
    };
    Hosted one;
    one.name = cell(at_[kDomain]);
    one.customer = cell(at_[kCustomer]);
    one.route = cell(at_[kRoute]);
    bool good = !one.name.empty();
    const auto set = [&](auto& field, std::string_view text, auto read_as) {
      if (text.empty()) return;
      const auto value = read_as(text);
      if (value) field = *value;
      good = good && value.has_value();
    };
    set(one.service, cell(at_[kService]), parse_word<kServices>);
    set(one.own, cell(at_[kOwn]), parse_row);
    set(one.below, cell(at_[kBelow]), parse_row);
    set(one.queue_lifetime, cell(at_[kLifetime]), parse_duration);
    set(one.intake, cell(at_[kIntake]), parse_intake);
    set(one.gone_since, cell(at_[kGoneSince]), parse_time);
    set(one.extended_until, cell(at_[kExtendedUntil]), parse_time);
    set(one.on_refusal, cell(at_[kOnRefusal]), parse_word<kOnRefusals>);
    set(one.while_up, cell(at_[kWhileUp]), parse_word<kWhileUps>);
    set(one.blocklist, cell(at_[kBlocklist]), parse_flag);
    one.tls = cell(at_[kTls]);
    set(one.callout, cell(at_[kCallout]), parse_flag);
    set(one.while_down, cell(at_[kWhileDown]), parse_word<kWhileDowns>);
    set(one.queue_quota, cell(at_[kQueueQuota]), parse_unsigned);
    set(one.standby, cell(at_[kStandby]), parse_flag);
    set(one.own, cell(state_), [](std::string_view text) {
      return text == "removed" ? Row::kept : parse_row(text);
    });
    set(one.below, cell(subdomains_), [&](std::string_view text) {
      return text == "yes"       ? std::optional(one.own)
             : text == "removed" ? std::optional(Row::kept)
             : text == "no"      ? std::optional(Row::none)
                                 : std::nullopt;
    });
    if (!good) return std::nullopt;
    return one;
  }

  UnknownFields read_unknown(const std::vector<std::string_view>& cells) const {
    UnknownFields fields;
    for (const auto i : unknown_) {
      if (!cells[i].empty()) fields.emplace_back(names_[i], cells[i]);
    }
    return fields;
  }

 private:
  std::optional<std::size_t> place(std::string_view name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names_.begin());
  }

  std::vector<std::string_view> names_;
  std::array<std::optional<std::size_t>, kColumns> at_;
  std::optional<std::size_t> state_, subdomains_;
  std::vector<std::size_t> unknown_;
};

}  // namespace

void render_table(const Generated& generated,
                  const std::function<void(std::string_view)>& piece) {
  std::vector<std::string_view> unknown;
  for (const auto& [domain, fields] : generated.unknown) {
    for (const auto& [name, value] : fields) {
      if (std::find(unknown.begin(), unknown.end(), name) == unknown.end()) {
        unknown.push_back(name);
      }
    }
  }
  std::string text = fmt::format("{}", fmt::join(kNames, "\t"));
  for (const auto name : unknown) text.append("\t").append(name);
  text += '\n';
  auto own = generated.unknown.begin();
  for (const auto& one : generated.hosted) {
    fmt::format_to(
        std::back_inserter(text),
        "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
        one.name, to_string(one.service), to_string(one.own), to_string(one.below),
        format_duration(one.queue_lifetime),
        generated.policies.at(one.policy).content_class, one.customer, one.route,
        to_string(one.intake), time_cell(one.gone_since), time_cell(one.extended_until),
        to_string(one.on_refusal), to_string(one.while_up), one.blocklist ? "yes" : "no",
        one.tls, one.callout ? "yes" : "no", to_string(one.while_down), one.queue_quota,
        one.standby ? "yes" : "no");
    while (own != generated.unknown.end() && own->first < one.name) ++own;
    const bool has_unknown = own != generated.unknown.end() && own->first == one.name;
    for (const auto name : unknown) {
      text += '\t';
      if (!has_unknown) continue;
      for (const auto& [key, value] : own->second) {
        if (key == name) text += value;
      }
    }
    text += '\n';
    if (text.size() >= kPiece) {
      piece(text);
      text.clear();
    }
  }
  piece(text);
}

HostedTable parse_table(std::string_view text, std::string_view source) {
  const auto damaged = [&](std::string_view line) {
    throw Fault("read generation", source,
                "damaged: " + escape_untrusted(line.substr(0, 80)));
  };
  const auto take_line = [&] {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) damaged(text.empty() ? "empty" : text);
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
  };
  HostedTable table;
  const auto first = take_line();
  const auto header = Header::parse(first);
  if (!header) damaged(first);
  table.hosted.reserve(
      static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
  std::vector<std::string_view> cells;
  while (!text.empty()) {
    const auto line = take_line();
    split_into(cells, line);
    auto one = header->read(cells);
    if (!one || (!table.hosted.empty() && table.hosted.back().name >= one->name)) {
      damaged(line);
    }
    if (auto fields = header->read_unknown(cells); !fields.empty()) {
      table.unknown.emplace(one->name, std::move(fields));
    }
    table.hosted.push_back(*std::move(one));
  }
  return table;
}

}  // namespace mxfeed
