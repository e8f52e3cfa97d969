// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/evidence/message.h"

#include <algorithm>
#include <map>

#include "common/base/text.h"
#include "common/mail/charset.h"
#include "common/mail/header.h"

namespace mxfeed::spam {
namespace {

// The Generic Test for Unsolicited Bulk Email: a line that every spam filter treats as
// spam by agreement.  It is written in two halves, so that this file does not contain it.
constexpr std::string_view kGtube[] = {"XJS*C4JDBQADN1.NSBN3*2IDNEN*",
                                       "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"};

bool has_gtube(std::string_view text) {
  for (std::size_t at = 0; (at = text.find(kGtube[0], at)) != text.npos; ++at) {
    if (text.substr(at + kGtube[0].size()).starts_with(kGtube[1])) return true;
  }
  return false;
}

}  // namespace

const std::string* Message::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (iequals(field.name, name)) return &field.value;
  }
  return nullptr;
}

std::size_t Message::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(),
                    [&](const Field& field) { return iequals(field.name, name); }));
}

std::vector<Mailbox> mailboxes(const Message& message, std::string_view name,
                               std::size_t most) {
  std::vector<Mailbox> all;
  for (const Field& field : message.fields) {
    if (!iequals(field.name, name) || all.size() >= most) continue;
    for (Mailbox& mailbox : parse_mailboxes(field.value, most - all.size())) {
      all.push_back(std::move(mailbox));
    }
  }
  return all;
}

bool is_list_mail(const Message& message) {
  for (const char* name : {"List-Id", "List-Post", "List-Unsubscribe", "Mailing-List",
                           "X-Mailing-List", "X-BeenThere"}) {
    if (message.find(name) != nullptr) return true;
  }
  const std::string* precedence = message.find("Precedence");
  return precedence != nullptr && iequals(trim(*precedence), "list");
}

// Collects the text of open parts and the inventory.
struct Reader::Parts : mime::Visitor {
  Parts(Message& to, const ReadLimits& most) : message(to), limits(most) {}

  Message& message;
  const ReadLimits& limits;
  struct Open {
    std::string text;
    std::uint64_t bytes = 0;
  };
  std::map<std::size_t, Open> open;  // by the part's number
  std::size_t text_bytes = 0;

  // The text of containers counts too: a part of a malformed container ends up there.
  static bool is_read(const mime::Part& part) {
    return part.is_text() || part.is_container();
  }

  void begin_part(const mime::Part& part) override { open[part.number]; }

  void data(const mime::Part& part, std::string_view bytes) override {
    Open& now = open[part.number];
    now.bytes += bytes.size();
    if (!is_read(part)) return;
    const std::size_t room = limits.text - text_bytes;
    if (bytes.size() > room) message.whole = false;
    now.text += bytes.substr(0, room);
    text_bytes += std::min(bytes.size(), room);
  }

  void end_part(const mime::Part& part) override {
    const Open now = std::move(open[part.number]);
    open.erase(part.number);
    if (!now.text.empty()) {
      const std::string text = to_utf8(now.text, part.charset);
      // The bytes are searched too: not every mail program respects the charset.
      message.gtube |= has_gtube(text) || has_gtube(now.text);
      std::string& place = part.type == "text/html" ? message.html_source : message.plain;
      place += text;
      place += '\n';
    }
    if (part.is_container()) return;
    if (message.parts.size() >= limits.parts) {
      message.whole = false;
      return;
    }
    message.parts.push_back({part.type, part.disposition, part.file_names, now.bytes,
                             part.kind == mime::Part::Kind::uuencoded});
  }
};

Reader::Reader(const ReadLimits& limits)
    : limits_(limits), parts_(std::make_unique<Parts>(message_, limits_)) {
  mime::Limits walk;
  walk.parts = limits.parts;
  walker_ = std::make_unique<mime::Walker>(*parts_, walk);
}

Reader::~Reader() = default;

void Reader::field(std::string_view name, std::string_view value) {
  walker_->field(name, value);
  if (message_.fields.size() >= limits_.fields) {
    message_.whole = false;
    return;
  }
  message_.fields.push_back(
      {std::string(trim(name)), std::string(value.substr(0, limits_.field))});
}

void Reader::body(std::string_view chunk) {
  const std::size_t room = limits_.body - walked_;
  if (chunk.size() > room) message_.whole = false;
  chunk = chunk.substr(0, room);
  walked_ += chunk.size();
  if (!chunk.empty()) walker_->body(chunk);
}

Message Reader::finish(Time received) {
  walker_->end();
  message_.anomalies = walker_->anomalies();
  message_.received = received;
  message_.html = read_html(message_.html_source);
  message_.gtube |= has_gtube(message_.html.visible);
  return std::move(message_);
}

std::string_view each_field(
    std::string_view bytes,
    const std::function<void(std::string_view name, std::string_view value)>& see) {
  std::string name;
  std::string value;
  const auto end_field = [&] {
    if (!name.empty()) see(name, value);
    name.clear();
  };
  if (bytes.starts_with("From "))
    bytes.remove_prefix(std::min(bytes.find('\n'), bytes.size() - 1) + 1);
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string_view rest = bytes.substr(std::min(end + 1, bytes.size()));
    if (line.empty()) {
      bytes = rest;
      break;
    }
    const std::size_t colon = line.find(':');
    if ((line.front() == ' ' || line.front() == '\t') && !name.empty()) {
      value += '\n';
      value += line;
    } else if (colon != line.npos && is_field_name(trim(line.substr(0, colon)))) {
      end_field();
      name = trim(line.substr(0, colon));
      value = line.substr(colon + 1);
    } else {
      break;  // the body, without an empty line before it
    }
    bytes = rest;
  }
  end_field();
  return bytes;
}

Message read_message(std::string_view bytes, Time received, const ReadLimits& limits) {
  Reader reader(limits);
  const auto body = each_field(bytes, [&](std::string_view name, std::string_view value) {
    reader.field(name, value);
  });
  reader.body(body);
  return reader.finish(received);
}

}  // namespace mxfeed::spam
