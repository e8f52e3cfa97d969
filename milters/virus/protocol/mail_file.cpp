// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/protocol/mail_file.h"

#include <algorithm>
#include <optional>

#include "common/base/text.h"
#include "milters/virus/protocol/message_file.h"

namespace mxfeed::virus {
namespace {

// line_length_limit: longer lines come in pieces, which are put together again.
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

// In a header Postfix's strings end at a NUL, piece by piece.
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

// The field that the line begins; nothing if it begins none.
std::optional<MilterMessage::Field> parse_field(const std::string& line) {
  const auto is_name = [](char c) { return c > ' ' && c < '\x7f' && c != ':'; };
  const auto name_end = std::find_if_not(line.begin(), line.end(), is_name);
  const auto colon = std::find_if_not(name_end, line.end(), is_blank);
  if (name_end == line.begin() || colon == line.end() || *colon != ':') {
    return std::nullopt;
  }
  // A header is looked for in the first piece only.
  if (colon - line.begin() >= static_cast<std::ptrdiff_t>(kPiece)) return std::nullopt;
  return MilterMessage::Field{{line.begin(), name_end}, {colon + 1, line.end()}};
}

void cut(MilterMessage::Field& field) {
  const std::size_t before = field.name.size() + 1;
  if (before + field.value.size() <= kMaxField) return;
  field.value.resize(kMaxField - std::min(kMaxField, before));
  field.value.resize(std::min(field.value.size(), field.value.rfind('\n')));
}

bool is_hidden(const MilterMessage::Field& field) {
  return field.name.empty() || std::find(std::begin(kDropped), std::end(kDropped),
                                         ascii_lower(field.name)) != std::end(kDropped);
}

class Reader {
 public:
  explicit Reader(std::string_view file) : rest_(file) {}

  MilterMessage read() {
    bool first = true;
    while (!rest_.empty()) {
      // smtpd looks at the first line before a CR becomes a blank.
      const std::string_view raw = take_line(rest_);
      const std::string line = with_blanks_for_cr(raw);
      if (first && is_mailbox_line(raw)) {
        begin_field({"X-Mailbox-Line", " " + without_nul(line)});
        continue;
      }
      // An empty line goes before a folded one that continues nothing.
      const bool is_header =
          !(first && !raw.empty() && is_blank(raw[0])) && add_header_line(line);
      first = false;
      if (is_header) continue;
      end_field();
      if (!line.empty()) add_body_line(line);
      while (!rest_.empty()) add_body_line(with_blanks_for_cr(take_line(rest_)));
    }
    end_field();
    return std::move(message_);
  }

 private:
  // False for one that ends the header.
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

  void begin_field(MilterMessage::Field field) {
    end_field();
    field_ = std::move(field);
  }
  void end_field() {
    if (!field_) return;
    cut(*field_);
    if (!is_hidden(*field_)) message_.header.push_back(*std::move(field_));
    field_.reset();
  }

  void add_body_line(const std::string& line) {
    message_.body += line;
    message_.body += "\r\n";
  }

  std::string_view rest_;
  MilterMessage message_;
  // More lines of it may follow.  The first is Postfix's own Received, which has no name
  // here.
  std::optional<MilterMessage::Field> field_{MilterMessage::Field{}};
};

}  // namespace

MilterMessage as_postfix(std::string_view file) {
  return Reader(file).read();
}

void add(const MilterMessage& message, MessageFile& to) {
  for (const auto& [name, value] : message.header) to.add_header(name, value);
  to.end_header();
  to.add(message.body);
}

}  // namespace mxfeed::virus
