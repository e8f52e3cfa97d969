// SPDX-License-Identifier: GPL-2.0-or-later
//
// main.cf as a text in which parameters are set and given back.  Pure; postconf(1) would
// write the file anew.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/postfix/cf_text.h"

namespace mxfeed {

// A text of main.cf.  Every other byte of it stays as it is, line breaks, duplicates and
// lines that Postfix refuses included.  A parameter named mxfeed_* is ours as a whole.
class MainCf {
 public:
  MainCf(std::string text, IsOurs is_ours);

  const std::string& text() const { return text_; }

  // The raw value, `$name` not expanded, of the last definition, which is the one that
  // holds (postconf(1) prints one blank where it has several).  Nothing: it is not in the
  // file, its default holds.
  std::optional<std::string> value(std::string_view name) const;

  // What value() is after take_back(): what the site wants, its changes included.
  std::optional<std::string> site_value(std::string_view name) const;

  // Afterwards value(name) is the value.  Does nothing if it is already.  The definition
  // that holds is replaced in its place, and recorded; without one, a line is added at
  // the end.  If the site changed our line, that becomes the record (without ours).
  // Throws Fault for a name or a value that is not the same when Postfix reads it: line
  // breaks, blanks at the ends.
  void set(std::string_view name, std::string_view value);

  // Afterwards nothing in the text is of ours for that name.  A line as we wrote it gives
  // way to the recorded one.  Of a line that somebody changed, and of a definition
  // without a block (an editor took the comments out), the items that are ours go and the
  // rest stays; the definition goes if nothing is left of it and the site had none
  // before.
  TakenBack take_back(std::string_view name);

  // The parameters for which take_back() has something to do: those in blocks, those with
  // an item of ours, and mxfeed_*.  In the order of the text, each once.
  std::vector<std::string> ours() const;

 private:
  std::string text_;
  IsOurs is_ours_;
};

}  // namespace mxfeed
