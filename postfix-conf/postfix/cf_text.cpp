// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/cf_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/digest.h"
#include "common/base/text.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {
namespace {

constexpr std::string_view kBegin = "# mxfeed: begin ";
constexpr std::string_view kEnd = "# mxfeed: end";
constexpr std::string_view kNoNewline = "# mxfeed: no final newline";
constexpr std::string_view kRecord = "#|";

// Where the line at `begin` ends, its line break included.
std::size_t end_of_line(std::string_view text, std::size_t begin) {
  const auto newline = text.find('\n', begin);
  return newline == std::string_view::npos ? text.size() : newline + 1;
}

std::string_view trim_end(std::string_view text) {
  while (!text.empty() && is_postfix_space(text.back())) text.remove_suffix(1);
  return text;
}

// A line without its line break, and without what an editor may do to the end of it.
std::string_view line_at(std::string_view text, std::size_t begin) {
  return trim_end(text.substr(begin, end_of_line(text, begin) - begin));
}

bool has_content(std::string_view line) {
  const auto first = std::find_if_not(line.begin(), line.end(), is_postfix_space);
  return first != line.end() && *first != '#';
}

std::string digest_of(std::string_view original, std::string_view ours) {
  std::string lines;
  for (const auto part : {original, ours}) {
    for (std::size_t at = 0; at < part.size(); at = end_of_line(part, at)) {
      lines += line_at(part, at);
      lines += '\n';
    }
    lines += '\0';
  }
  return to_hex(digest(lines, 4));
}

// The block that begins at a line; nothing if it has no end.
std::optional<CfBlock> block_at(std::string_view text, std::size_t begin) {
  std::string_view head = line_at(text, begin);
  if (!head.starts_with(kBegin)) return std::nullopt;
  head.remove_prefix(kBegin.size());
  const auto name = head.substr(0, head.find(' '));
  if (name.empty()) return std::nullopt;
  CfBlock block;
  block.name = name;
  block.begin = begin;
  std::size_t at = end_of_line(text, begin);
  for (; text.substr(at).starts_with(kRecord); at = end_of_line(text, at)) {
    auto line = text.substr(at, end_of_line(text, at) - at);
    line.remove_prefix(kRecord.size());
    if (line.starts_with(' ')) line.remove_prefix(1);
    block.original += line;
  }
  block.ours_begin = at;
  for (; at < text.size(); at = end_of_line(text, at)) {
    const auto line = line_at(text, at);
    if (line.starts_with(kBegin)) return std::nullopt;
    if (line != kEnd) continue;
    block.ours_end = at;
    block.end = end_of_line(text, at);
    const auto ours = text.substr(block.ours_begin, at - block.ours_begin);
    block.as_written = head.substr(name.size()) == " " + digest_of(block.original, ours);
    return block;
  }
  return std::nullopt;
}

bool is_separator(char c) {
  return c == ',' || is_space(c);
}

}  // namespace

std::string_view to_string(TakenBack taken) {
  switch (taken) {
    case TakenBack::nothing:
      return "nothing";
    case TakenBack::restored:
      return "restored";
    case TakenBack::kept:
      return "kept";
    case TakenBack::merged:
      return "merged";
  }
  return "";
}

bool is_postfix_space(char c) {
  return is_space(c) || c == '\v' || c == '\f';
}

std::vector<LogicalLine> logical_lines(std::string_view text) {
  std::vector<LogicalLine> lines;
  std::size_t end = 0;
  for (std::size_t begin = 0; begin < text.size(); begin = end) {
    end = end_of_line(text, begin);
    auto line = text.substr(begin, end - begin);
    if (!has_content(line)) continue;
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (is_postfix_space(line.front())) {
      if (lines.empty()) continue;
    } else {
      lines.emplace_back().begin = begin;
    }
    auto& logical = lines.back();
    logical.value += line;
    for (std::size_t i = 0; i < line.size(); ++i) logical.places.push_back(begin + i);
    logical.end = end;
  }
  for (auto& line : lines) {
    line.value.resize(std::min(line.value.find('\0'), line.value.size()));
    line.places.resize(line.value.size());
  }
  return lines;
}

std::optional<Assignment> parse_assignment(std::string_view line) {
  const auto skip_space = [&] {
    while (!line.empty() && is_postfix_space(line.front())) line.remove_prefix(1);
  };
  skip_space();
  std::size_t size = 0;
  while (size < line.size() && line[size] != '=' && !is_postfix_space(line[size])) ++size;
  Assignment assignment{line.substr(0, size), {}};
  line.remove_prefix(size);
  skip_space();
  if (size == 0 || !line.starts_with('=')) return std::nullopt;
  line.remove_prefix(1);
  skip_space();
  assignment.value = trim_end(line);
  return assignment;
}

Erasure::Erasure(const LogicalLine& line) : line_(line), erased_(line.value.size()) {}

void Erasure::erase(std::size_t begin, std::size_t end) {
  std::fill(erased_.begin() + static_cast<std::ptrdiff_t>(begin),
            erased_.begin() + static_cast<std::ptrdiff_t>(end), true);
}

