// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/attachments/file_name.h"

#include <algorithm>

#include "common/base/text.h"

namespace mxfeed::virus {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kMostOfName = 2048;
constexpr std::size_t kMostPieces = 64;
// Suffixes of what only wraps a file.
constexpr std::string_view kWraps[] = {".gz",  ".bz2", ".xz",  ".zst", ".lzma",
                                       ".z",   ".lz",  ".lz4", ".br",  ".gpg",
                                       ".pgp", ".p7m", ".aes", ".enc"};
constexpr int kMostWraps = 4;

// Characters that are not seen (Unicode 15, 4.4: mostly of class Cf), and controls.
bool is_hidden(char32_t c) {
  return (c > 0 && c < 0x20) || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x034F ||
         c == 0x061C || c == 0x115F || c == 0x1160 || c == 0x17B4 || c == 0x17B5 ||
         (c >= 0x180B && c <= 0x180F) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0x3164 ||
         (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || c == 0xFFA0 ||
         (c >= 0xFFF0 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

bool is_dot(char32_t c) {
  return c == '.' || c == 0x2024 || c == 0x3002 || c == 0xFE52 || c == 0xFF0E ||
         c == 0xFF61;
}

bool is_wide_blank(char32_t c) {
  return c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

// Lower case, without what is not seen; forms of ASCII characters become these.
std::string plain(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::size_t length = utf8_length(name);
    if (length <= 1) {
      const char c = ascii_lower(name.front());
      const bool is_control = (c > 0 && c < ' ' && c != '\n' && c != '\r') || c == 0x7f;
      if (!is_control) out += c;
      name.remove_prefix(1);
      continue;
    }
    const char32_t c = code_point(name.substr(0, length));
    if (is_dot(c)) {
      out += '.';
    } else if (is_wide_blank(c)) {
      out += ' ';
    } else if (c >= 0xFF01 && c <= 0xFF5E) {
      out += ascii_lower(static_cast<char>(c - 0xFF01 + '!'));
    } else if (!is_hidden(c)) {
      out += name.substr(0, length);
    }
    name.remove_prefix(length);
  }
  return out;
}

// What Windows drops at the end of a name or does not allow in it, and what a careless
// reader of parameters leaves there.
std::string_view without_end(std::string_view name) {
  constexpr std::string_view kDropped = ". \"'<>|?*;,"sv;
  const auto last = name.find_last_not_of(kDropped);
  return name.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// A folder that the shell of Windows opens as something else: "name.{CLSID}".
bool is_class_suffix(std::string_view suffix) {
  constexpr std::size_t kLength = sizeof ".{00000000-0000-0000-0000-000000000000}" - 1;
  return suffix.size() == kLength && suffix.starts_with(".{") && suffix.ends_with('}');
}

void look_at_piece(std::string_view piece, NameLook& look) {
  for (int wraps = 0; wraps <= kMostWraps; ++wraps) {
    piece = without_end(piece);
    const auto dot = piece.rfind('.');
    if (dot == std::string_view::npos) return;
    const std::string_view suffix = piece.substr(dot);
    if (is_class_suffix(suffix)) look.kinds.add(AttachmentKind::shortcut);
    if (!is_suffix(suffix)) return;
    if (const auto kind = kind_of_suffix(suffix)) look.kinds.add(*kind);
    look.suffixes.emplace_back(suffix);
    const auto second =
        dot == 0 ? std::string_view::npos : piece.substr(0, dot).rfind('.');
    if (second != std::string_view::npos && is_suffix(piece.substr(second))) {
      look.suffixes.emplace_back(piece.substr(second));
    }
    if (std::ranges::find(kWraps, suffix) == std::end(kWraps)) return;
    piece = piece.substr(0, dot);
  }
}

std::string_view without_folders(std::string_view name) {
  while (name.ends_with('/') || name.ends_with('\\')) name.remove_suffix(1);
  const auto slash = name.find_last_of("/\\");
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

// Macros have their names in the archives that office documents are.
bool is_macro_member(std::string_view path) {
  return path.ends_with("vbaproject.bin") ||
         path.find("/macrosheets/") != std::string_view::npos ||
         (path.starts_with("basic/") && path.ends_with("script-lb.xml"));
}

// What every office document has inside says nothing about the mail.
bool is_office_member(std::string_view path) {
  constexpr std::string_view kRoots[] = {"_rels/",
                                         "docprops/",
                                         "word/",
                                         "xl/",
                                         "ppt/",
                                         "visio/",
                                         "customxml/",
                                         "documents/",
                                         "metadata/",
                                         "meta-inf/manifest.xml",
                                         "pictures/",
                                         "thumbnails/",
                                         "configurations2/",
                                         "content.xml",
                                         "styles.xml",
                                         "meta.xml",
                                         "settings.xml",
                                         "[content_types].xml",
                                         "object "};
  constexpr std::string_view kSuffixes[] = {".xml", ".rels", ".bin", ".vml",    ".rdf",
                                            ".emf", ".wmf",  ".png", ".jpg",    ".jpeg",
                                            ".gif", ".tiff", ".svg", ".fntdata"};
  return std::ranges::any_of(kRoots, [&](auto root) { return path.starts_with(root); }) &&
         std::ranges::any_of(kSuffixes, [&](auto end) { return path.ends_with(end); });
}

}  // namespace

NameLook look_at_name(std::string_view name, NameOf of) {
  NameLook look;
  std::string whole = plain(name.substr(0, kMostOfName));
  if (name.size() > kMostOfName) {
    whole += '\0' + plain(name.substr(std::max(kMostOfName, name.size() - kMostOfName)));
  }
  if (of == NameOf::member) {
    if (whole.ends_with('/')) return look;
    if (is_macro_member(whole)) look.kinds.add(AttachmentKind::macro);
    if (is_office_member(whole)) return look;
  }
  std::size_t pieces = 0;
  std::string_view rest = whole;
  // The whole name up to each place where a program may stop.
  for (std::size_t at = 0; pieces < kMostPieces; ++pieces) {
    const auto stop = rest.find_first_of("\0\r\n:"sv, at);
    look_at_piece(without_folders(rest.substr(0, stop)), look);
    if (stop == std::string_view::npos) break;
    at = stop + 1;
    if (rest[stop] == '\0') {
      rest.remove_prefix(at);
      at = 0;
    }
  }
  if (whole.find('\0') != std::string::npos) {
    std::erase(whole, '\0');
    look_at_piece(without_folders(whole), look);
  }
  return look;
}

bool is_page_name(std::string_view name) {
  const NameLook look = look_at_name(name, NameOf::part);
  constexpr std::string_view kPages[] = {".htm",   ".html", ".shtml", ".xhtml",
                                         ".xht",   ".svg",  ".mht",   ".mhtml",
                                         ".dhtml", ".hta",  ".shtm",  ".phtml"};
  return std::ranges::any_of(look.suffixes, [&](const std::string& suffix) {
    return std::ranges::find(kPages, suffix) != std::end(kPages);
  });
}

}  // namespace mxfeed::virus
