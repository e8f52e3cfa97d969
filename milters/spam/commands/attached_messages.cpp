// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/attached_messages.h"

#include <algorithm>
#include <map>

#include "common/base/text.h"
#include "common/mail/mime/walker.h"
#include "milters/spam/evidence/message.h"

namespace mxfeed::spam {
namespace {

bool is_message(const mime::Part& part) {
  constexpr std::string_view kSuffix = ".eml";
  if (part.kind != mime::Part::Kind::leaf) return false;
  if (part.type == "message/rfc822" || part.type == "message/global") return true;
  return std::ranges::any_of(part.file_names, [&](const std::string& name) {
    return name.size() > kSuffix.size() &&
           iequals(std::string_view(name).substr(name.size() - kSuffix.size()), kSuffix);
  });
}

class Collector : public mime::Visitor {
 public:
  void begin_part(const mime::Part& part) override {
    if (!is_message(part) || messages_.size() >= kMostAttached) return;
    places_.emplace(part.number, messages_.size());
    messages_.emplace_back();
  }

  void data(const mime::Part& part, std::string_view bytes) override {
    const auto found = places_.find(part.number);
    if (found == places_.end()) return;
    std::string& message = messages_[found->second];
    message += bytes.substr(0, kMostOfAttached - message.size());
  }

  std::vector<std::string> take() {
    std::erase_if(messages_, [](const std::string& one) { return trim(one).empty(); });
    return std::move(messages_);
  }

 private:
  std::vector<std::string> messages_;
  std::map<std::size_t, std::size_t> places_;  // in messages_, by the part's number
};

}  // namespace

std::vector<std::string> attached_messages(std::string_view mail) {
  Collector collector;
  mime::Limits limits;
  limits.opens_messages = false;
  mime::Walker walker(collector, limits);
  const auto body = each_field(mail, [&](std::string_view name, std::string_view value) {
    walker.field(name, value);
  });
  walker.body(body);
  walker.end();
  return collector.take();
}

}  // namespace mxfeed::spam
