// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <chrono>
#include <optional>

#include "common/base/text.h"
#include "common/mail/charset.h"
#include "common/mail/date.h"
#include "common/mail/words.h"
#include "milters/spam/evidence/host.h"
#include "milters/spam/evidence/table.h"

namespace mxfeed::spam {
namespace {

constexpr std::chrono::hours kFuture{12};

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool has_high_bit(std::string_view text) {
  return ascii_length(text) < text.size();
}

// At least two words and eight letters, all of them capitals.
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

std::string_view domain_part(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == address.npos ? std::string_view{} : address.substr(at + 1);
}

// Where anybody gets an address at once.
bool is_freemail(std::string_view address) {
  static constexpr std::string_view kDomains[] = {
      "163.com",        "126.com",   "aol.com",        "gmail.com",   "gmx.com",
      "gmx.de",         "gmx.net",   "googlemail.com", "hotmail.com", "icloud.com",
      "inbox.ru",       "live.com",  "mail.com",       "mail.ru",     "msn.com",
      "outlook.com",    "proton.me", "protonmail.com", "qq.com",      "rediffmail.com",
      "rocketmail.com", "web.de",    "yahoo.co.uk",    "yahoo.com",   "yahoo.fr",
      "yandex.com",     "yandex.ru", "ymail.com",      "zoho.com",    "tutanota.com"};
  const std::string domain = ascii_lower(domain_part(address));
  return std::find(std::begin(kDomains), std::end(kDomains), domain) !=
         std::end(kDomains);
}

bool has_address(const std::vector<Mailbox>& all, std::string_view address) {
  return std::any_of(all.begin(), all.end(), [&](const Mailbox& mailbox) {
    return iequals(mailbox.address, address);
  });
}

// The address in a display name: many mail programs show it instead of the real one.
std::optional<std::string> shown_address(std::string_view display) {
  const std::size_t at = display.find('@');
  if (at == display.npos) return std::nullopt;
  const std::string host = leading_host(display.substr(at + 1));
  const std::string_view before = display.substr(0, at);
  const std::size_t begin = before.find_last_of(" \t\"'<([,;:") + 1;
  if (begin == at || host.find('.') == host.npos) return std::nullopt;
  return ascii_lower(before.substr(begin)) + "@" + host;
}

// Whether the display name shows an address of another domain than the mailbox's.  Web
// forms, calendars and lists show the person they write for; web forms and calendars also
// name that address in Reply-To.
bool shows_other_address(const Mailbox& mailbox, const std::vector<Mailbox>& replies) {
  if (ascii_lower(mailbox.display).find(" via ") != std::string::npos) return false;
  const auto shown = shown_address(mailbox.display);
  if (!shown || has_address(replies, *shown)) return false;
  return !is_same_site(domain_part(*shown), leading_host(domain_part(mailbox.address)));
}

void judge_identity(const Message& message, Findings& findings) {
  if (const std::string* date = message.find("Date"); date == nullptr) {
    findings.add(evidence("date-missing"));
  } else if (const auto time = parse_date(*date); !time) {
    findings.add(evidence("date-invalid"));
  } else if (*time > message.received + kFuture) {
    findings.add(evidence("date-future"));
  }
  if (const std::string* id = message.find("Message-ID"); id == nullptr) {
    findings.add(evidence("message-id-missing"));
  } else {
    const std::string_view text = trim(*id);
    if (!text.starts_with('<') || !text.ends_with('>') || text.find('@') == text.npos) {
      findings.add(evidence("message-id-invalid"));
    }
  }
  // RFC 5322, 3.6: at most once.
  for (const char* name : {"Date", "Subject", "To", "Cc", "Message-ID", "Reply-To"}) {
    if (message.count(name) > 1) findings.add(evidence("field-twice"));
  }
}

void judge_recipients(const Message& message, Findings& findings) {
  const std::string* to = message.find("To");
  if (to == nullptr && message.find("Cc") == nullptr && message.find("Bcc") == nullptr) {
    findings.add(evidence("to-missing"));
  }
  if (to != nullptr && ascii_lower(*to).find("undisclosed") != std::string::npos) {
    findings.add(evidence("to-undisclosed"));
  }
}

void judge_author(const Message& message, Findings& findings) {
  const std::string* from = message.find("From");
  if (from == nullptr) {
    findings.add(evidence("from-missing"));
    return;
  }
  if (message.count("From") > 1) findings.add(evidence("from-several"));
  if (has_high_bit(*from)) {
    findings.add(is_utf8(*from) ? evidence("from-utf8") : evidence("from-8bit"));
  }
  const std::vector<Mailbox> authors = mailboxes(message, "From", 10);
  if (authors.empty() || domain_part(authors.front().address).empty()) {
    findings.add(evidence("from-invalid"));
    return;
  }
  if (is_list_mail(message)) return;
  const std::vector<Mailbox> replies = mailboxes(message, "Reply-To", 10);
  for (const Mailbox& author : authors) {
    if (shows_other_address(author, replies)) {
      findings.add(evidence("from-shows-other-address"));
    }
  }
  if (!replies.empty() && is_freemail(authors.front().address) &&
      is_freemail(replies.front().address) &&
      !iequals(replies.front().address, authors.front().address)) {
    findings.add(evidence("reply-to-other-freemail"));
  }
  const std::vector<Mailbox> recipients = mailboxes(message, "To", 1);
  if (!replies.empty() && !recipients.empty() &&
      iequals(replies.front().address, recipients.front().address) &&
      !iequals(replies.front().address, authors.front().address)) {
    findings.add(evidence("reply-to-recipient"));
  }
}

void judge_subject(const Message& message, std::string_view raw, Findings& findings) {
  const std::string subject = decode_words(raw);
  if (subject.empty()) findings.add(evidence("subject-empty"));
  if (has_high_bit(raw)) {
    findings.add(is_utf8(raw) ? evidence("subject-utf8") : evidence("subject-8bit"));
  }
  if (raw.find("=?") != raw.npos && is_ascii(subject) &&
      subject.find("=?") == subject.npos) {
    findings.add(evidence("subject-encoded-ascii"));
  }
  if (shouts(subject)) findings.add(evidence("subject-capitals"));
  if (subject.ends_with('!')) findings.add(evidence("subject-exclaims"));
  if (subject.find('$') != subject.npos) findings.add(evidence("subject-money"));
  const std::string lower = ascii_lower(subject);
  if (lower.find("http://") != lower.npos || lower.find("https://") != lower.npos) {
    findings.add(evidence("subject-url"));
  }
  if (lower.starts_with("re:") && !is_list_mail(message) &&
      message.find("In-Reply-To") == nullptr && message.find("References") == nullptr) {
    findings.add(evidence("subject-fake-reply"));
  }
}

}  // namespace

void HeaderSource::judge(const Message& message, Findings& findings) const {
  if (is_list_mail(message)) findings.add(evidence("list-mail"));
  // Spam is often sent to backups first.
  if (message.main_answers) findings.add(evidence("backup-while-main-answers"));
  judge_identity(message, findings);
  judge_recipients(message, findings);
  judge_author(message, findings);
  if (message.find("Subject") == nullptr) findings.add(evidence("subject-missing"));
  // If there are several subjects, mail programs show one or the other.
  for (const Field& field : message.fields) {
    if (iequals(field.name, "Subject")) judge_subject(message, field.value, findings);
  }
  const std::string* priority = message.find("X-Priority");
  if (priority != nullptr && trim(*priority).starts_with('1')) {
    findings.add(evidence("priority-high"));
  }
}

}  // namespace mxfeed::spam
