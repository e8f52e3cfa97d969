// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/attachment_kinds.h"

#include <algorithm>

#include "common/base/text.h"

namespace mxfeed {
namespace {

struct Suffixes {
  AttachmentKind kind;
  std::string_view list;  // each between blanks
};

// mxfeed-virus(8) has the same lists; a test compares them.
constexpr Suffixes kSuffixes[] = {
    {AttachmentKind::program,
     " .386 .air .apk .app .appimage .appinstaller .application .appx .appxbundle .ax "
     ".class .com .cpl .crx .dex .dll .drv .efi .elf .ex .ex_ .exe .gadget .jar .jnlp "
     ".mpkg .msi .msix .msixbundle .msp .mst .msu .ocx .pif .pkg .scr .sys .vxd .wll "
     ".xap .xbap .xll .xpi "},
    {AttachmentKind::script,
     " .ahk .applescript .au3 .bat .btm .chm .cmd .command .diagcab .diagcfg .diagpkg "
     ".hlp .hta .ins .isp .js .jse .mjs .msc .msh .msh1 .msh1xml .msh2 .msh2xml .mshxml "
     ".osd .ps1 .ps1xml .ps2 .ps2xml .psc1 .psc2 .psd1 .psm1 .pyw .pyz .pyzw .reg .scpt "
     ".sct .terminal .vb .vbe .vbs .vbscript .workflow .ws .wsc .wsf .wsh "},
    {AttachmentKind::shortcut,
     " .appref-ms .deskthemepack .desktop .fileloc .inetloc .library-ms .lnk .rdp .scf "
     ".search-ms .searchconnector-ms .settingcontent-ms .shb .shs .theme .themepack .url "
     ".webloc .website "},
    {AttachmentKind::macro,
     " .accda .accde .ade .docm .dotm .dqy .iqy .mde .oqy .potm .ppa .ppam .ppsm .pptm "
     ".rqy .sldm .slk .vsdm .vssm .vstm .xla .xlam .xlm .xlsm .xltm "},
    {AttachmentKind::disk_image,
     " .daa .dmg .esd .ffu .ima .img .iso .isz .nrg .qcow2 .sparsebundle "
     ".sparseimage .swm .toast .udf .vdi .vfd .vhd .vhdx .vmdk .wim "},
};

bool is_suffix_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == '+' ||
         c == '~';
}

}  // namespace

std::string_view to_string(AttachmentKind kind) {
  switch (kind) {
    case AttachmentKind::program:
      return "program";
    case AttachmentKind::script:
      return "script";
    case AttachmentKind::shortcut:
      return "shortcut";
    case AttachmentKind::macro:
      return "macro";
    case AttachmentKind::disk_image:
      return "disk-image";
    case AttachmentKind::html_smuggling:
      return "html-smuggling";
  }
  return "";
}

std::optional<AttachmentKind> parse_attachment_kind(std::string_view text) {
  for (const AttachmentKind kind : kAttachmentKinds) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

bool is_suffix(std::string_view text) {
  if (text.size() < 2 || text.size() > kMaxSuffix || text.front() != '.') return false;
  text.remove_prefix(1);
  const auto dot = text.find('.');
  const std::string_view first = text.substr(0, dot);
  const std::string_view second =
      dot == std::string_view::npos ? first : text.substr(dot + 1);
  const auto is_word = [](std::string_view word) {
    return !word.empty() && std::ranges::all_of(word, is_suffix_character);
  };
  return is_word(first) && is_word(second);
}

std::optional<AttachmentKind> kind_of_suffix(std::string_view suffix) {
  if (!is_suffix(suffix)) return std::nullopt;
  const std::string word = " " + std::string(suffix) + " ";
  for (const auto& [kind, list] : kSuffixes) {
    if (list.find(word) != std::string_view::npos) return kind;
  }
  return std::nullopt;
}

std::size_t count_of_known_suffixes() {
  std::size_t count = 0;
  for (const auto& [kind, list] : kSuffixes) {
    count += static_cast<std::size_t>(std::ranges::count(list, '.'));
  }
  return count;
}

}  // namespace mxfeed
