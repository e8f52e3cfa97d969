// SPDX-License-Identifier: GPL-2.0-or-later
//
// Labelled mails for the benches of the content model, read from a list on standard
// input: lines "PATH<TAB>NAME<TAB>ham|spam<TAB>FOLD<TAB>TIME" (tests/bench/spam).

#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "common/base/digest.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "milters/spam/evidence/groups.h"
#include "milters/spam/model/content.h"
#include "milters/spam/model/progress.h"

namespace mxfeed::spam::bench {

struct Mail {
  std::string name;
  bool is_spam = false;
  unsigned fold = 0;
  std::uint64_t time = 0;
  std::string bytes;
  SampleId id{};
  Content content;
  GroupValues sums;  // all evidence but the content

  MailLesson mail_lesson(const Rate& rate = {}) const {
    return {id, is_spam ? Label::spam : Label::ham, rate, &content, sums};
  }
  Lesson lesson(const Rate& rate = {}) const {
    return {id, is_spam ? Label::spam : Label::ham, rate, content.features};
  }
};

inline SampleId id_of(const std::string& name) {
  SampleId id;
  const std::string bytes = digest(name, id.size());
  std::copy(bytes.begin(), bytes.end(), id.begin());
  return id;
}

// Throws Fault for a list or a mail that cannot be read.
inline std::vector<Mail> read_corpus(std::istream& list) {
  const Sources all = sources();
  std::vector<Mail> mails;
  std::string line;
  while (std::getline(list, line)) {
    const auto cells = split(line, '\t');
    if (cells.size() != 5) throw Fault("read list", line, "not five cells");
    Mail mail;
    mail.name = cells[1];
    mail.is_spam = cells[2] == "spam";
    mail.fold = static_cast<unsigned>(parse_unsigned(cells[3]).value_or(0));
    mail.time = parse_unsigned(cells[4]).value_or(0);
    mail.bytes = read_file(std::string(cells[0])).value_or("");
    mail.id = id_of(mail.name);
    // Received when it was sent, so that no date is in the future.
    const Message message =
        read_message(mail.bytes, Time(std::chrono::seconds(mail.time)));
    mail.content = content_of(message);
    mail.sums = group_sums(judge(all, message));
    mails.push_back(std::move(mail));
  }
  return mails;
}

}  // namespace mxfeed::spam::bench
