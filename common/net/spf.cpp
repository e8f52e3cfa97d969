// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/spf.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/net/spf_macro.h"

namespace mxfeed::spf {
namespace {

using dns::Answer;
using dns::Question;
using dns::RecordType;

constexpr std::size_t kMaxProblem = 300;

// Ends an evaluation: a temperror or permerror anywhere is the result of the whole (4.6).
struct Error {
  Result result;
  std::string problem;
};

// The result of check_host() for one domain (4).
struct HostResult {
  Result result = Result::none;
  std::string domain;  // of the record that decided: after redirects the last
  std::string mechanism;
  std::optional<std::string> explanation;  // the domain-spec of exp
  std::string problem;
};

// 4.3: at least two labels, none empty or too long.
bool is_checkable(std::string_view domain) {
  return domain.find('.') != std::string_view::npos && !domain.starts_with('[') &&
         Question::parse(domain, RecordType::txt).has_value();
}

// Lower case, A-labels, no final dot; as it was if it is no domain.
std::string normalized(std::string_view domain) {
  if (!is_ascii(domain)) {
    const auto parsed = Domain::parse(domain);
    return parsed ? parsed->str() : std::string(domain);
  }
  if (domain.ends_with('.')) domain.remove_suffix(1);
  return ascii_lower(domain);
}

// No sender has a whole /8 of IPv4, or a /16 of IPv6.
constexpr unsigned kWidestV4 = 9;
constexpr unsigned kWidestV6 = 17;

bool is_open(const Directive& directive, bool is_v4) {
  const unsigned least = is_v4 ? kWidestV4 : kWidestV6;
  switch (directive.type) {
    case MechanismType::all:
      return true;
    case MechanismType::ip4:
    case MechanismType::ip6:
      return directive.network && directive.network->bits < least;
    case MechanismType::a:
    case MechanismType::mx:
      return (is_v4 ? directive.v4_bits : directive.v6_bits) < least;
    case MechanismType::exists: {
      const std::string spec = ascii_lower(directive.domain_spec);
      return spec.find("%{i") == std::string::npos &&
             spec.find("%{p") == std::string::npos;
    }
    case MechanismType::include:
    case MechanismType::ptr:
      return false;
  }
  return false;
}

bool is_within(std::string_view name, std::string_view domain) {
  return name == domain || (name.size() > domain.size() && name.ends_with(domain) &&
                            name[name.size() - domain.size() - 1] == '.');
}

class Evaluation {
 public:
  Evaluation(const Session& session, std::string local_part, std::string sender_domain,
             dns::Lookup& lookup)
      : session_(session),
        local_part_(std::move(local_part)),
        sender_domain_(std::move(sender_domain)),
        lookup_(lookup) {}

  Verdict check() {
    HostResult host;
    try {
      host = check_host(sender_domain_);
    } catch (const Error& error) {
      host.result = error.result;
      host.problem = error.problem;
    }
    Verdict verdict;
    verdict.result = host.result;
    verdict.domain = sender_domain_;
    verdict.mechanism = host.mechanism;
    verdict.is_open = is_open_;
    verdict.problem = host.problem.substr(0, kMaxProblem);
    if (host.result == Result::fail && host.explanation) {
      verdict.explanation = explain(*host.explanation, host.domain);
    }
    return verdict;
  }

 private:
  HostResult check_host(const std::string& domain) {
    HostResult host;
    host.domain = domain;
    const std::optional<SpfRecord> record = fetch(domain, host.problem);
    if (!record) return host;
    for (const Directive& directive : record->directives) {
      if (!matches(directive, domain)) continue;
      // Of an include it is known from the record that is included.
      if (directive.type != MechanismType::include) {
        is_open_ = is_open(directive, session_.ip.is_v4());
      }
      host.result = directive.result;
      host.mechanism = directive.mechanism;
      host.explanation = record->explanation;
      return host;
    }
    if (record->redirect) return redirected(*record->redirect, domain);
    host.result = Result::neutral;  // 4.7
    return host;
  }

