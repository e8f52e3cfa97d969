// SPDX-License-Identifier: GPL-2.0-or-later
//
// DNS data of a test, asked without a network.

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/net/dns.h"

namespace mxfeed::dns {

class Zone : public Lookup {
 public:
  Zone& add(std::string_view name, RecordType type, Record record) {
    answers_[question(name, type)].push_back(std::move(record));
    names_[question(name, type).name()] = true;
    return *this;
  }
  Zone& add(std::string_view name, std::string_view text) {
    return add(name, RecordType::txt, Text{std::string(text)});
  }
  Zone& add_address(std::string_view name, std::string_view address) {
    const auto ip = IpAddress::parse(address);
    return add(name, address.find(':') == address.npos ? RecordType::a : RecordType::aaaa,
               ip.value());
  }
  Zone& time_out(std::string_view name, RecordType type) {
    timeouts_[question(name, type)] = true;
    return *this;
  }

  Answer ask(const Question& asked) override {
    ++questions_;
    if (timeouts_.count(asked) != 0) return Answer::temporary(Trouble::timed_out);
    if (const auto found = answers_.find(asked); found != answers_.end()) {
      return Answer::found(found->second, std::chrono::seconds{60});
    }
    const auto alias = answers_.find(question(asked.name(), RecordType::cname));
    if (alias != answers_.end()) {
      return ask(question(std::get<HostName>(alias->second.front()).name, asked.type()));
    }
    return Answer::absent(names_.count(asked.name()) != 0, std::chrono::seconds{60});
  }

  unsigned questions() const { return questions_; }

 private:
  static Question question(std::string_view name, RecordType type) {
    return Question::parse(name, type).value();
  }

  std::map<Question, std::vector<Record>> answers_;
  std::map<std::string, bool> names_;
  std::map<Question, bool> timeouts_;
  unsigned questions_ = 0;
};

}  // namespace mxfeed::dns
