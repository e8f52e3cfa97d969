// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/text_lines.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/mail/mime/fields.h"
#include "common/mail/mime/inline_file.h"
#include "common/mail/mime/uuencode.h"

namespace mxfeed::virus {
namespace {

constexpr std::size_t kMostOpen = 8;
constexpr std::size_t kRunWidth = 40;  // characters of a line of base64
constexpr std::size_t kRunLines = 3;

bool is_field(std::string_view line, std::string_view name) {
  if (!istarts_with(line, name)) return false;
  return trim(line.substr(name.size())).starts_with(':');
}

// How much of the line stands before the first byte that no text has.
std::size_t text_length(std::string_view line) {
  const auto end = std::find_if(line.begin(), line.end(), [](char c) {
    return static_cast<unsigned char>(c) > 127 || (c < ' ' && c != '\t');
  });
  return static_cast<std::size_t>(end - line.begin());
}

class Reader {
 public:
  explicit Reader(std::string_view content) : content_(content) {}

  TextLines read() {
    for (std::size_t at = 0; at < content_.size(); at = next_) {
      const std::size_t end = std::min(content_.find('\n', at), content_.size());
      next_ = std::min(end + 1, content_.size());
      std::string_view line = content_.substr(at, end - at);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!continues_run(line, at)) {
        end_run(at);
        continues_run(line, at);
      }
      if (line.empty()) {
        begin_block({});
        in_first_block_ = false;
      } else {
        read(line, at);
      }
    }
    end_run(content_.size());
    for (const Open& section : open_) keep(section, content_.size());
    return std::move(lines_);
  }

 private:
  // A section whose end is not known yet.
  struct Open {
    std::size_t begin;
    std::string_view delimiter;  // the line before it; may be empty
    bool is_base64;
    bool is_kept = false;  // up to a line that may be a delimiter
  };

  void begin_block(std::string_view delimiter) {
    block_ = next_;
    delimiter_ = delimiter;
    block_is_open_ = false;
  }

  void read(std::string_view line, std::size_t at) {
    switch (line.front()) {
      case 'b':
      case 'B':
      case ' ':
      case '\t':
        lines_.has_file = lines_.has_file || begins_uuencode(line);
        break;
      case '=':
      case ':':
        lines_.has_file =
            lines_.has_file || mime::begin_file(line, announced_) != nullptr;
        break;
      case '(':
        announced_ = announced_ || mime::announces_binhex(line);
        break;
      case 'c':
      case 'C':
        read_field(line, at);
        break;
      default:
        break;
    }
    if (const auto text = trim(line); text.size() > 2 && text.starts_with("--")) {
      read_delimiter(line, text, at);
    } else if (!open_.empty() && open_.back().is_base64) {
      const std::size_t length = text_length(line);
      if (length == line.size()) return;
      end_sections(at + length, [](const Open& section) { return section.is_base64; });
    }
  }

  void read_field(std::string_view line, std::size_t at) {
    if (is_field(line, "content-transfer-encoding")) {
      lines_.has_header = lines_.has_header || in_first_block_;
      const std::string_view value = unfolded_from(at);
      const bool is_base64 = value.find("64") != value.npos;
      if (!block_is_open_ && (is_base64 || value.find_first_of("qQ") != value.npos)) {
        open_section(is_base64);
      }
    } else if (in_first_block_ && is_field(line, "content-type")) {
      lines_.has_header = true;
    }
  }

  // The value of the field at `at` with the lines that continue it.
  std::string_view unfolded_from(std::size_t at) const {
    std::size_t end = next_;
    while (end < content_.size() && (content_[end] == ' ' || content_[end] == '\t')) {
      end = std::min(content_.find('\n', end), content_.size() - 1) + 1;
    }
    const std::string_view field = content_.substr(at, end - at);
    return field.substr(field.find(':'));
  }

  bool begins_uuencode(std::string_view line) const {
    const auto begin = mime::uu_begin(line);
    if (!begin) return false;
    std::string_view next = content_.substr(next_);
    next = mime::without_trailing_blanks(next.substr(0, next.find_first_of("\r\n")));
    return begin->base64 ? mime::is_base64_line(next)
                         : mime::is_uu_line(next, mime::UuAlphabet::uu) ||
                               mime::is_uu_line(next, mime::UuAlphabet::xx);
  }

  void open_section(bool is_base64) {
    block_is_open_ = true;
    // One without a delimiter ends where the next one begins; but the first may be a
    // mail, to which all that follows belongs.
    end_sections(block_, [](const Open& section) {
      return section.begin > 0 && section.delimiter.empty();
    });
    if (open_.size() == kMostOpen) {
      keep(open_.front(), content_.size());
      open_.erase(open_.begin());
    }
    open_.push_back({block_, delimiter_, is_base64});
  }

  static bool is_end_of(const Open& section, std::string_view line) {
    if (section.delimiter.empty() || !line.starts_with(section.delimiter)) return false;
    const std::string_view tail = line.substr(section.delimiter.size());
    return tail.empty() || tail == "--";
  }

  // `text` is the line without blanks around it, which some programs ignore.
  void read_delimiter(std::string_view line, std::string_view text, std::size_t at) {
    // The line end before a delimiter belongs to it (RFC 2046, 5.1.1).
    std::size_t end = at;
    if (end > 0) --end;
    if (end > 0 && content_[end - 1] == '\r') --end;
    // A line with more than the boundary is a delimiter for some programs only.
    for (Open& section : open_) {
      if (section.is_kept || section.delimiter.empty() || is_end_of(section, line) ||
          !text.starts_with(section.delimiter)) {
        continue;
      }
      keep(section, end);
      section.is_kept = true;
    }
    end_sections(end, [line](const Open& section) { return is_end_of(section, line); });
    begin_block(text);
  }

  template <typename Which>
  void end_sections(std::size_t end, Which which) {
    for (const Open& section : open_) {
      if (which(section)) keep(section, end);
    }
    std::erase_if(open_, which);
  }

  void keep(const Open& section, std::size_t end) {
    lines_.sections.push_back({section.begin, std::max(section.begin, end), true});
  }

  // A run is lines of base64 of one width, and a shorter one behind them.
  bool continues_run(std::string_view line, std::size_t at) {
    const bool is_last = run_lines_ > 0 && line.size() < run_width_;
    if (!is_last && line.size() < kRunWidth) return false;
    if (run_lines_ > 0 && line.size() > run_width_) return false;
    if (!mime::is_base64_line(line)) return false;
    if (run_lines_ == 0) run_ = at;
    run_width_ = line.size();
    ++run_lines_;
    return true;
  }

  void end_run(std::size_t at) {
    const bool is_decoded = std::any_of(open_.begin(), open_.end(),
                                        [](const Open& open) { return open.is_base64; });
    if (run_lines_ >= kRunLines && !is_decoded) {
      lines_.sections.push_back({run_, at, false});
    }
    run_lines_ = 0;
  }

  const std::string_view content_;
  std::size_t next_ = 0;        // where the next line begins
  std::size_t block_ = 0;       // where the header begins that a line may belong to
  std::string_view delimiter_;  // before it
  bool block_is_open_ = false;  // it names an encoding
  bool in_first_block_ = true;  // before the first empty line
  bool announced_ = false;      // BinHex
  std::size_t run_ = 0;         // where the run begins
  std::size_t run_lines_ = 0;   // of the run
  std::size_t run_width_ = 0;   // of its last line
  std::vector<Open> open_;
  TextLines lines_;
};

}  // namespace

TextLines read_text_lines(std::string_view content) {
  return Reader(content).read();
}

}  // namespace mxfeed::virus
