// SPDX-License-Identifier: GPL-2.0-or-later
//
// Answers questions from the text of a zone.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "common/net/dns.h"

namespace mxfeed {

// Lines "NAME TYPE DATA"; "NAME fails" is a name that no server answers for.
class Zone : public dns::Lookup {
 public:
  explicit Zone(const std::string& text,
                std::chrono::seconds ttl = std::chrono::seconds(3600))
      : ttl_(ttl) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) add(line);
  }

  dns::Answer ask(const dns::Question& question) override {
    if (failing_.contains(question.name())) {
      return dns::Answer::temporary(dns::Trouble::timed_out);
    }
    const auto found = records_.find({question.name(), question.type()});
    return found == records_.end() ? dns::Answer::absent(false, std::chrono::seconds(0))
                                   : dns::Answer::found(found->second, ttl_);
  }

 private:
  void add(const std::string& line) {
    std::istringstream words(line);
    std::string name, type;
    words >> name >> type;
    if (type == "fails") {
      failing_.insert(name);
    } else if (type == "MX") {
      dns::MailExchange exchange{};
      words >> exchange.preference >> exchange.host;
      if (exchange.host == ".") exchange.host.clear();
      records_[{name, dns::RecordType::mx}].push_back(exchange);
    } else if (type == "A" || type == "AAAA") {
      std::string address;
      words >> address;
      records_[{name, type == "A" ? dns::RecordType::a : dns::RecordType::aaaa}]
          .push_back(*IpAddress::parse(address));
    } else if (type == "CNAME") {
      std::string host;
      words >> host;
      records_[{name, dns::RecordType::cname}].push_back(dns::HostName{host});
    } else if (type == "TXT") {
      std::string text;
      std::getline(words >> std::ws, text);
      records_[{name, dns::RecordType::txt}].push_back(dns::Text{text});
    }
  }

  const std::chrono::seconds ttl_;
  std::map<std::pair<std::string, dns::RecordType>, std::vector<dns::Record>> records_;
  std::set<std::string> failing_;
};

}  // namespace mxfeed
