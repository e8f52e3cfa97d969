// SPDX-License-Identifier: GPL-2.0-or-later
//
// The changes that a filter wants in the message: a list that the session carries out at
// end of message.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mxfeed {

struct HeaderEdit {
  enum class Kind { insert_first, append, replace, remove };
  Kind kind;
  std::string name;
  std::string value;   // unfolded or folded with LF and a blank; no leading space
  unsigned index = 0;  // replace, remove: which field of that name, from 1
};

class MessageEdits {
 public:
  // Above all other fields, Postfix's own Received included.
  void insert_first(std::string_view name, std::string_view value);
  // Below all other fields.
  void append(std::string_view name, std::string_view value);
  // The `index`th field of that name, counted from 1 in the message as the filter saw it;
  // earlier edits do not shift the count.
  void replace(std::string_view name, unsigned index, std::string_view value);
  void remove(std::string_view name, unsigned index);
  // The message also goes to `address`, without angle brackets.
  void add_recipient(std::string_view address) { added_.emplace_back(address); }
  // It does not go to this recipient, which is Recipient::as_received.
  void remove_recipient(std::string_view address) { removed_.emplace_back(address); }
  // Postfix keeps the message in its hold queue.  A hold ends the filtering: milters
  // after this one do not see the message.
  void quarantine(std::string_view reason) { quarantine_ = reason; }

  // In the order of execution: removals and replacements from the highest index down
  // (Postfix counts the fields that are left), then additions in the order given.
  std::vector<HeaderEdit> ordered() const;
  const std::string& quarantine_reason() const { return quarantine_; }
  const std::vector<std::string>& added_recipients() const { return added_; }
  const std::vector<std::string>& removed_recipients() const { return removed_; }
  bool empty() const {
    return edits_.empty() && quarantine_.empty() && added_.empty() && removed_.empty();
  }

 private:
  std::vector<HeaderEdit> edits_;
  std::vector<std::string> added_, removed_;  // recipients
  std::string quarantine_;
};

}  // namespace mxfeed
