// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/master_cf_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "postfix-conf/generate/quarantine_services.h"

namespace mxfeed {
namespace {

constexpr std::string_view kOurServices = "mxfeed-";
constexpr std::string_view kInet = "/inet";
constexpr std::string_view kLogName = "postfix/";
// master(5): name, type, four columns, the number of processes, the command.
constexpr std::size_t kFields = 8;

// The fields of a line: blanks in braces divide nothing (mystrtokq(3) of Postfix).
std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  std::size_t begin = 0;
  std::size_t depth = 0;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    const bool ends = i == line.size();
    if (!ends && line[i] == '{') ++depth;
    if (!ends && line[i] == '}' && depth > 0) --depth;
    if (!ends && (depth > 0 || !is_space(line[i]))) continue;
    if (i > begin) fields.push_back(line.substr(begin, i - begin));
    begin = i + 1;
  }
  return fields;
}

// "{ NAME = VALUE }" or "NAME=VALUE".
std::optional<Assignment> parse_option(std::string_view text) {
  if (text.starts_with('{')) {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '{') ++depth;
      if (text[i] == '}' && --depth == 0 && i + 1 < text.size()) return std::nullopt;
    }
    if (depth > 0) return std::nullopt;
    text = text.substr(1, text.size() - 2);
  }
  return parse_assignment(text);
}

// An option as it stands in the line of its service.
struct PlacedOption {
  Assignment assignment;  // borrows the line
  std::size_t begin = 0;  // of the line: "-o NAME=VALUE"
  std::size_t end = 0;
};

class Entry {
 public:
  // Nothing if the line is no service.
  static std::optional<Entry> parse(LogicalLine line) {
    Entry entry;
    entry.line_ = std::make_unique<LogicalLine>(std::move(line));
    const auto fields = fields_of(entry.line().value);
    if (fields.size() < kFields) return std::nullopt;
    entry.service_.name = fmt::format("{}/{}", fields[0], fields[1]);
    entry.service_.command = fields[kFields - 1];
    entry.parse_options(fields);
    return entry;
  }

  const LogicalLine& line() const { return *line_; }
  const PostfixService& service() const { return service_; }
  const std::vector<PlacedOption>& options() const { return options_; }

  bool is_ours() const { return is_our_service(service_); }

 private:
  Entry() = default;

  // As getopt(3): to the first argument that is no option.
  void parse_options(const std::vector<std::string_view>& fields) {
    const auto& value = line_->value;
    for (std::size_t i = kFields; i < fields.size(); ++i) {
      const auto field = fields[i];
      if (field.size() < 2 || field[0] != '-' || field == "--") return;
      const auto letter = field.find('o');  // "-vo" is "-v -o"
      if (letter == std::string_view::npos) continue;
      std::string_view text = field.substr(letter + 1);
      if (text.empty()) {
        if (++i == fields.size()) return;
        text = fields[i];
      }
      const auto assignment = parse_option(text);
      if (!assignment) continue;
      const auto* first = field.data() + (letter == 1 ? 0 : letter);
      options_.push_back(
          {*assignment, static_cast<std::size_t>(first - value.data()),
           static_cast<std::size_t>(text.data() + text.size() - value.data())});
      service_.options.insert_or_assign(std::string(assignment->name),
                                        std::string(assignment->value));
    }
  }

  std::unique_ptr<LogicalLine> line_;  // the options borrow it
  PostfixService service_;
  std::vector<PlacedOption> options_;
};

std::vector<Entry> entries_in(std::string_view text) {
  std::vector<Entry> entries;
  for (auto& line : logical_lines(text)) {
    if (auto entry = Entry::parse(std::move(line))) entries.push_back(*std::move(entry));
  }
  return entries;
}

bool has_ours(std::string_view value, const IsOurs& is_ours) {
  const auto items = list_items(value);
  return std::any_of(items.begin(), items.end(), is_ours);
}

bool is_in(const CfBlock& block, std::size_t place) {
  return place >= block.ours_begin && place < block.ours_end;
}

