// SPDX-License-Identifier: GPL-2.0-or-later
//
// Weights are half of what rules of the kind are worth in points where 5 or 6 points are
// spam, changed where the corpora of today or ham in them say otherwise; mxfeed-spam(8)
// lists them.
#include "milters/spam/evidence/evidence.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>

#include "common/base/text.h"
#include "common/mail/charset.h"
#include "common/mail/date.h"
#include "common/mail/mailbox.h"
#include "common/mail/words.h"

namespace mxfeed::spam {
namespace {

constexpr std::chrono::hours kFuture{12};
constexpr std::size_t kManyHidden =
    400;  // bytes; a preview line of a newsletter has less
constexpr std::size_t kShortText = 200;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool has_high_bit(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

std::string_view domain_part(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == address.npos ? std::string_view{} : address.substr(at + 1);
}

// The part of a host name that somebody registered, nearly: the last two labels, three
// below the likes of "co.uk".
std::string_view registered(std::string_view host) {
  std::size_t dot = host.rfind('.');
  if (dot == host.npos || dot == 0) return host;
  std::size_t before = host.rfind('.', dot - 1);
  if (before == host.npos) return host;
  const std::size_t second = dot - before - 1;
  if (host.size() - dot - 1 == 2 && second <= 3 && before > 0) {
    before = host.rfind('.', before - 1);
    if (before == host.npos) return host;
  }
  return host.substr(before + 1);
}

// An address in the display name, of another domain than the mailbox's: it is what many
// programs show in its place.
bool shows_other_address(const Mailbox& mailbox) {
  const std::string display = ascii_lower(mailbox.display);
  if (display.find(" via ") != display.npos) return false;
  const std::size_t at = display.find('@');
  if (at == display.npos || at == 0 || at + 1 >= display.size()) return false;
  std::size_t end = at + 1;
  while (end < display.size() && (is_letter(display[end]) || is_digit(display[end]) ||
                                  display[end] == '-' || display[end] == '.')) {
    ++end;
  }
  const std::string_view shown =
      trim(std::string_view(display).substr(at + 1, end - at - 1));
  if (shown.find('.') == shown.npos) return false;
  return registered(shown) != registered(ascii_lower(domain_part(mailbox.address)));
}

bool is_list_mail(const Message& message) {
  for (const char* name : {"List-Id", "List-Post", "List-Unsubscribe", "Mailing-List",
                           "X-Mailing-List", "X-BeenThere"}) {
    if (message.find(name) != nullptr) return true;
  }
  const std::string* precedence = message.find("Precedence");
  return precedence != nullptr && iequals(trim(*precedence), "list");
}

// At least two words, eight letters, none of them small.
bool shouts(std::string_view text) {
  std::size_t letters = 0;
  bool blank = false;
  for (const char c : text) {
    if (is_lower(c) || static_cast<unsigned char>(c) >= 0x80) return false;
    if (is_letter(c)) ++letters;
    blank |= c == ' ' && letters > 0;
  }
  return letters >= 8 && blank;
}

std::string_view extension(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == name.npos ? std::string_view{} : name.substr(dot + 1);
}

bool is_executable(std::string_view extension) {
  static constexpr std::string_view kNames[] = {
      "exe", "scr", "pif", "com", "bat", "cmd", "vbs", "vbe", "jse", "wsf", "wsh",
      "hta", "cpl", "msi", "jar", "lnk", "ps1", "reg", "chm", "iso", "img", "one"};
  return std::find(std::begin(kNames), std::end(kNames), extension) != std::end(kNames);
}

bool is_harmless(std::string_view extension) {
  static constexpr std::string_view kNames[] = {
      "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt",
      "rtf", "jpg", "jpeg", "png", "gif",  "bmp", "mp3",  "mp4",
      "avi", "mpg", "wav",  "htm", "html", "csv", "zip"};
  return std::find(std::begin(kNames), std::end(kNames), extension) != std::end(kNames);
}

bool is_ip_literal(std::string_view host) {
  if (host.starts_with('[')) return true;
  return !host.empty() && std::all_of(host.begin(), host.end(),
                                      [](char c) { return is_digit(c) || c == '.'; });
}

// A text that says where it leads: "www.bank.example", "https://bank.example/login".
std::string host_shown(std::string_view text) {
  text = trim(text);
  if (text.find(' ') != text.npos) return "";
  const std::string host = host_of(text);
  return host.find('.') == host.npos ? "" : host;
}

}  // namespace

std::string_view name_of(Group group) {
  switch (group) {
    case Group::header:
      return "header";
    case Group::mime:
      return "mime";
    case Group::url:
      return "url";
    case Group::list:
      return "list";
    case Group::test:
      return "test";
  }
  return "?";
}

void HeaderSource::judge(const Message& message, std::vector<Evidence>& findings) const {
  const auto found = [&](std::string_view slug, double logit) {
    findings.push_back({slug, Group::header, logit});
  };
  const bool list = is_list_mail(message);
  if (list) findings.push_back({"list-mail", Group::list, -0.5});

  if (const std::string* date = message.find("Date"); date == nullptr) {
    found("date-missing", 1.0);
  } else if (const auto time = parse_date(*date); !time) {
    found("date-invalid", 0.75);
  } else if (*time > message.received + kFuture) {
    found("date-future", 1.5);
  }

  if (const std::string* id = message.find("Message-ID"); id == nullptr) {
    found("message-id-missing", 0.75);
  } else {
    const std::string_view text = trim(*id);
    if (!text.starts_with('<') || !text.ends_with('>') || text.find('@') == text.npos) {
      found("message-id-invalid", 0.5);
    }
  }

  const std::string* to = message.find("To");
  if (to == nullptr && message.find("Cc") == nullptr && message.find("Bcc") == nullptr) {
    found("to-missing", 0.75);
  }
  if (to != nullptr && ascii_lower(*to).find("undisclosed") != std::string::npos) {
    found("to-undisclosed", 0.75);
  }

  const std::size_t from_fields = message.count("From");
  const std::string* from = message.find("From");
  std::vector<Mailbox> authors;
  if (from == nullptr) {
    found("from-missing", 1.5);
  } else {
    authors = parse_mailboxes(*from, 10);
    if (from_fields > 1) found("from-several", 2.5);
    const std::string_view domain =
        authors.empty() ? std::string_view{} : domain_part(authors.front().address);
    if (domain.empty()) {
      found("from-invalid", 1.0);
    } else if (!list &&
               std::any_of(authors.begin(), authors.end(), shows_other_address)) {
      found("from-shows-other-address", 2.0);
    }
    if (has_high_bit(*from)) found("from-8bit", is_utf8(*from) ? 0.25 : 0.5);
  }

  // RFC 5322, 3.6: at most once.
  for (const char* name : {"Date", "Subject", "To", "Cc", "Message-ID", "Reply-To"}) {
    if (message.count(name) > 1) {
      found("field-twice", 1.5);
      break;
    }
  }

  if (const std::string* reply = message.find("Reply-To"); reply != nullptr && !list) {
    const std::vector<Mailbox> replies = parse_mailboxes(*reply, 1);
    const std::vector<Mailbox> tos =
        to ? parse_mailboxes(*to, 1) : std::vector<Mailbox>{};
    if (!replies.empty() && !tos.empty() && !authors.empty() &&
        iequals(replies.front().address, tos.front().address) &&
        !iequals(replies.front().address, authors.front().address)) {
      found("reply-to-recipient", 1.0);
    }
  }

  if (const std::string* raw = message.find("Subject"); raw == nullptr) {
    found("subject-missing", 0.75);
  } else {
    const std::string subject = decode_words(*raw);
    if (subject.empty()) found("subject-empty", 0.25);
    if (has_high_bit(*raw)) found("subject-8bit", is_utf8(*raw) ? 0.25 : 0.75);
    if (shouts(subject)) found("subject-capitals", 1.0);
    if (subject.ends_with('!')) found("subject-exclaims", 0.5);
    if (subject.find('$') != subject.npos) found("subject-money", 0.5);
    const std::string lower = ascii_lower(subject);
    if (lower.find("http://") != lower.npos || lower.find("https://") != lower.npos) {
      found("subject-url", 1.0);
    }
    if (lower.starts_with("re:") && !list && message.find("In-Reply-To") == nullptr &&
        message.find("References") == nullptr) {
      found("subject-fake-reply", 0.25);
    }
  }

  if (const std::string* priority = message.find("X-Priority")) {
    if (trim(*priority).starts_with('1')) found("priority-high", 0.5);
  }
}

void MimeSource::judge(const Message& message, std::vector<Evidence>& findings) const {
  using mime::Anomaly;
  const auto found = [&](std::string_view slug, double logit) {
    findings.push_back({slug, Group::mime, logit});
  };
  // A cut message looks damaged at its end.
  const auto damaged = [&](std::initializer_list<Anomaly> anomalies) {
    return std::any_of(anomalies.begin(), anomalies.end(),
                       [&](Anomaly anomaly) { return message.anomalies.has(anomaly); });
  };
  if (damaged({Anomaly::duplicate_field, Anomaly::missing_boundary,
               Anomaly::part_after_end, Anomaly::encoded_container,
               Anomaly::malformed_type}) ||
      (message.whole && message.anomalies.has(Anomaly::no_parts))) {
    found("mime-broken", 1.0);
  }
  if (message.anomalies.exceeded() && message.whole) found("mime-excessive", 1.5);
  if (damaged({Anomaly::bad_base64, Anomaly::unknown_encoding, Anomaly::boundary_prefix,
               Anomaly::header_without_end, Anomaly::odd_boundary})) {
    found("mime-odd", 0.5);
  }

  const bool has_html = !message.html_source.empty();
  const bool has_plain = std::any_of(
      message.parts.begin(), message.parts.end(),
      [](const PartInfo& part) { return part.type == "text/plain" && part.bytes > 0; });
  if (has_html && !has_plain) found("html-only", 0.75);
  if (message.html.hidden > kManyHidden) found("html-hidden-text", 0.75);
  if (message.html.refreshes) found("html-refresh", 2.0);
  if (message.html.has_form) found("html-form", 0.5);
  if (message.html.images > 0 && !message.html.links.empty() && !has_plain &&
      trim(message.html.visible).size() < kShortText) {
    found("html-image-only", 1.0);
  }

  bool executable = false;
  bool disguised = false;
  for (const PartInfo& part : message.parts) {
    for (const std::string& name : part.file_names) {
      const std::string lower = ascii_lower(trim(name));
      const std::string_view last = extension(lower);
      if (!is_executable(last)) continue;
      executable = true;
      const std::string_view stem =
          std::string_view(lower).substr(0, lower.size() - last.size() - 1);
      disguised |= is_harmless(extension(trim(stem)));
    }
  }
  if (executable) found("attachment-executable", 1.5);
  if (disguised) found("attachment-double-extension", 1.5);
}

void UrlSource::judge(const Message& message, std::vector<Evidence>& findings) const {
  const auto found = [&](std::string_view slug, double logit) {
    findings.push_back({slug, Group::url, logit});
  };
  bool literal = false;
  bool misleads = false;
  for (const Link& link : message.html.links) {
    const std::string host = host_of(link.target);
    if (host.empty()) continue;
    literal |= is_ip_literal(host);
    const std::string shown = host_shown(link.text);
    misleads |= !shown.empty() && registered(shown) != registered(host);
  }
  if (literal) found("url-address", 0.75);
  if (misleads && !is_list_mail(message)) found("url-misleads", 0.75);

  // A body that is nothing but one URL.
  const std::string_view text = trim(message.plain);
  if (message.whole && !text.empty() && text.find_first_of(" \n") == text.npos &&
      !host_of(text).empty()) {
    found("url-only", 1.0);
  }
}

void TestSource::judge(const Message& message, std::vector<Evidence>& findings) const {
  if (message.gtube) findings.push_back({"gtube", Group::test, 20.0, true});
}

Sources sources() {
  Sources all;
  all.push_back(std::make_unique<TestSource>());
  all.push_back(std::make_unique<HeaderSource>());
  all.push_back(std::make_unique<MimeSource>());
  all.push_back(std::make_unique<UrlSource>());
  return all;
}

std::vector<Evidence> judge(const Sources& sources, const Message& message) {
  std::vector<Evidence> findings;
  for (const auto& source : sources) source->judge(message, findings);
  return findings;
}

}  // namespace mxfeed::spam
