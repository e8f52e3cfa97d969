// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/greylist_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>
#include <vector>

#include "common/base/text.h"
#include "postfix-conf/config/domain_lines.h"
#include "postfix-conf/config/toml_array.h"
#include "postfix-conf/config/toml_edit.h"

namespace mxfeed {
namespace {

constexpr std::string_view kKey = "greylist";

// The lines that may have the list.
class Lines {
 public:
  Lines(std::string_view text, const ListPlace& place)
      : text_(text), all_(split(text, '\n')), place_(place) {
    if (place.domain_line == 0) {
      find_gateway();
    } else {
      find_domain();
    }
  }

  bool is_gateway() const { return place_.domain_line == 0; }
  // Of the table of its own; 0: none.
  std::uint32_t header() const { return header_; }

  // The line of "greylist = ..." in the domain; 0: none.
  std::uint32_t value_line() const {
    if (is_gateway()) return 0;
    for (std::uint32_t line = begin_; line <= end_; ++line) {
      const auto text = bare_line(all_[line - 1]);
      if (text.starts_with('[')) break;
      if (text.starts_with(kKey) && trim(text.substr(kKey.size())).starts_with('=')) {
        return line;
      }
    }
    return 0;
  }

  std::optional<ArrayText> array() const {
    if (header_ != 0) {
      for (std::uint32_t line = header_ + 1; line <= end_; ++line) {
        if (bare_line(all_[line - 1]).starts_with('[')) break;
        if (auto found = find_array(text_, line, place_.key)) return found;
      }
      return std::nullopt;
    }
    const auto line = value_line();
    return line == 0 ? std::nullopt : find_array(text_, line, place_.key);
  }

  std::string_view line(std::uint32_t number) const { return all_[number - 1]; }
  std::size_t offset(std::uint32_t number) const {
    return static_cast<std::size_t>(all_[number - 1].data() - text_.data());
  }

 private:
  std::uint32_t count() const { return static_cast<std::uint32_t>(all_.size()); }

  void find_gateway() {
    end_ = count();
    for (std::uint32_t line = 1; line <= end_ && header_ == 0; ++line) {
      if (bare_line(all_[line - 1]) == "[greylist]") header_ = line;
    }
  }

  void find_domain() {
    const auto range = lines_of_domain(all_, place_.domain_line);
    begin_ = range.begin;
    end_ = range.end - 1;
    for (std::uint32_t line = begin_; line <= end_; ++line) {
      if (bare_line(all_[line - 1]) == "[domain.greylist]") header_ = line;
    }
  }

  const std::string_view text_;
  const std::vector<std::string_view> all_;
  const ListPlace place_;
  std::uint32_t begin_ = 1, end_ = 0, header_ = 0;
};

std::string quoted(const ListEntry& entry) {
  std::string text = "\"";
  for (const char c : entry.str()) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

std::string insert_line(std::string_view text, std::size_t at, std::string_view line) {
  const bool has_cr = text.find("\r\n") != std::string_view::npos;
  std::string changed(text);
  return changed.insert(at, fmt::format("{}{}", line, has_cr ? "\r\n" : "\n"));
}

std::string end_with_line(std::string_view text) {
  std::string whole(text);
  if (!whole.empty() && whole.back() != '\n') whole += '\n';
  return whole;
}

// "greylist = ..." of a domain, with the list.
std::optional<std::string> add_to_value(std::string_view text, const Lines& lines,
                                        std::uint32_t line, std::string_view list) {
  const auto whole = lines.line(line);
  const auto value = trim(bare_line(whole).substr(bare_line(whole).find('=') + 1));
  if (value == "true" || value == "false") {
    return replace_value(text, line, kKey,
                         fmt::format("{{ when = \"{}\", {} }}",
                                     value == "true" ? "always" : "never", list));
  }
  if (!value.starts_with('{')) return std::nullopt;
  const std::size_t brace = lines.offset(line) + whole.find('{') + 1;
  const bool is_empty = trim(text.substr(brace)).starts_with('}');
  std::string changed(text);
  return changed.insert(brace, fmt::format(" {}{}", list, is_empty ? " " : ","));
}

}  // namespace

std::optional<std::string> add_entry(std::string_view text, const ListPlace& place,
                                     const ListEntry& entry) {
  const Lines lines(text, place);
  if (const auto array = lines.array()) return add_item(text, *array, quoted(entry));
  const std::string list = fmt::format("{} = [{}]", place.key, quoted(entry));
  if (lines.header() != 0) {
    const std::string whole = end_with_line(text);
    const auto at = Lines(whole, place).offset(lines.header());
    return insert_line(whole, whole.find('\n', at) + 1, list);
  }
  if (lines.is_gateway()) {
    return end_with_line(text) + fmt::format("\n[greylist]\n{}\n", list);
  }
  if (const auto line = lines.value_line(); line != 0) {
    return add_to_value(text, lines, line, list);
  }
  return insert_value(text, place.domain_line, "name", kKey,
                      fmt::format("{{ {} }}", list));
}

std::optional<std::string> remove_entry(std::string_view text, const ListPlace& place,
                                        const ListEntry& entry) {
  const auto array = Lines(text, place).array();
  if (!array) return std::nullopt;
  for (std::size_t i = 0; i < array->items.size(); ++i) {
    const auto parsed = ListEntry::parse(content_of(array->items[i], text));
    const auto* const one = std::get_if<ListEntry>(&parsed);
    if (one != nullptr && *one == entry) return remove_item(text, *array, i);
  }
  return std::nullopt;
}

}  // namespace mxfeed
