// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/attachments/content.h"

#include <cstring>
#include <string>

#include "common/base/text.h"

namespace mxfeed::virus {
namespace {

using std::string_view_literals::operator""sv;
using Kind = AttachmentKind;

constexpr std::string_view kCompoundFile = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

bool has_at(std::string_view content, std::size_t at, std::string_view mark) {
  return content.size() >= at && content.substr(at).starts_with(mark);
}

// memmem(3) is several times as fast as string_view::find().
std::size_t find(std::string_view content, std::string_view mark, std::size_t from = 0) {
  if (from >= content.size()) return std::string_view::npos;
  const void* const found =
      ::memmem(content.data() + from, content.size() - from, mark.data(), mark.size());
  return found == nullptr
             ? std::string_view::npos
             : static_cast<std::size_t>(static_cast<const char*>(found) - content.data());
}
bool has(std::string_view content, std::string_view mark) {
  return find(content, mark) != std::string_view::npos;
}

std::uint32_t le(std::string_view content, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) {
    const char c = at + i < content.size() ? content[at + i] : '\0';
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return value;
}

struct Mark {
  Kind kind;
  std::size_t at;
  std::string_view bytes;
};

constexpr Mark kMarks[] = {
    {Kind::program, 0,
     "\x7f"
     "ELF"sv},
    {Kind::program, 0, "\xfe\xed\xfa\xce"sv},  // Mach-O
    {Kind::program, 0, "\xfe\xed\xfa\xcf"sv},
    {Kind::program, 0, "\xce\xfa\xed\xfe"sv},
    {Kind::program, 0, "\xcf\xfa\xed\xfe"sv},
    {Kind::program, 0, "\xca\xfe\xba\xbe"sv},  // Mach-O for several, Java class
    {Kind::program, 0, "dex\n03"sv},
    {Kind::script, 0, "ITSF\3\0\0\0"sv},  // CHM
    {Kind::script, 0, "#@~^"sv},          // encoded VBScript and JScript
    {Kind::shortcut, 0,
     "\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"sv},  // [MS-SHLLINK] 2.1
    {Kind::macro, 0, "ActiveMime"sv},
    {Kind::disk_image, 32769, "CD001"sv},  // ECMA-119, 8.1
    {Kind::disk_image, 32769, "BEA01"sv},  // ECMA-167: UDF
    {Kind::disk_image, 32769, "NSR0"sv},
    {Kind::disk_image, 0, "conectix"sv},
    {Kind::disk_image, 0, "vhdxfile"sv},
    {Kind::disk_image, 0, "KDMV"sv},
    {Kind::disk_image, 0, "QFI\xfb"sv},
    {Kind::disk_image, 0, "MSWIM\0\0\0"sv},
};

// How texts that Windows or a desktop opens as something else begin.
struct Beginning {
  Kind kind;
  std::string_view text;  // in lower case
};
constexpr Beginning kBeginnings[] = {
    {Kind::shortcut, "[internetshortcut]"},
    {Kind::shortcut, "[desktop entry]"},
    {Kind::shortcut, "[shell]"},
    {Kind::script, "windows registry editor"},
    {Kind::script, "regedit4"},
};
// The names of the first elements of files in XML.
constexpr Beginning kElements[] = {
    {Kind::shortcut, "<librarydescription"},
    {Kind::shortcut, "<persistedquery"},
    {Kind::shortcut, "<searchconnectordescription"},
    {Kind::shortcut, "<pcsettings>"},
    {Kind::script, "<hta:application"},
    {Kind::script, "<scriptlet"},
};

std::string_view without_blanks(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty() && (is_space(text.front()) || text.front() == '\f')) {
    text.remove_prefix(1);
  }
  return text;
}

// A head in UTF-16, as Windows writes it, becomes bytes.
std::string narrow(std::string_view head) {
  const bool is_little = head.starts_with("\xFF\xFE");
  const bool is_big = head.starts_with("\xFE\xFF");
  if (!is_little && !is_big) return std::string(head);
  std::string out;
  for (std::size_t i = is_little ? 2 : 3; i < head.size(); i += 2) out += head[i];
  return out;
}

// A program for DOS or Windows.  Two letters are a weak mark: what the header says has to
// make sense.
bool is_dos_program(std::string_view content) {
  if (!content.starts_with("MZ") && !content.starts_with("ZM")) return false;
  constexpr std::size_t kHeader = 28;
  if (content.size() < kHeader) return false;
  const std::uint32_t extended = le(content, 60, 4);
  for (const auto mark : {"PE\0\0"sv, "NE"sv, "LE"sv, "LX"sv}) {
    if (has_at(content, extended, mark)) return true;
  }
  // Pages of 512 bytes, the last one in part; a header of paragraphs.  Text has none.
  const std::uint32_t last = le(content, 2, 2), paragraphs = le(content, 8, 2);
  return last <= 512 && paragraphs >= 2 && paragraphs * 16u <= content.size() &&
         content.substr(0, kHeader).find('\0') != std::string_view::npos;
}

// [MS-XLS] 2.4.28: a sheet that is a macro.
bool has_macro_sheet(std::string_view content) {
  constexpr std::string_view kBoundSheet = "\x85\0"sv;
  for (std::size_t at = find(content, kBoundSheet); at != std::string_view::npos;
       at = find(content, kBoundSheet, at + 2)) {
    const std::uint32_t size = le(content, at + 2, 2);
    const std::uint32_t place = le(content, at + 4, 4);
    const std::uint32_t state = le(content, at + 8, 1), type = le(content, at + 9, 1);
    const std::uint32_t length = le(content, at + 10, 1), wide = le(content, at + 11, 1);
    const bool fits_8 = wide <= 1 && size == 8 + length * (wide + 1);
    const bool fits_5 = size == 7 + length;
    if ((fits_8 || fits_5) && length >= 1 && length <= 31 && state <= 2 && type == 1 &&
        place >= 8 && place < content.size()) {
      return true;
    }
  }
  return false;
}

// [MS-CFB] 2.2 and 2.6: installers have a class, documents with macros a project.
AttachmentKinds kinds_of_compound_file(std::string_view content) {
  AttachmentKinds kinds;
  const std::size_t shift = le(content, 30, 2) == 12 ? 12 : 9;
  const std::size_t root = (std::size_t{le(content, 48, 4)} + 1) << shift;
  constexpr std::size_t kClassInEntry = 80;
  constexpr std::string_view kInstaller = "\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"sv;
  const char first =
      root + kClassInEntry < content.size() ? content[root + kClassInEntry] : '\0';
  if ((first == '\x84' || first == '\x86' || first == '\x82') &&
      has_at(content, root + kClassInEntry + 1, kInstaller)) {
    kinds.add(Kind::program);
  }
  // The name of a stream, or of a storage.
  if (has(content, "_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0"sv) ||
      has_macro_sheet(content)) {
    kinds.add(Kind::macro);
  }
  return kinds;
}

// A picture in a OneNote section is no attachment of it.
bool is_picture(std::string_view content) {
  for (const auto mark : {"\x89PNG"sv, "\xff\xd8\xff"sv, "GIF8"sv, "BM"sv, "\1\0\0\0"sv,
                          "\xd7\xcd\xc6\x9a"sv, "II*\0"sv, "MM\0*"sv, "RIFF"sv}) {
    if (content.starts_with(mark)) return true;
  }
  return false;
}

// [MS-ONESTORE] 2.6.13: FileDataStoreObject
bool is_note_with_file(std::string_view content) {
  constexpr std::string_view kSection =
      "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"sv;
  constexpr std::string_view kFile =
      "\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac"sv;
  constexpr std::size_t kHeader = 36;
  if (!content.starts_with(kSection)) return false;
  for (std::size_t at = find(content, kFile); at != std::string_view::npos;
       at = find(content, kFile, at + kFile.size())) {
    if (content.size() <= at + kHeader) return true;
    if (!is_picture(content.substr(at + kHeader))) return true;
  }
  return false;
}

bool is_apple_image(std::string_view content) {
  constexpr std::size_t kTrailer = 512;
  return content.size() >= kTrailer &&
         content.substr(content.size() - kTrailer).starts_with("koly\0\0\0\4"sv);
}

bool is_virtual_disk(std::string_view content) {
  constexpr std::size_t kFooter = 512;
  return content.size() >= kFooter &&
         content.substr(content.size() - kFooter).starts_with("conectix"sv);
}

AttachmentKinds kinds_of_text(std::string_view content) {
  constexpr std::size_t kHead = 2048;
  AttachmentKinds kinds;
  const std::string head = ascii_lower(narrow(content.substr(0, kHead)));
  const std::string_view text = without_blanks(head);
  for (const auto& [kind, beginning] : kBeginnings) {
    if (text.starts_with(beginning)) kinds.add(kind);
  }
  if (!text.starts_with('<')) return kinds;
  for (const auto& [kind, element] : kElements) {
    if (text.find(element) != std::string_view::npos) kinds.add(kind);
  }
  // Windows Script Files: a job with a script.
  const bool is_job = text.find("<job") != std::string_view::npos ||
                      text.find("<package") != std::string_view::npos;
  if (is_job && text.find("<script") != std::string_view::npos) kinds.add(Kind::script);
  // A document of Word 2003 in XML.
  if (text.find("macrospresent=\"yes\"") != std::string_view::npos) {
    kinds.add(Kind::macro);
  }
  return kinds;
}

}  // namespace

AttachmentKinds kinds_of_content(std::string_view content) {
  AttachmentKinds kinds = kinds_of_text(content);
  for (const Mark& mark : kMarks) {
    if (has_at(content, mark.at, mark.bytes)) kinds.add(mark.kind);
  }
  if (is_dos_program(content)) kinds.add(Kind::program);
  if (content.starts_with(kCompoundFile)) kinds.add(kinds_of_compound_file(content));
  if (is_note_with_file(content)) kinds.add(Kind::macro);
  if (is_apple_image(content) || is_virtual_disk(content)) kinds.add(Kind::disk_image);
  return kinds;
}

bool begins_as_markup(std::string_view head) {
  head = without_blanks(head);
  if (head.size() < 2 || head[0] != '<') return false;
  return is_letter(head[1]) || head[1] == '!' || head[1] == '?';
}

bool begins_as_other_xml(std::string_view head) {
  const std::string text = ascii_lower(without_blanks(head.substr(0, 1024)));
  if (!text.starts_with("<?xml")) return false;
  return text.find("<svg") == std::string::npos && text.find("html") == std::string::npos;
}

}  // namespace mxfeed::virus