std::string render(std::string_view service, const ServiceOption& option) {
  const bool blanks =
      std::any_of(option.value.begin(), option.value.end(), is_postfix_space);
  auto text = fmt::format("{}={}", option.name, option.value);
  if (blanks) text = fmt::format("{{ {} = {} }}", option.name, option.value);
  const bool is_one = fields_of(text + " x").size() == 2;
  const auto read = is_one ? parse_option(text) : std::nullopt;
  if (!read || read->name != option.name || read->value != option.value ||
      text.find_first_of(std::string_view("\n\0", 2)) != std::string::npos) {
    throw Fault("add option", escape_untrusted(service),
                fmt::format("\"{}\" cannot be written", escape_untrusted(text)));
  }
  return fmt::format("  -o {}\n", text);
}

// Whether all that the entry has of ours is as wanted, and holds.
bool has_options(const Entry& entry, const std::vector<CfBlock>& blocks,
                 const std::vector<ServiceOption>& wanted, const IsOurs& is_ours) {
  std::vector<ServiceOption> found;
  for (const auto& option : entry.options()) {
    const auto place = entry.line().places[option.begin];
    const auto& [name, value] = option.assignment;
    if (has_ours(value, is_ours) ||
        std::any_of(blocks.begin(), blocks.end(), [&](const CfBlock& block) {
          return block.name == entry.service().name && is_in(block, place);
        })) {
      found.push_back({std::string(name), std::string(value)});
    }
  }
  const auto& options = entry.service().options;
  return found == wanted &&
         std::all_of(wanted.begin(), wanted.end(), [&](const ServiceOption& option) {
           const auto holds = options.find(option.name);
           return holds != options.end() && holds->second == option.value;
         });
}

// One service on its way out of a text.
class TakingBack {
 public:
  TakingBack(std::string& text, std::string_view service, const IsOurs& is_ours)
      : text_(text), name_(service), is_ours_(is_ours) {}

  TakenBack take_back() {
    while (const auto block = find_cf_block(text_, name_)) take_back(*block);
    take_out(nullptr);
    restore_end(text_);
    return result_;
  }

 private:
  void note(TakenBack taken) { result_ = std::max(result_, taken); }

  // Whether lines behind the block continue a service of ours in it.
  bool is_continued(const CfBlock& block) const {
    const auto entries = entries_in(text_);
    return std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
      const auto& line = entry.line();
      return entry.is_ours() && is_in(block, line.begin) && line.end > block.ours_end;
    });
  }

  void take_back(const CfBlock& block) {
    if (block.as_written && !is_continued(block)) {
      text_.replace(block.begin, block.end - block.begin, block.original);
      return note(TakenBack::restored);
    }
    note(TakenBack::kept);
    take_out(&block);
    for (const auto& changed : cf_blocks(text_)) {
      if (changed.begin != block.begin) continue;
      text_ = without_markers(text_, changed);
      break;
    }
  }

  // What names ours of the service.  Within a block: of any, for its own may be gone.
  void take_out(const CfBlock* within) {
    const auto is_there = [&](std::size_t place) {
      return within == nullptr || is_in(*within, place);
    };
    const auto entries = entries_in(text_);
    // From the end, so that the places of those before stay true.
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      const auto& line = entry->line();
      const bool is_named = entry->service().name == name_;
      Erasure erasure(line);
      bool has = false;
      if (entry->is_ours()) {
        has = is_named && is_there(line.begin);
        if (has) erasure.erase_all();
      } else if (is_named || within != nullptr) {
        for (const auto& option : entry->options()) {
          const auto value = option.assignment.value;
          if (!is_there(line.places[option.begin]) || !has_ours(value, is_ours_)) {
            continue;
          }
          has = true;
          if (erasure.erase_ours(value, is_ours_) == 0) {
            erasure.erase_word(option.begin, option.end);
          }
        }
      }
      if (!has) continue;
      text_ = erasure.apply(text_);
      note(TakenBack::merged);
    }
  }

  std::string& text_;
  const std::string name_;
  const IsOurs& is_ours_;
  TakenBack result_ = TakenBack::nothing;
};

}  // namespace

