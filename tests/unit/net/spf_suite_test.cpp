// SPDX-License-Identifier: GPL-2.0-or-later
//
// The public test suite for RFC 7208, every case by its name.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/net/spf.h"
#include "tests/support/catch.h"

namespace mxfeed::spf {
namespace {

using dns::Answer;
using dns::Question;
using dns::RecordType;

constexpr std::size_t kCases = 203;

// The zone data of a scenario.  An entry "TIMEOUT" of a name stands for all types that
// come before it without a record.
class SuiteZone : public dns::Lookup {
 public:
  explicit SuiteZone(const YAML::Node& zonedata) {
    for (const auto& name : zonedata) {
      auto& entries = names_[ascii_lower(name.first.as<std::string>())];
      bool has_txt = false;
      for (const auto& entry : name.second) {
        if (entry.IsScalar()) {
          entries.push_back({"TIMEOUT", {}});
        } else {
          for (const auto& record : entry) {
            entries.push_back({record.first.as<std::string>(), record.second});
            has_txt = has_txt || entries.back().type == "TXT";
          }
        }
      }
      // An SPF record (type 99) stands for TXT unless there is one.
      for (Entry& entry : entries) {
        if (entry.type == "SPF" && !has_txt) entry.type = "TXT";
      }
    }
  }

  Answer ask(const Question& question) override { return ask(question, 0); }

 private:
  struct Entry {
    std::string type;
    YAML::Node value;
  };

  Answer ask(const Question& question, int aliases) {
    const auto name = names_.find(question.name());
    if (name == names_.end()) {
      return question.name().starts_with("error.")
                 ? Answer::temporary(dns::Trouble::timed_out)
                 : Answer::absent(false, {});
    }
    std::vector<dns::Record> records;
    const std::string type(to_string(question.type()));
    for (const Entry& entry : name->second) {
      if (entry.type == "TIMEOUT") {
        if (records.empty()) return Answer::temporary(dns::Trouble::timed_out);
        break;
      }
      if (entry.type == "CNAME" && aliases < 2) {
        const auto target =
            Question::parse(entry.value.as<std::string>(), question.type());
        return ask(target.value(), aliases + 1);
      }
      if (entry.type != type) continue;
      if (entry.value.IsScalar() && entry.value.as<std::string>() == "TIMEOUT") {
        return Answer::temporary(dns::Trouble::timed_out);
      }
      if (entry.value.IsScalar() && entry.value.as<std::string>() == "NONE") continue;
      records.push_back(record(question.type(), entry.value));
    }
    if (records.empty()) return Answer::absent(true, {});
    return Answer::found(records, {});
  }

  static dns::Record record(RecordType type, const YAML::Node& value) {
    switch (type) {
      case RecordType::a:
      case RecordType::aaaa:
        return IpAddress::parse(value.as<std::string>()).value();
      case RecordType::mx:
        return dns::MailExchange{value[0].as<std::uint16_t>(),
                                 ascii_lower(value[1].as<std::string>())};
      case RecordType::txt: {
        if (value.IsScalar()) return dns::Text{value.as<std::string>()};
        dns::Text text;
        for (const auto& part : value) text.text += part.as<std::string>();
        return text;
      }
      default:
        return dns::HostName{ascii_lower(value.as<std::string>())};
    }
  }

  std::map<std::string, std::vector<Entry>> names_;
};

std::vector<std::string> as_list(const YAML::Node& node) {
  if (node.IsScalar()) return {node.as<std::string>()};
  return node.as<std::vector<std::string>>();
}

TEST_CASE("all cases of the SPF test suite have their result", "[net]") {
  const char* const source = std::getenv("MXFEED_SOURCE");
  REQUIRE(source != nullptr);
  const auto scenarios = YAML::LoadAllFromFile(std::string(source) +
                                               "/tests/unit/net/data/rfc7208-tests.yml");
  std::size_t cases = 0;
  for (const YAML::Node& scenario : scenarios) {
    if (!scenario.IsMap()) continue;
    SuiteZone zone(scenario["zonedata"]);
    for (const auto& test : scenario["tests"]) {
      const auto name =
          scenario["description"].as<std::string>() + ": " + test.first.as<std::string>();
      const YAML::Node& wanted = test.second;
      ++cases;
      Session session{IpAddress::parse(wanted["host"].as<std::string>()).value(),
                      wanted["helo"].as<std::string>(),
                      wanted["mailfrom"].as<std::string>()};
      const Verdict verdict = check_mail_from(session, zone);
      const std::string result(to_string(verdict.result));
      const auto results = as_list(wanted["result"]);
      INFO(name << "\n" << verdict.problem);
      CAPTURE(verdict.mechanism, result, results);
      CHECK(std::find(results.begin(), results.end(), result) != results.end());
      if (const auto& explanation = wanted["explanation"]) {
        // "DEFAULT" is the explanation of the site.
        const auto text = explanation.as<std::string>();
        CHECK(verdict.explanation == (text == "DEFAULT" ? "" : text));
      }
      std::cout << name << ": " << result << '\n';
    }
  }
  CHECK(cases == kCases);
}

}  // namespace
}  // namespace mxfeed::spf
