// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "common/base/text.h"
#include "common/command/message_operand.h"

namespace mxfeed {
namespace {

struct Field {
  std::string name;
  std::string value;  // folded with LF
};

// Postfix's line_length_limit: longer lines are read in pieces and joined again.
constexpr std::size_t kPiece = 2048;
// cleanup_message.c: a longer field would not fit into a milter's packet.
constexpr std::size_t kMaxField = 60000;

constexpr std::string_view kDropped[] = {"bcc", "content-length", "resent-bcc",
                                         "return-path"};

// Takes the first line, without its end, from the front.
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string with_blanks_for_cr(std::string_view line) {
  std::string text(line);
  std::replace(text.begin(), text.end(), '\r', ' ');
  return text;
}

// In a header, Postfix cuts each piece of a line at its first NUL.
std::string without_nul(std::string_view line) {
  std::string text;
  for (; !line.empty(); line.remove_prefix(std::min(line.size(), kPiece))) {
    const std::string_view piece = line.substr(0, kPiece);
    text += piece.substr(0, piece.find('\0'));
  }
  return text;
}

bool is_mailbox_line(std::string_view line) {
  line.remove_prefix(std::min(line.size(), line.find_first_not_of('>')));
  return line.starts_with("From ");
}

// The field that begins with this line; nothing if the line does not begin one.
std::optional<Field> parse_field(const std::string& line) {
  const auto is_name = [](char c) { return c > ' ' && c < '\x7f' && c != ':'; };
  const auto name_end = std::find_if_not(line.begin(), line.end(), is_name);
  const auto colon = std::find_if_not(name_end, line.end(), is_blank);
  if (name_end == line.begin() || colon == line.end() || *colon != ':') {
    return std::nullopt;
  }
  // Postfix looks for a field name in the first piece only.
  if (colon - line.begin() >= static_cast<std::ptrdiff_t>(kPiece)) return std::nullopt;
  return Field{{line.begin(), name_end}, {colon + 1, line.end()}};
}

void cut(Field& field) {
  const std::size_t before = field.name.size() + 1;
  if (before + field.value.size() <= kMaxField) return;
  field.value.resize(kMaxField - std::min(kMaxField, before));
  field.value.resize(std::min(field.value.size(), field.value.rfind('\n')));
}

bool is_hidden(const Field& field) {
  return field.name.empty() || std::find(std::begin(kDropped), std::end(kDropped),
                                         ascii_lower(field.name)) != std::end(kDropped);
}

class Reader {
 public:
  explicit Reader(std::string_view file) : rest_(file) {
    text_.reserve(file.size() + file.size() / 32 + 256);
  }

  std::string read() {
    bool first = true;
    while (!rest_.empty()) {
      // smtpd looks at the first line before a CR becomes a blank.
      const std::string_view raw = take_line(rest_);
      const std::string line = with_blanks_for_cr(raw);
      if (first && is_mailbox_line(raw)) {
        begin_field({"X-Mailbox-Line", " " + without_nul(line)});
        continue;
      }
      // An empty line is put before a folded line that continues nothing.
      const bool is_header =
          !(first && !raw.empty() && is_blank(raw[0])) && add_header_line(line);
      first = false;
      if (is_header) continue;
      end_field();
      add_line("");
      if (!line.empty()) add_line(line);
      while (!rest_.empty()) add_line(with_blanks_for_cr(take_line(rest_)));
      return std::move(text_);
    }
    end_field();
    add_line("");
    return std::move(text_);
  }

 private:
  // False for a line that ends the header.
  bool add_header_line(const std::string& line) {
    const std::string text = without_nul(line);
    if (field_ && !text.empty() && is_blank(text[0])) {
      field_->value += "\n" + text;
      return true;
    }
    auto field = parse_field(text);
    if (!field) return false;
    begin_field(*std::move(field));
    return true;
  }

  void begin_field(Field field) {
    end_field();
    field_ = std::move(field);
  }
  void end_field() {
    if (!field_) return;
    cut(*field_);
    if (!is_hidden(*field_)) {
      text_ += field_->name + ":";
      for (const std::string_view line : split(field_->value, '\n')) add_line(line);
    }
    field_.reset();
  }

  void add_line(std::string_view line) {
    text_ += line;
    text_ += "\r\n";
  }

  std::string_view rest_;
  std::string text_;
  // The field being read: more lines of it may follow.  The first one stands for
  // Postfix's own Received and has no name here.
  std::optional<Field> field_{Field{}};
};

}  // namespace

std::string as_received(std::string_view mail) {
  return Reader(mail).read();
}

}  // namespace mxfeed