bool is_our_service(const PostfixService& service) {
  const std::string_view name = service.name;
  if (name.starts_with(kOurServices)) return true;
  if (!name.ends_with(kInet)) return false;
  const auto log = service.options.find("syslog_name");
  return log != service.options.end() && log->second.starts_with(kLogName) &&
         std::string_view(log->second).substr(kLogName.size()) == kIntakeName;
}

MasterCf::MasterCf(std::string text, IsOurs is_ours)
    : text_(std::move(text)), is_ours_(std::move(is_ours)) {}

std::vector<PostfixService> MasterCf::services() const {
  std::vector<PostfixService> services;
  for (const auto& entry : entries_in(text_)) services.push_back(entry.service());
  return services;
}

std::vector<PostfixService> MasterCf::site_services() const {
  MasterCf site(*this);
  for (const auto& service : ours()) site.take_back(service);
  return site.services();
}

void MasterCf::add_options(std::string_view service,
                           const std::vector<ServiceOption>& options) {
  std::string lines;
  for (const auto& option : options) lines += render(service, option);
  const auto is_named = [&](const Entry& entry) {
    return entry.service().name == service;
  };
  const auto is_done = [&](const std::string& text) {
    const auto entries = entries_in(text);
    const auto blocks = cf_blocks(text);
    return std::all_of(entries.begin(), entries.end(), [&](const Entry& entry) {
      return !is_named(entry) || has_options(entry, blocks, options, is_ours_);
    });
  };
  const auto refuse = [&](std::string_view cause) {
    throw Fault("add options", escape_untrusted(service), std::string(cause));
  };
  const auto entries = entries_in(text_);
  if (std::none_of(entries.begin(), entries.end(), is_named)) {
    refuse("no such service in master.cf");
  }
  if (is_done(text_)) return;
  if (options.empty()) {
    take_back(service);
    return;
  }
  MasterCf edited(*this);
  edited.take_back(service);
  auto& text = edited.text_;
  const auto added = entries_in(text);
  for (auto entry = added.rbegin(); entry != added.rend(); ++entry) {
    if (!is_named(*entry)) continue;
    const auto at = entry->line().end;
    if (at == text.size() && !text.ends_with('\n')) {
      end_with_newline(text);
      text.insert(text.find('\n', at) + 1, cf_block(service, "", lines));
    } else {
      text.insert(at, cf_block(service, "", lines));
    }
  }
  if (!is_done(text)) refuse("it does not take options in master.cf");
  text_ = std::move(text);
}

void MasterCf::add_service(std::string_view line) {
  const std::string whole = fmt::format("{}\n", line);
  const auto entries = entries_in(whole);
  if (entries.size() != 1 || !entries[0].is_ours() ||
      entries[0].line().value.size() != line.size()) {
    throw Fault("add service", escape_untrusted(line), "not one service of mxfeed");
  }
  const auto& name = entries[0].service().name;
  int there = 0;
  bool same = false;
  for (const auto& entry : entries_in(text_)) {
    if (entry.service().name != name) continue;
    ++there;
    same = entry.line().value == line;
  }
  if (there == 1 && same) return;
  take_back(name);
  end_with_newline(text_);
  text_ += cf_block(name, "", whole);
}

TakenBack MasterCf::take_back(std::string_view service) {
  return TakingBack(text_, service, is_ours_).take_back();
}

std::vector<std::string> MasterCf::ours() const {
  std::vector<std::pair<std::size_t, std::string>> found;
  for (auto& block : cf_blocks(text_)) {
    found.emplace_back(block.begin, std::move(block.name));
  }
  for (const auto& entry : entries_in(text_)) {
    const auto& options = entry.options();
    if (entry.is_ours() ||
        std::any_of(options.begin(), options.end(), [&](const PlacedOption& option) {
          return has_ours(option.assignment.value, is_ours_);
        })) {
      found.emplace_back(entry.line().begin, entry.service().name);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (auto& [begin, name] : found) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

}  // namespace mxfeed
