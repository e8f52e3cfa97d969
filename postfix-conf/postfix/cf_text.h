// SPDX-License-Identifier: GPL-2.0-or-later
//
// The text of main.cf and master.cf: its lines as Postfix reads them, and the blocks that
// mxfeed wrote into it.  Pure.
//
// A block holds what we wrote and the lines that stood there before, so that one rename
// of the file holds both.  It is whole lines, each of them a comment but ours:
// clang-format off
//
//   # mxfeed: begin relay_domains 1f0c22a9
//   #| relay_domains = hash:/etc/postfix/relay,
//   #|   example.org
//   relay_domains = hash:/etc/postfix/relay, example.org, cdb:/var/lib/mxfeed/relay
//   # mxfeed: end
//
// clang-format on
// The number is a digest of the lines in the block: it tells whether somebody changed
// them.  `# mxfeed: no final newline` stands where a file ended without one.

#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mxfeed {

// Whether an item of a list is of mxfeed: one of our maps, "$mxfeed_smtpd_milters".
using IsOurs = std::function<bool(std::string_view item)>;

// What became of a parameter or a service that was taken back.
enum class TakenBack {
  nothing,   // there was nothing of ours
  restored,  // it is what it was before, byte for byte
  kept,      // the site changed it meanwhile, and nothing of ours was left in it
  merged,    // the site changed it meanwhile: that stays, and ours is out
};
std::string_view to_string(TakenBack taken);

// A blank as isspace(3) knows them: more than is_space().
bool is_postfix_space(char c);

// A logical line, as readlline(3) of Postfix makes it: the line that starts it and those
// that continue it, without comments, empty lines and line breaks.  It ends at a NUL.
struct LogicalLine {
  std::string value;
  std::vector<std::size_t> places;  // in the text, of every byte of value
  std::size_t begin = 0;            // whole lines of the text, the comments between
  std::size_t end = 0;              // them included
};
// Lines that continue nothing are not among them: Postfix ignores them.
std::vector<LogicalLine> logical_lines(std::string_view text);

// "NAME = VALUE", as split_nameval(3) of Postfix reads it.
struct Assignment {
  std::string_view name;
  std::string_view value;
};
// Nothing if it is no assignment.  Borrows the line.
std::optional<Assignment> parse_assignment(std::string_view line);

// Bytes of a logical line that are to go.
class Erasure {
 public:
  explicit Erasure(const LogicalLine& line);

  // Bytes of line.value.
  void erase(std::size_t begin, std::size_t end);
  // The same with the blanks behind.
  void erase_word(std::size_t begin, std::size_t end);
  // The items of a list that are ours, with the separators that are not needed then.
  // `list` lies in line.value.  Returns how many are left.
  std::size_t erase_ours(std::string_view list, const IsOurs& is_ours);
  // Every line, and what is behind a NUL.
  void erase_all();

  // The text without them.  Lines that are empty then go; comments stay.
  std::string apply(std::string_view text) const;

 private:
  const LogicalLine& line_;
  std::vector<bool> erased_;
  bool all_ = false;
};

// A block in a text.
struct CfBlock {
  std::string name;
  std::string original;   // whole lines, each with its line break; empty: there was
                          // none
  std::size_t begin = 0;  // of the text, with the markers
  std::size_t end = 0;
  std::size_t ours_begin = 0;  // what stands between the record and the last marker
  std::size_t ours_end = 0;
  bool as_written = false;  // nobody changed it
};
// A marker without its counterpart is a comment.
std::vector<CfBlock> cf_blocks(std::string_view text);
// The first of this name.
std::optional<CfBlock> find_cf_block(std::string_view text, std::string_view name);

// The lines of a block.  Every line of `original` and `ours` ends with a line break.
std::string cf_block(std::string_view name, std::string_view original,
                     std::string_view ours);

// Takes the markers and the record of a block out; our lines stay.
std::string without_markers(std::string_view text, const CfBlock& block);

// Gives the text a line break at its end, and records it if it had none.
void end_with_newline(std::string& text);
// Takes that record back when there is no block any more.
void restore_end(std::string& text);

}  // namespace mxfeed
