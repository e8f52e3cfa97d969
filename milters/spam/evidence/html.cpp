// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/evidence/html.h"

#include <algorithm>
#include <cstdint>

#include "common/base/text.h"
#include "common/mail/charset.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kMaxLinks = 200;
constexpr std::size_t kMaxImageUrls = 50;
constexpr std::size_t kMaxLinkBytes = 2048;
constexpr std::size_t kMaxName = 32;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

// Decodes the character reference at the start of `text`; its length, 0 if there is none.
std::size_t character_reference(std::string_view text, std::string& out) {
  if (!text.starts_with('&')) return 0;
  struct Named {
    std::string_view name;
    std::string_view text;
  };
  static constexpr Named kNamed[] = {
      {"&amp;", "&"},  {"&lt;", "<"},    {"&gt;", ">"},    {"&quot;", "\""},
      {"&nbsp;", " "}, {"&apos;", "'"},  {"&zwnj;", ""},   {"&zwj;", ""},
      {"&shy;", ""},   {"&ndash;", "-"}, {"&mdash;", "-"}, {"&copy;", "\xC2\xA9"}};
  for (const Named& named : kNamed) {
    if (text.starts_with(named.name)) {
      out += named.text;
      return named.name.size();
    }
  }
  if (!text.starts_with("&#")) return 0;
  const bool hex = text.size() > 2 && ascii_lower(text[2]) == 'x';
  std::size_t at = hex ? 3 : 2;
  const std::size_t begin = at;
  std::uint32_t point = 0;
  for (; at < text.size() && at < begin + 8; ++at) {
    const char c = ascii_lower(text[at]);
    if (c >= '0' && c <= '9') {
      point = point * (hex ? 16 : 10) + static_cast<std::uint32_t>(c - '0');
    } else if (hex && c >= 'a' && c <= 'f') {
      point = point * 16 + static_cast<std::uint32_t>(c - 'a' + 10);
    } else {
      break;
    }
  }
  if (at == begin) return 0;
  append_utf8(out, point == 0 ? 0xFFFD : point);  // HTML: no NUL
  return at < text.size() && text[at] == ';' ? at + 1 : at;
}

std::string decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (const std::size_t length = character_reference(text.substr(0, 12), out)) {
      text.remove_prefix(length);
      continue;
    }
    const std::size_t plain = std::min(text.find('&', 1), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
  }
  return out;
}

struct Tag {
  std::string name;  // lower case; "/a" if it closes
  std::string style, href, src, http_equiv, hidden;
};

// Reads the tag at `at` (its '<') and moves `at` past it.
Tag read_tag(std::string_view text, std::size_t& at) {
  Tag tag;
  ++at;
  if (at < text.size() && text[at] == '/') {
    tag.name = "/";
    ++at;
  }
  while (at < text.size() && text[at] != '>' && text[at] != '/' && !is_space(text[at])) {
    if (tag.name.size() < kMaxName) tag.name += ascii_lower(text[at]);
    ++at;
  }
  while (at < text.size() && text[at] != '>') {
    if (is_space(text[at]) || text[at] == '/') {
      ++at;
      continue;
    }
    std::string name;
    while (at < text.size() && text[at] != '=' && text[at] != '>' && text[at] != '/' &&
           !is_space(text[at])) {
      if (name.size() < kMaxName) name += ascii_lower(text[at]);
      ++at;
    }
    while (at < text.size() && is_space(text[at])) ++at;
    std::string_view value;
    if (at < text.size() && text[at] == '=') {
      ++at;
      while (at < text.size() && is_space(text[at])) ++at;
      if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
        const char quote = text[at++];
        const std::size_t end = std::min(text.find(quote, at), text.size());
        value = text.substr(at, end - at);
        at = std::min(end + 1, text.size());
      } else {
        const std::size_t begin = at;
        while (at < text.size() && text[at] != '>' && !is_space(text[at])) ++at;
        value = text.substr(begin, at - begin);
      }
    } else if (name == "hidden") {
      value = "hidden";
    }
    std::string* wanted = name == "style"        ? &tag.style
                          : name == "href"       ? &tag.href
                          : name == "src"        ? &tag.src
                          : name == "http-equiv" ? &tag.http_equiv
                          : name == "hidden"     ? &tag.hidden
                                                 : nullptr;
    if (wanted != nullptr && wanted->empty()) {
      *wanted = decoded(value.substr(0, kMaxLinkBytes));
    }
  }
  if (at < text.size()) ++at;
  return tag;
}