  // 4.4, 4.5; nothing if the domain has no record.
  std::optional<SpfRecord> fetch(const std::string& domain, std::string& problem) {
    const auto question = Question::parse(domain, RecordType::txt);
    if (!question || !is_checkable(domain)) {
      problem = domain + ": not a domain with two labels or more";
      return std::nullopt;
    }
    const Answer answer = asked(*question);
    std::vector<std::string> records;
    for (dns::Text& text : answer.all<dns::Text>()) {
      if (is_spf_record(text.text)) records.push_back(std::move(text.text));
    }
    if (records.empty()) {
      problem = domain + ": no SPF record";
      return std::nullopt;
    }
    if (records.size() > 1) permanent(domain, "more than one SPF record");
    std::string wrong;
    auto record = parse_record(records[0], wrong);
    if (!record) permanent(domain, wrong);
    return record;
  }

  // 6.1.
  HostResult redirected(const std::string& domain_spec, const std::string& domain) {
    count_term(domain);
    const std::string target = expanded(domain_spec, domain);
    HostResult host = check_host(target);
    if (host.result == Result::none) {
      permanent(domain, "redirect to a domain without an SPF record: " + target);
    }
    return host;
  }

  // 5.
  bool matches(const Directive& directive, const std::string& domain) {
    switch (directive.type) {
      case MechanismType::all:
        return true;
      case MechanismType::ip4:
      case MechanismType::ip6:
        return directive.network && directive.network->contains(session_.ip);
      case MechanismType::include:
        count_term(domain);
        return includes(directive, domain);
      case MechanismType::a:
        count_term(domain);
        return has_client(directive, address_of(target(directive, domain), true));
      case MechanismType::mx:
        count_term(domain);
        return matches_mx(directive, domain);
      case MechanismType::ptr:
        count_term(domain);
        return matches_ptr(target(directive, domain));
      case MechanismType::exists:
        count_term(domain);
        return exists(target(directive, domain));
    }
    return false;
  }

  // 5.2.
  bool includes(const Directive& directive, const std::string& domain) {
    const std::string included = target(directive, domain);
    switch (check_host(included).result) {
      case Result::pass:
        return true;
      case Result::fail:
      case Result::softfail:
      case Result::neutral:
        return false;
      case Result::none:
      case Result::temperror:
      case Result::permerror:
        break;
    }
    permanent(domain, "include of a domain without an SPF record: " + included);
  }

  // 5.4.
  bool matches_mx(const Directive& directive, const std::string& domain) {
    const std::string name = target(directive, domain);
    const auto question = Question::parse(name, RecordType::mx);
    if (!question) return false;
    const auto exchanges = primary(*question).all<dns::MailExchange>();
    if (exchanges.size() > kMaxNames) permanent(name, "more than 10 MX records");
    return std::any_of(exchanges.begin(), exchanges.end(),
                       [&](const dns::MailExchange& exchange) {
                         return has_client(directive, address_of(exchange.host, false));
                       });
  }

  // 5.5.
  bool matches_ptr(const std::string& domain) {
    const auto& names = validated_names();
    if (is_reverse_void_) count_void(domain);
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return is_within(name, domain); });
  }

  // 5.7: of type A whatever the client's family.
  bool exists(const std::string& name) {
    const auto question = Question::parse(name, RecordType::a);
    return question && primary(*question).is_found();
  }

  // The addresses of the client's family.
  std::vector<IpAddress> address_of(const std::string& name, bool is_primary) {
    const auto question =
        Question::parse(name, session_.ip.is_v4() ? RecordType::a : RecordType::aaaa);
    if (!question) return {};
    return (is_primary ? primary(*question) : asked(*question)).all<IpAddress>();
  }

  bool has_client(const Directive& directive, const std::vector<IpAddress>& addresses) {
    const unsigned bits = session_.ip.is_v4() ? directive.v4_bits : directive.v6_bits;
    return std::any_of(addresses.begin(), addresses.end(), [&](const IpAddress& address) {
      return session_.ip.is_within(address, bits);
    });
  }

  // The names of the client that have its address (5.5); asked for once.
  const std::vector<std::string>& validated_names() {
    if (validated_names_) return *validated_names_;
    validated_names_.emplace();
    const auto question =
        Question::parse(dns::reverse_name(session_.ip), RecordType::ptr);
    const Answer answer = question ? lookup_.ask(*question) : Answer{};
    is_reverse_void_ = answer.is_absent();
    auto names = answer.all<dns::HostName>();
    if (names.size() > kMaxNames) names.resize(kMaxNames);
    for (const dns::HostName& host : names) {
      const auto forward = Question::parse(
          host.name, session_.ip.is_v4() ? RecordType::a : RecordType::aaaa);
      if (!forward) continue;
      const auto addresses = lookup_.ask(*forward).all<IpAddress>();
      if (std::find(addresses.begin(), addresses.end(), session_.ip) != addresses.end()) {
        validated_names_->push_back(host.name);
      }
    }
    return *validated_names_;
  }

