// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/completeness.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "milters/virus/scan/attachments/content.h"
#include "milters/virus/scan/attachments/file_name.h"
#include "milters/virus/scan/attachments/page_search.h"
#include "milters/virus/scan/leaf.h"

namespace mxfeed::virus {
namespace {

// libclamav answers "clean" for fewer bytes without a scan.
constexpr std::uint64_t kLeastContent = 6;

// Feeds a whole message to the walker.  As for Postfix, the header ends at an empty line
// or at a line that is not a field.
void walk(std::string_view mail, mime::Walker& walker) {
  std::string_view name, value;
  bool open = false;
  const char* field_begin = nullptr;
  const auto finish = [&](const char* end) {
    if (!open) return;
    value = {field_begin, static_cast<std::size_t>(end - field_begin)};
    while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
    walker.field(name, value);
    open = false;
  };
  while (!mail.empty()) {
    const auto newline = mail.find('\n');
    const std::size_t length =
        newline == std::string_view::npos ? mail.size() : newline + 1;
    const std::string_view line = mail.substr(0, length);
    const bool continues = open && (line.front() == ' ' || line.front() == '\t');
    if (!continues) {
      finish(line.data());
      if (line == "\r\n" || line == "\n") {
        mail.remove_prefix(length);
        break;
      }
      const auto colon = line.find(':');
      if (colon == std::string_view::npos) break;
      name = line.substr(0, colon);
      field_begin = line.data() + colon + 1;
      open = true;
    }
    mail.remove_prefix(length);
    if (mail.empty()) finish(line.data() + line.size());
  }
  walker.body(mail);
  walker.end();
}

// Compares the parts of one reading after the other.
class Compare : public mime::Visitor {
 public:
  Compare(const Seen& seen, FeedRule rule, AttachmentCollector* attachments)
      : seen_(seen), rule_(rule), attachments_(attachments) {}

  void begin_reading() {
    picks.clear();
    parts = 0;
  }

  void begin_part(const mime::Part& part) override {
    if (attachments_ == nullptr) return;
    for (const std::string& name : part.file_names) {
      attachments_->name(name, NameOf::part);
    }
  }
  void data(const mime::Part& part, std::string_view bytes) override {
    if (part.is_container()) return;
    Open& open = open_[part.number];
    if (attachments_ != nullptr && open.content.size == 0)
      open.page = page_in(part, bytes);
    if (open.page) open.page->add(bytes);
    open.content.add(bytes);
    if (open.head.size() < kLeafHead) {
      open.head += bytes.substr(0, kLeafHead - open.head.size());
    }
  }
  void end_part(const mime::Part& part) override {
    const auto found = open_.find(part.number);
    if (found == open_.end()) return;
    if (found->second.page && found->second.page->builds_file()) {
      attachments_->kind(AttachmentKind::html_smuggling);
    }
    if (found->second.content.size >= kLeastContent) judge(part, found->second);
    open_.erase(found);
  }

  std::vector<Pick> picks;
  std::size_t parts = 0;
  std::size_t to_feed = 0;
  std::uint64_t bytes_to_feed = 0;

 private:
  struct Open {
    Fingerprint content;
    std::string head;
    std::optional<PageSearch> page;
  };

  // A browser goes by type or name; the content is searched when the engine shows it, if
  // it begins as a page.
  static std::optional<PageSearch> page_in(const mime::Part& part,
                                           std::string_view begin) {
    const bool is_page = part.type == "text/html" || part.type == "image/svg+xml" ||
                         part.type == "application/xhtml+xml" ||
                         std::ranges::any_of(part.file_names, is_page_name);
    if (!is_page || begins_as_markup(begin)) return std::nullopt;
    return PageSearch();
  }

  void judge(const mime::Part& part, const Open& open) {
    ++parts;
    const std::uint64_t digest = open.content.exact.value();
    Pick pick{part.number};
    pick.size = open.content.size;
    pick.feed = must_feed(part, open.content) && fed_.insert(digest).second;
    if (rule_ == FeedRule::missed || rule_ == FeedRule::all) {
      pick.as_mail = part.is_message && !seen_.has_mail(open.content) &&
                     fed_as_mail_.insert(digest).second;
      pick.examine =
          wants_examination(part, open.head) && examined_.insert(digest).second;
    }
    if (pick.feed) ++to_feed;
    if (pick.feed || pick.as_mail || pick.examine) {
      bytes_to_feed += open.content.size;
      picks.push_back(pick);
    }
  }

