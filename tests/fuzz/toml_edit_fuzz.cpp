// SPDX-License-Identifier: GPL-2.0-or-later
//
// Edits of a file of domains, whose every other byte must stay.

#include <algorithm>
#include <string>

#include "postfix-conf/config/greylist_edit.h"
#include "postfix-conf/config/mailbox_edit.h"
#include "postfix-conf/config/toml_array.h"
#include "postfix-conf/config/toml_edit.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace mxfeed;

void fuzz_array(std::string_view text, std::uint32_t line) {
  const auto entry = std::get<ListEntry>(ListEntry::parse("@x.example"));
  for (const std::uint32_t domain : {0U, line}) {
    static_cast<void>(add_entry(text, {"allow", domain}, entry));
    static_cast<void>(remove_entry(text, {"allow", domain}, entry));
  }
  const auto array = find_array(text, line, "allow");
  if (!array) return;
  const std::size_t count = array->items.size();
  const std::string more = add_item(text, *array, "\"x\"");
  const auto added = find_array(more, line, "allow");
  fuzz::require(added && added->items.size() == count + 1, "an item more");
  fuzz::require(content_of(added->items.back(), more) == "x", "behind the others");
  for (std::size_t i = 0; i < std::min<std::size_t>(count, 20); ++i) {
    const std::string less = remove_item(text, *array, i);
    const auto rest = find_array(less, line, "allow");
    fuzz::require(rest && rest->items.size() == count - 1, "an item less");
  }
}

void fuzz_mailbox(std::string_view text, std::uint32_t line) {
  const MailboxConfig mailbox{"info", "{A}b"};
  const std::string more = add_mailboxes(text, line, {mailbox});
  fuzz::require(more.size() > text.size(), "a mailbox is added");
  static_cast<void>(set_mailbox_password(more, line, mailbox));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  const auto text = fuzz::as_text(data, size);
  const auto lines =
      static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (std::uint32_t line = 0; line <= std::min(lines + 1, 100U); ++line) {
    if (const auto changed = insert_value(text, line, "name", "extend_until", "\"x\"")) {
      const auto at =
          std::mismatch(text.begin(), text.end(), changed->begin()).first - text.begin();
      const auto rest = text.substr(static_cast<std::size_t>(at));
      fuzz::require(changed->size() > text.size(), "a line is inserted");
      fuzz::require(changed->ends_with(rest), "what follows stays");
    }
    if (const auto changed = replace_value(text, line, "name", "\"x\"")) {
      const auto again = replace_value(*changed, line, "name", "\"x\"");
      fuzz::require(again == changed, "a value that was replaced can be replaced again");
      fuzz::require(std::count(changed->begin(), changed->end(), '\n') + 1 == lines,
                    "the number of lines stays");
    }
    fuzz_array(text, line);
    if (line > 0) fuzz_mailbox(text, line);
  }
  return 0;
}