void Erasure::erase_word(std::size_t begin, std::size_t end) {
  const auto& value = line_.value;
  // A line break may be all that keeps the next word apart, or the blanks if only the end
  // of a word goes.
  const bool is_whole = begin == 0 || is_postfix_space(value[begin - 1]);
  while (is_whole && end < value.size() && is_blank(value[end]) &&
         line_.places[end] == line_.places[end - 1] + 1) {
    ++end;
  }
  erase(begin, end);
}

void Erasure::erase_all() {
  all_ = true;
}

std::size_t Erasure::erase_ours(std::string_view list, const IsOurs& is_ours) {
  const auto& value = line_.value;
  const auto offset = [&](const char* at) {
    return static_cast<std::size_t>(at - value.data());
  };
  std::size_t left = 0;
  bool last_is_ours = false;
  std::size_t begin = 0;
  for (const auto item : list_items(list)) {
    last_is_ours = is_ours(item);
    if (!last_is_ours) {
      ++left;
      continue;
    }
    begin = offset(item.data());
    std::size_t end = begin + item.size();
    // The separator behind it, but not the line break that keeps the next item apart.
    const auto list_end = offset(list.data() + list.size());
    while (end < list_end && (is_blank(value[end]) || value[end] == ',') &&
           line_.places[end] == line_.places[end - 1] + 1) {
      ++end;
    }
    erase(begin, end);
  }
  if (!last_is_ours) return left;
  // The separators before the last item are not needed either.
  const auto list_begin = offset(list.data());
  for (auto at = begin; at > list_begin; --at) {
    if (!erased_[at - 1] && !is_separator(value[at - 1])) break;
    if (value[at - 1] != '\r') erased_[at - 1] = true;
  }
  return left;
}

std::string Erasure::apply(std::string_view text) const {
  std::string result(text.substr(0, line_.begin));
  std::size_t next = 0;  // in erased_
  for (std::size_t begin = line_.begin; begin < line_.end;) {
    const auto end = end_of_line(text, begin);
    std::string line;
    bool changed = all_ && has_content(text.substr(begin, end - begin));
    // The blanks that make it a continuation line stay.
    bool is_start = begin > line_.begin;
    for (auto at = begin; at < end; ++at) {
      is_start = is_start && is_postfix_space(text[at]);
      const bool is_known = next < erased_.size() && line_.places[next] == at;
      const bool goes = is_known && erased_[next++];
      changed = changed || goes;
      if (!goes || is_start) line += text[at];
    }
    if (changed) {
      // The blanks before what went are not needed; the line break is the site's.
      const auto broken = line.find_last_not_of("\r\n");
      const auto line_break =
          broken == std::string::npos ? line : line.substr(broken + 1);
      line.resize(line.size() - line_break.size());
      while (!line.empty() && is_blank(line.back())) line.pop_back();
      const bool empty = all_ || std::all_of(line.begin(), line.end(), is_postfix_space);
      line = empty ? "" : line + line_break;
    }
    result += line;
    begin = end;
  }
  return result += text.substr(line_.end);
}

std::vector<CfBlock> cf_blocks(std::string_view text) {
  std::vector<CfBlock> blocks;
  for (std::size_t at = 0; at < text.size();) {
    auto block = block_at(text, at);
    at = block ? block->end : end_of_line(text, at);
    if (block) blocks.push_back(*std::move(block));
  }
  return blocks;
}

std::optional<CfBlock> find_cf_block(std::string_view text, std::string_view name) {
  for (auto& block : cf_blocks(text)) {
    if (block.name == name) return std::move(block);
  }
  return std::nullopt;
}

std::string cf_block(std::string_view name, std::string_view original,
                     std::string_view ours) {
  std::string block = fmt::format("{}{} {}\n", kBegin, name, digest_of(original, ours));
  for (std::size_t at = 0; at < original.size();) {
    const auto end = end_of_line(original, at);
    const auto line = original.substr(at, end - at);
    block += fmt::format("{}{}{}", kRecord, line == "\n" ? "" : " ", line);
    at = end;
  }
  return block += fmt::format("{}{}\n", ours, kEnd);
}

std::string without_markers(std::string_view text, const CfBlock& block) {
  std::string result(text.substr(0, block.begin));
  result += text.substr(block.ours_begin, block.ours_end - block.ours_begin);
  return result += text.substr(block.end);
}

void end_with_newline(std::string& text) {
  if (text.empty() || text.ends_with('\n')) return;
  text += fmt::format("\n{}\n", kNoNewline);
}

void restore_end(std::string& text) {
  if (!cf_blocks(text).empty()) return;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = end_of_line(text, at);
    if (line_at(text, at) != kNoNewline) {
      at = end;
      continue;
    }
    const bool last = end == text.size();
    text.erase(at, end - at);
    if (last && text.ends_with('\n')) text.pop_back();
  }
}

}  // namespace mxfeed
