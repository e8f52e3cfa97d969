// SPDX-License-Identifier: GPL-2.0-or-later
//
// The mails in files, mailboxes and directories.

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace mxfeed::spam {

using SeeMail = std::function<void(std::string_view mail)>;

// Divides a mailbox in the format mbox that comes in pieces.  A line "From ..." with a
// time begins a mail if it is the first line or stands behind an empty one; ">From " at
// the start of a line loses one ">".  Pure, linear time; of a mail the first `most` bytes
// are kept.
class MboxSplitter {
 public:
  explicit MboxSplitter(std::size_t most) : most_(most) {}

  void feed(std::string_view piece, const SeeMail& see);
  // Shows the last mail.
  void finish(const SeeMail& see);

 private:
  void end_line(const SeeMail& see);

  const std::size_t most_;
  std::string mail_;
  std::string line_;  // with its LF once it is complete; at most kMostLine bytes of it
  bool after_empty_ = true;
  bool any_ = false;
};

// Whether the text begins as a mailbox does: with a line "From ..." that has a time.
bool is_mbox(std::string_view text);

// Shows the mails that an operand names, and returns how many.  It is a file with one
// mail, a file in the format mbox, standard input ("-", either), a Maildir, or a
// directory with one mail in each file.  Throws CommandError if it cannot be read.
std::size_t each_mail(const std::string& operand, const SeeMail& see);

}  // namespace mxfeed::spam
