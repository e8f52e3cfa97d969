// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/view.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include "common/base/text.h"
#include "common/mail/words.h"
#include "milters/spam/model/subject_tags.h"

namespace mxfeed::spam {
namespace {

constexpr std::string_view kFields[] = {
    "From",         "Subject",    "Reply-To",   "MIME-Version",
    "Content-Type", "X-Mailer",   "User-Agent", "Content-Transfer-Encoding",
    "X-Priority",   "Importance", "X-MimeOLE",  "List-Unsubscribe"};

// Bounds in bytes, so that no section of the view pushes another one out.
constexpr std::size_t kFieldBytes = 512;  // of one value
constexpr std::size_t kFieldsBytes = 2048;
constexpr std::size_t kPartsBytes = 1024;
constexpr std::size_t kUrlBytes = 256;  // of one
constexpr std::size_t kUrlsBytes = 1536;
// A field of which there are more is irregular, which is evidence of its own.
constexpr std::size_t kMostOfOneField = 2;

// Appends the text without control characters, white space folded to one line end or one
// blank, until `out` has `most` bytes.
void append_folded(std::string& out, std::string_view text, std::size_t most) {
  if (out.size() >= most) return;
  std::size_t at = out.size();
  most = std::min(most, at + text.size() + 1);
  out.resize(most);
  char space = '\0';  // what the white space since the last character becomes
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ') {
      space = c == '\n' || space == '\n' ? '\n' : ' ';
      continue;
    }
    if (space != '\0' && at > 0 && out[at - 1] != '\n') {
      out[at++] = space;
      if (at == most) break;
    }
    space = '\0';
    out[at++] = c;
    if (at == most) break;
  }
  out.resize(at);
}

void append_line(std::string& out, std::string_view start, std::string_view text,
                 std::size_t most_text, std::size_t most) {
  if (out.size() + start.size() >= most) return;
  out += start;
  append_folded(out, text, std::min(out.size() + most_text, most));
  out += '\n';
}

void append_fields(std::string& out, const Message& message) {
  for (const std::string_view name : kFields) {
    std::size_t count = 0;
    for (const Field& field : message.fields) {
      if (!iequals(field.name, name) || ++count > kMostOfOneField) continue;
      std::string value = decode_words(field.value);
      if (name == "Subject") value = without_verdicts(value);
      append_line(out, std::string(name) + ": ", value, kFieldBytes, kFieldsBytes);
    }
  }
}

void append_parts(std::string& out, const Message& message) {
  const std::size_t most = out.size() + kPartsBytes;
  for (const PartInfo& part : message.parts) {
    std::string line = part.type;
    if (part.uuencoded) line += " uuencoded";
    for (const std::string& name : part.file_names) line += " name=" + name;
    append_line(out, "@part ", line, kFieldBytes, most);
  }
}

std::string urls_of(const Html& html) {
  std::string out;
  for (const Link& link : html.links) {
    append_line(out, "@url ", link.target, kUrlBytes, kUrlsBytes);
  }
  for (const std::string& url : html.image_urls) {
    append_line(out, "@image ", url, kUrlBytes, kUrlsBytes);
  }
  return out;
}

// The plain text and what HTML shows.  If both are there and long, each gets half:
// neither can be a decoy for the other.
void append_text(std::string& out, const Message& message, std::size_t most) {
  std::string html;
  append_folded(html, message.html.visible, most - out.size());
  const std::size_t half = out.size() + (most - out.size()) / 2;
  const std::size_t left = most - std::min(most, html.size() + 1);
  append_folded(out, message.plain, std::max(half, left));
  out += '\n';
  append_folded(out, html, most);
  out += '\n';
}

}  // namespace

View view_of(const Message& message) {
  View view;
  append_fields(view.common, message);
  append_parts(view.common, message);
  if (message.html.hidden > 0) {
    view.common +=
        "@hidden " + std::to_string(std::bit_width(message.html.hidden)) + '\n';
  }
  append_text(view.text, message, kTextBytes - 2);
  const std::string urls = urls_of(message.html);
  const std::size_t most = kViewBytes - std::min(kViewBytes, urls.size() + 2);
  view.whole.reserve(kViewBytes + 256);
  view.whole = view.common;
  if (view.common.size() + view.text.size() < most) {
    view.whole += view.text;
  } else {
    append_text(view.whole, message, most);
  }
  view.whole += urls;
  view.whole.resize(std::min(view.whole.size(), kViewBytes));
  view.common += urls;
  return view;
}

std::string structured_view(const Message& message) {
  return view_of(message).whole;
}

}  // namespace mxfeed::spam