// Whether CSS declarations hide an element.
bool hides(std::string_view style) {
  std::string compact;
  for (const char c : style) {
    if (!is_space(c)) compact += ascii_lower(c);
  }
  compact += ';';
  for (const std::string_view hidden :
       {"display:none", "visibility:hidden", "font-size:0;", "font-size:0px",
        "font-size:0pt", "font-size:0!", "opacity:0;", "mso-hide:all"}) {
    if (compact.find(hidden) != std::string::npos) return true;
  }
  return false;
}

bool is_void(std::string_view name) {
  for (const std::string_view element :
       {"br", "img", "hr", "meta", "link", "input", "base", "area", "col", "wbr"}) {
    if (name == element) return true;
  }
  return false;
}

// Inline elements: a word may continue across their tags.
bool is_inline(std::string_view name) {
  if (name.starts_with('/')) name.remove_prefix(1);
  for (const std::string_view element :
       {"a",    "abbr",   "b",      "bdi", "bdo", "big",  "cite", "code", "del",  "dfn",
        "em",   "font",   "i",      "ins", "kbd", "mark", "q",    "s",    "samp", "small",
        "span", "strike", "strong", "sub", "sup", "tt",   "u",    "var",  "wbr"}) {
    if (name == element) return true;
  }
  return false;
}

void append_collapsed(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto word = static_cast<std::size_t>(
        std::find_if(text.begin(), text.end(), is_space) - text.begin());
    out += text.substr(0, word);
    text.remove_prefix(word);
    if (text.empty()) return;
    if (!out.empty() && out.back() != ' ') out += ' ';
    text.remove_prefix(1);
  }
}

}  // namespace

Html read_html(std::string_view text) {
  Html html;
  std::string hidden_element;  // the outermost hidden one, and how many
  unsigned hidden_depth = 0;   // elements of that name are open
  Link link;
  bool in_link = false;
  const auto end_link = [&] {
    if (in_link && html.links.size() < kMaxLinks) html.links.push_back(std::move(link));
    link = {};
    in_link = false;
  };
  std::size_t at = 0;
  // A search that found nothing is not repeated: that would take quadratic time.
  bool more_comments = true;
  while (at < text.size()) {
    const std::size_t next = std::min(text.find('<', at), text.size());
    if (next > at) {
      const std::string shown = decoded(text.substr(at, next - at));
      if (hidden_depth > 0) {
        for (const char c : shown) html.hidden += is_space(c) ? 0 : 1;
      } else {
        append_collapsed(html.visible, shown);
        if (in_link && link.text.size() < kMaxLinkBytes) {
          append_collapsed(link.text, std::string_view(shown).substr(0, kMaxLinkBytes));
        }
      }
      at = next;
      continue;
    }
    if (text.substr(at).starts_with("<!--")) {
      const std::size_t end = more_comments ? text.find("-->", at + 4) : text.npos;
      more_comments = end != text.npos;
      at = more_comments ? end + 3 : at + 4;
      continue;
    }
    const char after = at + 1 < text.size() ? text[at + 1] : '\0';
    if (!is_letter(after) && after != '/' && after != '!' && after != '?') {
      if (hidden_depth == 0) html.visible += '<';
      ++at;
      continue;
    }
    const Tag tag = read_tag(text, at);
    if (tag.name == "style" || tag.name == "script" || tag.name == "title") {
      // Their content is not text; without an end tag it extends to the end.
      const std::string end = "</" + tag.name;
      const auto found = std::search(text.begin() + static_cast<std::ptrdiff_t>(at),
                                     text.end(), end.begin(), end.end(),
                                     [](char a, char b) { return ascii_lower(a) == b; });
      at = static_cast<std::size_t>(found - text.begin());
      continue;
    }
    if (tag.name == "a") {
      end_link();
      in_link = !tag.href.empty();
      link.target = tag.href;
    }
    if (tag.name == "/a") end_link();
    if (tag.name == "img" && istarts_with(tag.src, "http")) {
      ++html.images;
      if (html.image_urls.size() < kMaxImageUrls) html.image_urls.push_back(tag.src);
    }
    if (tag.name == "meta" && iequals(trim(tag.http_equiv), "refresh")) {
      html.refreshes = true;
    }
    if (tag.name == "form") html.has_form = true;
    if (hidden_depth > 0) {
      if (tag.name == hidden_element) ++hidden_depth;
      if (tag.name == "/" + hidden_element) --hidden_depth;
    } else if (!tag.name.starts_with('/') && !is_void(tag.name) &&
               (!tag.hidden.empty() || hides(tag.style))) {
      hidden_element = tag.name;
      hidden_depth = 1;
    }
    if (!is_inline(tag.name)) append_collapsed(html.visible, " ");
  }
  end_link();
  return html;
}

}  // namespace mxfeed::spam