  // %{p}, 7.3: the domain itself, else a name within it, else any.
  std::string validated_name(const std::string& domain) {
    const auto& names = validated_names();
    if (names.empty()) return "unknown";
    const auto same = std::find(names.begin(), names.end(), domain);
    if (same != names.end()) return *same;
    const auto within =
        std::find_if(names.begin(), names.end(),
                     [&](const std::string& name) { return is_within(name, domain); });
    if (within != names.end()) return *within;
    return names.front();
  }

  MacroValues values(const std::string& domain) {
    return {local_part_ + "@" + sender_domain_,
            local_part_,
            sender_domain_,
            domain,
            session_.ip,
            [this, domain] { return validated_name(domain); },
            session_.helo,
            session_.receiver,
            session_.time};
  }

  std::string expanded(const std::string& domain_spec, const std::string& domain) {
    const auto name = expand_domain(domain_spec, values(domain));
    if (!name) permanent(domain, "macros expand to too long a name");
    return ascii_lower(*name);
  }

  std::string target(const Directive& directive, const std::string& domain) {
    return directive.domain_spec.empty() ? domain
                                         : expanded(directive.domain_spec, domain);
  }

  // 6.2: whatever goes wrong, there is no explanation.
  std::string explain(const std::string& domain_spec, const std::string& domain) {
    const auto name = expand_domain(domain_spec, values(domain));
    if (!name) return "";
    const auto question = Question::parse(*name, RecordType::txt);
    if (!question) return "";
    const auto texts = lookup_.ask(*question).all<dns::Text>();
    if (texts.size() != 1) return "";
    auto text = expand(texts[0].text, MacroPlace::explanation, values(domain));
    // A local part or a HELO name may bring in what is not ASCII.
    const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
    if (!text || !std::all_of(text->begin(), text->end(), is_printable)) return "";
    if (text->size() > kMaxExplanation) text->resize(kMaxExplanation);
    return *text;
  }

  // An answer that is not temporary.
  Answer asked(const Question& question) {
    Answer answer = lookup_.ask(question);
    if (answer.is_temporary()) {
      throw Error{Result::temperror, question.name() + ": " +
                                         std::string(to_string(question.type())) + ": " +
                                         std::string(to_string(answer.trouble))};
    }
    return answer;
  }

  // The first question of a term.
  Answer primary(const Question& question) {
    Answer answer = asked(question);
    if (answer.is_absent()) count_void(question.name());
    return answer;
  }

  // 4.6.4.
  void count_term(const std::string& domain) {
    if (++terms_ > kMaxTerms) permanent(domain, "more than 10 terms that ask the DNS");
  }
  void count_void(const std::string& domain) {
    if (++voids_ > kMaxVoidLookups) {
      permanent(domain, "more than 2 terms name what does not exist");
    }
  }

  [[noreturn]] static void permanent(const std::string& domain,
                                     const std::string& problem) {
    throw Error{Result::permerror, domain + ": " + problem};
  }

  const Session& session_;
  const std::string local_part_;
  const std::string sender_domain_;
  dns::Lookup& lookup_;
  std::optional<std::vector<std::string>> validated_names_;
  bool is_reverse_void_ = false;
  bool is_open_ = false;  // of the last mechanism that matched
  unsigned terms_ = 0;
  unsigned voids_ = 0;
};

constexpr std::string_view kPostmaster = "postmaster";  // 4.3

}  // namespace

Verdict check_mail_from(const Session& session, dns::Lookup& lookup) {
  if (session.sender.empty()) return check_helo(session, lookup);
  const std::size_t at = session.sender.rfind('@');
  const std::string_view sender = session.sender;
  const std::string_view local_part = at == std::string::npos ? "" : sender.substr(0, at);
  const std::string_view domain =
      at == std::string::npos ? sender : sender.substr(at + 1);
  return Evaluation(session, std::string(local_part.empty() ? kPostmaster : local_part),
                    normalized(domain), lookup)
      .check();
}

Verdict check_helo(const Session& session, dns::Lookup& lookup) {
  return Evaluation(session, std::string(kPostmaster), normalized(session.helo), lookup)
      .check();
}

}  // namespace mxfeed::spf
