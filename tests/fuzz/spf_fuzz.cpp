// SPDX-License-Identifier: GPL-2.0-or-later
//
// A session and a zone, a line each: the client's address, the HELO name, the sender;
// then "NAME TYPE VALUE".  The same text is read as an SPF record and as a text with
// macros.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/net/spf.h"
#include "common/net/spf_macro.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace mxfeed;
using fuzz::require;

class Zone : public dns::Lookup {
 public:
  void add(std::string_view line) {
    const std::size_t type_at = line.find(' ');
    if (type_at == line.npos) return;
    const std::size_t value_at = std::min(line.find(' ', type_at + 1), line.size());
    const auto type = line.substr(type_at + 1, value_at - type_at - 1);
    const std::string value(line.substr(std::min(value_at + 1, line.size())));
    const auto name = line.substr(0, type_at);
    if (type == "TXT") {
      put(name, dns::RecordType::txt, dns::Text{value});
    } else if (type == "MX") {
      put(name, dns::RecordType::mx, dns::MailExchange{10, ascii_lower(value)});
    } else if (type == "PTR") {
      put(name, dns::RecordType::ptr, dns::HostName{ascii_lower(value)});
    } else if (type == "A") {
      if (const auto ip = IpAddress::parse(value)) {
        put(name, ip->is_v4() ? dns::RecordType::a : dns::RecordType::aaaa, *ip);
      }
    } else if (type == "LOST") {
      if (auto question = dns::Question::parse(name, dns::RecordType::a)) {
        answers_[*question];
      }
    }
  }

  dns::Answer ask(const dns::Question& question) override {
    ++questions;
    const auto found = answers_.find(question);
    if (found == answers_.end()) return dns::Answer::absent(true, {});
    if (found->second.empty()) return dns::Answer::temporary(dns::Trouble::timed_out);
    return dns::Answer::found(found->second, {});
  }

  unsigned questions = 0;

 private:
  void put(std::string_view name, dns::RecordType type, dns::Record record) {
    if (const auto question = dns::Question::parse(name, type)) {
      answers_[*question].push_back(std::move(record));
    }
  }
  std::map<dns::Question, std::vector<dns::Record>> answers_;
};

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c <= '~'; });
}

void check_macros(std::string_view text) {
  using spf::MacroPlace;
  const spf::MacroValues values{"a+b@Sub.D.example",
                                "a+b",
                                "Sub.D.example",
                                "d.example",
                                IpAddress::parse("2001:db8::1").value(),
                                [] { return std::string("unknown"); },
                                "h.example",
                                "r.example",
                                Time{}};
  for (const auto place :
       {MacroPlace::domain, MacroPlace::explanation, MacroPlace::modifier}) {
    const auto expanded = spf::expand(text, place, values);
    if (!spf::is_macro_string(text, place)) {
      require(!expanded, "only what is well-formed is expanded");
    } else if (text.size() < 1024) {
      require(expanded && is_printable(*expanded), "what is well-formed is expanded");
    }
  }
  if (!spf::is_domain_spec(text)) return;
  require(spf::is_macro_string(text, MacroPlace::domain), "a domain-spec has macros");
  const auto name = spf::expand_domain(text, values);
  require(text.size() >= 1024 || name.has_value(), "a domain-spec stands for a name");
  if (name && name->size() > 253) {
    require(name->find('.') == name->npos, "a name is cut where it can be");
  }
}

void check_record(std::string_view text) {
  std::string problem;
  const auto record = spf::parse_record(text, problem);
  require(record.has_value() == problem.empty(), "what is malformed has a problem");
  require(problem.size() < 200, "problems are bounded");
  if (!record) return;
  for (const auto& directive : record->directives) {
    require(is_printable(directive.mechanism), "mechanisms are printable");
    require(directive.domain_spec.empty() || spf::is_domain_spec(directive.domain_spec),
            "domains are domain-specs");
    require(directive.v4_bits <= 32 && directive.v6_bits <= 128, "prefixes are bounded");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text(data, size);
  check_macros(text);
  check_record(text);

  const auto lines = split(text, '\n');
  if (lines.size() < 4) return 0;
  const auto ip = IpAddress::parse(lines[0]);
  if (!ip) return 0;
  Zone zone;
  for (std::size_t i = 3; i < lines.size(); ++i) {
    zone.add(lines[i]);
    check_record(lines[i]);
  }
  const spf::Session session{*ip, std::string(lines[1]), std::string(lines[2])};
  for (const auto check : {spf::check_mail_from, spf::check_helo}) {
    zone.questions = 0;
    const spf::Verdict verdict = check(session, zone);
    // A record for each of 10 terms and one more, 10 names a term, those of the client
    // once, an explanation.
    require(zone.questions <= 11 + 10 * 11 + 11 + 1, "questions are bounded");
    require(verdict.explanation.size() <= spf::kMaxExplanation,
            "explanations are bounded");
    require(is_printable(verdict.explanation), "explanations are printable");
    require(verdict.explanation.empty() || verdict.result == spf::Result::fail,
            "only a fail is explained");
    require(verdict.problem.size() <= 300, "problems are bounded");
    require(verdict.problem.empty() == (verdict.result != spf::Result::none &&
                                        verdict.result != spf::Result::temperror &&
                                        verdict.result != spf::Result::permerror),
            "what is not known has a problem");
  }
  return 0;
}