  bool must_feed(const mime::Part& part, const Fingerprint& content) const {
    switch (rule_) {
      case FeedRule::none:
        return false;
      case FeedRule::all:
        return true;
      case FeedRule::exact:
        return !seen_.has_exact(content);
      case FeedRule::missed:
        break;
    }
    if (seen_.has_exact(content)) return false;
    // A part that is saved as a file is not read as text, whatever its type: its line
    // ends, which libclamav changes, are part of its content.
    const bool is_file = !part.file_names.empty() || part.disposition == "attachment";
    const bool is_text = part.is_text() && part.encoding != mime::Encoding::base64 &&
                         part.kind != mime::Part::Kind::uuencoded;
    return is_file || !is_text || !seen_.has_loose(content);
  }

  const Seen& seen_;
  const FeedRule rule_;
  AttachmentCollector* const attachments_;
  std::map<std::size_t, Open> open_;
  std::unordered_set<std::uint64_t> fed_, fed_as_mail_, examined_;
};

class Collect : public mime::Visitor {
 public:
  Collect(const std::vector<Pick>& picks, const UsePart& use)
      : picks_(picks), use_(use) {}

  void data(const mime::Part& part, std::string_view bytes) override {
    const Pick* const pick = goes_on_ ? find(part) : nullptr;
    if (pick == nullptr) return;
    std::string& content = open_[part.number];
    content.reserve(pick->size);  // a large one must not grow by doubling
    content += bytes;
  }
  void end_part(const mime::Part& part) override {
    const auto found = open_.find(part.number);
    if (found == open_.end()) return;
    if (goes_on_) goes_on_ = use_(part, found->second, *find(part));
    open_.erase(found);
  }

  bool goes_on() const { return goes_on_; }

 private:
  const Pick* find(const mime::Part& part) const {
    if (part.is_container()) return nullptr;
    const auto found = std::lower_bound(
        picks_.begin(), picks_.end(), part.number,
        [](const Pick& pick, std::size_t number) { return pick.number < number; });
    return found != picks_.end() && found->number == part.number ? &*found : nullptr;
  }

  const std::vector<Pick>& picks_;
  const UsePart& use_;
  std::map<std::size_t, std::string> open_;
  bool goes_on_ = true;
};

}  // namespace

Inventory take_inventory(std::string_view mail, const Seen& seen, FeedRule rule,
                         AttachmentCollector* attachments, const ReadingLimits& limits) {
  Inventory inventory;
  inventory.limits = limits.walk;
  Compare compare(seen, rule, attachments);
  mime::Readings readings(limits.readings);
  const std::uint64_t most_fed =
      std::max(limits.fed_least, limits.fed_times * std::uint64_t{mail.size()});
  std::uint64_t walked = 0;
  std::uint64_t fed_at_first = 0;
  while (const auto reading = readings.next()) {
    if (walked > limits.walked || compare.bytes_to_feed - fed_at_first > most_fed) {
      inventory.too_many_readings = true;
      break;
    }
    compare.begin_reading();
    mime::Walker walker(compare, limits.walk, *reading);
    walk(mail, walker);
    readings.add(walker.ambiguities());
    inventory.anomalies.add(walker.anomalies());
    if (++inventory.readings == 1) {
      inventory.parts = compare.parts;
      fed_at_first = compare.bytes_to_feed;
    } else {
      walked += walker.walked();
    }
    if (compare.picks.empty()) continue;
    std::sort(compare.picks.begin(), compare.picks.end(),
              [](const Pick& a, const Pick& b) { return a.number < b.number; });
    inventory.walks.push_back({*reading, std::move(compare.picks)});
  }
  inventory.to_feed = compare.to_feed;
  inventory.too_many_readings |= readings.too_many();
  return inventory;
}

void for_each_part(std::string_view mail, const Inventory& inventory,
                   const UsePart& use) {
  for (const Inventory::Walk& one : inventory.walks) {
    Collect collect(one.picks, use);
    mime::Walker walker(collect, inventory.limits, one.reading);
    walk(mail, walker);
    if (!collect.goes_on()) return;
  }
}

}  // namespace mxfeed::virus
