// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kColumns = 78;

constexpr std::string_view kStyle =
    "body{font-family:sans-serif;max-width:50em;margin:2em auto;padding:0 1em;"
    "line-height:1.4}"
    "pre{background:#f3f3f3;padding:.7em;overflow-x:auto}";

// The words of the text, in lines that begin with `first` and then with `next`.
std::string wrapped(std::string_view text, std::string_view first,
                    std::string_view next) {
  std::string all;
  std::string line(first);
  bool is_new = true;
  for (const auto word : split(text, ' ')) {
    if (word.empty()) continue;
    if (!is_new && line.size() + 1 + word.size() > kColumns) {
      all += line + '\n';
      line = next;
      is_new = true;
    }
    if (!is_new) line += ' ';
    line += word;
    is_new = false;
  }
  return all + line + '\n';
}

std::string escaped(std::string_view text) {
  std::string all;
  for (const char c : text) {
    switch (c) {
      case '&':
        all += "&amp;";
        break;
      case '<':
        all += "&lt;";
        break;
      case '>':
        all += "&gt;";
        break;
      case '"':
        all += "&quot;";
        break;
      default:
        all += c;
    }
  }
  return all;
}

std::string indented(std::string_view text) {
  std::string all;
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (const auto line : split(text, '\n')) {
    all.append(line.empty() ? "" : "    ").append(line).append("\n");
  }
  return all;
}

}  // namespace

void Sheet::heading(std::string text) {
  parts_.push_back({Kind::heading, std::move(text)});
}

void Sheet::say(std::string text) {
  parts_.push_back({Kind::paragraph, std::move(text)});
}

void Sheet::item(std::string text) {
  parts_.push_back({Kind::item, std::move(text)});
}

void Sheet::code(std::string text) {
  parts_.push_back({Kind::code, std::move(text)});
}

std::string Sheet::text() const {
  std::string all = title_ + '\n' + std::string(title_.size(), '=') + '\n';
  Kind before = Kind::heading;
  for (const auto& part : parts_) {
    const bool is_next_item = part.kind == Kind::item && before == Kind::item;
    if (!is_next_item) all += '\n';
    switch (part.kind) {
      case Kind::heading:
        all += part.text + '\n' + std::string(part.text.size(), '-') + '\n';
        break;
      case Kind::paragraph:
        all += wrapped(part.text, "", "");
        break;
      case Kind::item:
        all += wrapped(part.text, "* ", "  ");
        break;
      case Kind::code:
        all += indented(part.text);
        break;
    }
    before = part.kind;
  }
  return all;
}

std::string Sheet::html() const {
  std::string all = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n",
      escaped(title_), kStyle);
  bool in_list = false;
  for (const auto& part : parts_) {
    if (in_list != (part.kind == Kind::item)) {
      in_list = !in_list;
      all += in_list ? "<ul>\n" : "</ul>\n";
    }
    const auto text = escaped(part.text);
    switch (part.kind) {
      case Kind::heading:
        all += fmt::format("<h2>{}</h2>\n", text);
        break;
      case Kind::paragraph:
        all += fmt::format("<p>{}</p>\n", text);
        break;
      case Kind::item:
        all += fmt::format("<li>{}</li>\n", text);
        break;
      case Kind::code:
        all += fmt::format("<pre>{}</pre>\n", text);
        break;
    }
  }
  if (in_list) all += "</ul>\n";
  return all + "</body>\n</html>\n";
}

}  // namespace mxfeed
