// SPDX-License-Identifier: GPL-2.0-or-later
//
// What sqlgrey keeps in three tables of a database, as rows of text:
//
//   connect      SENDER_NAME SENDER_DOMAIN SRC RCPT FIRST_SEEN
//   from_awl     SENDER_NAME SENDER_DOMAIN SRC FIRST_SEEN LAST_SEEN
//   domain_awl   SENDER_DOMAIN SRC FIRST_SEEN LAST_SEEN
//
// SRC is an address, the first three octets of one, or four groups of an IPv6 address.
// The null sender is "-undef-".  A sender in from_awl has passed once, and more than once
// if it was seen again when sqlgrey had stopped waiting for it; one in domain_awl many
// times, in the names of several senders.

#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

#include "milters/greylist/import/foreign_record.h"

namespace mxfeed::greylist {

// `row` without the name of the table.  Pure.
ForeignEntry sqlgrey_entry(std::string_view table, std::span<const std::string_view> row);

// A line "TABLE TAB SENDER_NAME TAB ...".  Pure.
ForeignEntry parse_sqlgrey(std::string_view line);

// Whether a file that begins so is a SQLite database.
bool is_sqlite(std::string_view beginning);

// Shows each row of a SQLite database of sqlgrey.  Throws Fault.
using SeeForeign = std::function<void(std::string_view table, const ForeignEntry& entry)>;
void read_sqlgrey(const std::filesystem::path& file, const SeeForeign& see);

}  // namespace mxfeed::greylist
