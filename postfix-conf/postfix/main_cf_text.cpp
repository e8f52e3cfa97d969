// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/main_cf_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {
namespace {

constexpr std::string_view kOurNames = "mxfeed_";

struct Definition {
  LogicalLine line;
  std::string name;
  std::string value;

  bool in(const CfBlock& block) const {
    return line.begin >= block.ours_begin && line.begin < block.ours_end;
  }
  // Whether a block has nothing else: no comment and no other line of the site.
  bool fills(const CfBlock& block, std::string_view text) const {
    const auto ours = text.substr(block.ours_begin, block.ours_end - block.ours_begin);
    const auto breaks =
        static_cast<std::size_t>(std::count(ours.begin(), ours.end(), '\n'));
    return line.begin == block.ours_begin && line.end == block.ours_end &&
           line.places.size() + breaks == ours.size();
  }
};

std::vector<Definition> definitions_in(std::string_view text) {
  std::vector<Definition> found;
  for (auto& line : logical_lines(text)) {
    const auto assignment = parse_assignment(line.value);
    if (!assignment) continue;
    Definition definition{
        {}, std::string(assignment->name), std::string(assignment->value)};
    definition.line = std::move(line);
    found.push_back(std::move(definition));
  }
  return found;
}

// The last one is the one that holds.
std::optional<Definition> definition_of(std::string_view text, std::string_view name) {
  std::optional<Definition> found;
  for (auto& definition : definitions_in(text)) {
    if (definition.name == name) found = std::move(definition);
  }
  return found;
}

std::string render(std::string_view name, std::string_view value) {
  const std::string line =
      fmt::format("{} ={}{}\n", name, value.empty() ? "" : " ", value);
  const auto read = definitions_in(line);
  const bool same = read.size() == 1 && read[0].name == name && read[0].value == value &&
                    std::count(line.begin(), line.end(), '\n') == 1;
  if (!same) {
    throw Fault(
        "set parameter", escape_untrusted(name),
        fmt::format("\"{}\" cannot be written in one line", escape_untrusted(value)));
  }
  return line;
}

// One parameter on its way out of a text.
class TakingBack {
 public:
  TakingBack(std::string& text, std::string_view name, const IsOurs& is_ours)
      : text_(text), name_(name), is_ours_(is_ours) {}

  TakenBack take_back() {
    while (const auto block = find_cf_block(text_, name_)) note(take_back(*block));
    // From the end, so that the places of those before stay true.
    auto definitions = definitions_in(text_);
    for (auto one = definitions.rbegin(); one != definitions.rend(); ++one) {
      if (one->name != name_ || !has_ours(*one)) continue;
      take_out(*one, false);
      note(TakenBack::merged);
    }
    restore_end(text_);
    return result_;
  }

 private:
  void note(TakenBack taken) { result_ = std::max(result_, taken); }

  bool is_ours_by_name() const { return name_.starts_with(kOurNames); }

  bool has_ours(const Definition& definition) const {
    const auto items = list_items(definition.value);
    return is_ours_by_name() || std::any_of(items.begin(), items.end(), is_ours_);
  }

  std::vector<std::string_view> items_of_site(std::string_view value) const {
    auto items = list_items(value);
    items.erase(std::remove_if(items.begin(), items.end(), is_ours_), items.end());
    return items;
  }

  // Whether nothing but the record is needed to have what the site wants.
  bool is_restorable(const CfBlock& block, const std::optional<Definition>& ours) const {
    if (!ours || !ours->fills(block, text_)) return false;
    if (block.as_written) return true;
    const auto left = items_of_site(ours->value);
    if (block.original.empty()) return left.empty() && has_ours(*ours);
    const auto original = definition_of(block.original, name_);
    return original && left == list_items(original->value);
  }

  TakenBack take_back(const CfBlock& block) {
    std::optional<Definition> ours;
    for (auto& definition : definitions_in(text_)) {
      if (definition.name == name_ && definition.in(block)) ours = std::move(definition);
    }
    if (is_restorable(block, ours)) {
      text_.replace(block.begin, block.end - block.begin, block.original);
      return TakenBack::restored;
    }
    const bool has = ours && has_ours(*ours);
    if (has) take_out(*ours, !block.original.empty());
    for (const auto& changed : cf_blocks(text_)) {
      if (changed.begin != block.begin) continue;
      text_ = without_markers(text_, changed);
      break;
    }
    return has ? TakenBack::merged : TakenBack::kept;
  }

  // `stays`: an empty list is what the site wants, and not that there is none.
  void take_out(const Definition& definition, bool stays) {
    const auto& line = definition.line;
    Erasure erasure(line);
    const auto value = parse_assignment(line.value)->value;
    const bool empty = erasure.erase_ours(value, is_ours_) == 0;
    if (is_ours_by_name() || (empty && !stays)) erasure.erase_all();
    text_ = erasure.apply(text_);
  }

  std::string& text_;
  const std::string name_;
  const IsOurs& is_ours_;
  TakenBack result_ = TakenBack::nothing;
};

}  // namespace

MainCf::MainCf(std::string text, IsOurs is_ours)
    : text_(std::move(text)), is_ours_(std::move(is_ours)) {}

std::optional<std::string> MainCf::value(std::string_view name) const {
  auto definition = definition_of(text_, name);
  if (!definition) return std::nullopt;
  return std::move(definition->value);
}

std::optional<std::string> MainCf::site_value(std::string_view name) const {
  MainCf site(*this);
  site.take_back(name);
  return site.value(name);
}

void MainCf::set(std::string_view name, std::string_view value) {
  const std::string line = render(name, value);
  auto holds = definition_of(text_, name);
  if (holds && holds->value == value) return;
  if (holds) {
    for (const auto& block : cf_blocks(text_)) {
      if (block.name != name || !block.as_written || !holds->fills(block, text_))
        continue;
      text_.replace(block.begin, block.end - block.begin,
                    cf_block(name, block.original, line));
      return;
    }
  }
  take_back(name);
  holds = definition_of(text_, name);
  if (holds && holds->value == value) return;
  if (!holds || holds->line.end == text_.size()) {
    end_with_newline(text_);
    holds = definition_of(text_, name);
  }
  // In another block, which somebody changed, it would make one block of two.
  const auto blocks = cf_blocks(text_);
  const bool nested =
      holds && std::any_of(blocks.begin(), blocks.end(),
                           [&](const CfBlock& b) { return holds->in(b); });
  if (!holds || nested) {
    text_ += cf_block(name, "", line);
    return;
  }
  const auto begin = holds->line.begin;
  const auto size = holds->line.end - begin;
  text_.replace(begin, size, cf_block(name, text_.substr(begin, size), line));
}

TakenBack MainCf::take_back(std::string_view name) {
  return TakingBack(text_, name, is_ours_).take_back();
}

std::vector<std::string> MainCf::ours() const {
  std::vector<std::pair<std::size_t, std::string>> found;
  for (auto& block : cf_blocks(text_)) {
    found.emplace_back(block.begin, std::move(block.name));
  }
  for (auto& definition : definitions_in(text_)) {
    const auto items = list_items(definition.value);
    if (definition.name.starts_with(kOurNames) ||
        std::any_of(items.begin(), items.end(), is_ours_)) {
      found.emplace_back(definition.line.begin, std::move(definition.name));
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
