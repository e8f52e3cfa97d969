// SPDX-License-Identifier: GPL-2.0-or-later
//
// Checks that the engine has examined every part of a message.
//
// libclamav reads MIME in its own way; where it differs from a mail program, a part may
// go unseen.  It reports each object that it scans, and our own walks
// (common/mail/mime/walker.h) find each part that a mail program may find.  If no object
// has the content of a part, the part was missed and is given to the engine separately.
//
// Mail programs differ, too.  A mail that they read in different ways
// (common/mail/mime/reading.h) is walked through once for each way; that is rare in
// honest mail.  The number of readings and their cost are limited; past a limit the mail
// cannot be scanned.
//
// Text is compared without white space, since libclamav changes line ends and drops
// blanks there; all else byte by byte.  Measured by tests/bench/scan_completeness.
//
// No I/O; one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "common/mail/mime/walker.h"
#include "milters/virus/scan/attachments/collector.h"
#include "milters/virus/scan/fingerprint.h"

namespace mxfeed::virus {

// Which parts are given to the engine separately.
enum class FeedRule {
  none,    // no part: the engine is trusted
  exact,   // parts that equal no object byte by byte
  missed,  // the same, but text is compared without white space: the default
  all,     // every part
};

struct ReadingLimits {
  std::size_t readings = 48;
  std::uint64_t walked = std::uint64_t{256} << 20;  // bytes in all but the first one
  // Bytes of parts to be fed that only these readings have: so many times the mail.
  std::uint64_t fed_times = 2;
  std::uint64_t fed_least = std::uint64_t{1} << 20;
  mime::Limits walk;  // of each reading
};

// A part to be looked at again.
struct Pick {
  std::size_t number;      // in the walk
  bool feed = false;       // the engine has not seen it
  bool as_mail = false;    // the engine has not read it as a message
  bool examine = false;    // leaf.h
  std::uint64_t size = 0;  // of the content
};

struct Inventory {
  struct Walk {
    mime::Reading reading;
    std::vector<Pick> picks;  // by number, ascending
  };
  std::vector<Walk> walks;   // those with parts to be looked at
  std::size_t to_feed = 0;   // parts
  std::size_t parts = 0;     // with content of their own, in the default reading
  std::size_t readings = 0;  // walked
  bool too_many_readings = false;
  mime::Anomalies anomalies;  // of all readings
  mime::Limits limits;        // of each walk
};

// Walks through the message in each way and compares.  `attachments`, if not null, gets
// the names of all parts, and the pages that do not begin as one.
Inventory take_inventory(std::string_view mail, const Seen& seen, FeedRule rule,
                         AttachmentCollector* attachments = nullptr,
                         const ReadingLimits& limits = {});

// Walks again and calls `use` with each picked part and its decoded content, valid during
// the call only.  `use` returns whether to continue.
using UsePart = std::function<bool(const mime::Part& part, std::string_view content,
                                   const Pick& pick)>;
void for_each_part(std::string_view mail, const Inventory& inventory, const UsePart& use);

}  // namespace mxfeed::virus
