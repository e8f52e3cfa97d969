// SPDX-License-Identifier: GPL-2.0-or-later
//
// The files of one generation: policy.cdb; the maps (maps.h), each with its .cdb;
// relay_recipients.regexp; main.cf and master.cf (what Postfix's are to have);
// domains.tsv (what is hosted) and recipients.tsv (the lists of recipients); mailboxes
// (for Dovecot, whose group reads it); meta; sums.

#pragma once

#include <filesystem>

#include "postfix-conf/generate/meta.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

// A passwd-file of Dovecot: "info@acme.example:{SCHEME}HASH::::::" on each line.
inline constexpr const char* kMailboxFile = "mailboxes";

// Lets Dovecot read the file, if there is a Dovecot, and nobody else.  Throws Fault.
void give_to_dovecot(const std::filesystem::path& file);

// Writes all of them and verifies that the databases answer with what was written.
// Throws Fault.
void write_generation(const std::filesystem::path& directory, const Generated& generated,
                      const GenerationMeta& meta);

// Throws Fault if a file that it reads is missing or damaged.  Does not read the files
// for Postfix, which follow from the others.
Generated read_generation(const std::filesystem::path& directory);
// Throws Fault if the file is missing, damaged or of another generation than `number`.
GenerationMeta read_meta(const std::filesystem::path& directory, std::uint64_t number);

// Throws Fault if one of the files is not as it was written.  Returns false if that is
// unknown: a generation of version 0.1.0 has no checksums.
bool check_files(const std::filesystem::path& directory);
// The same for the files that neither read_generation() nor read_meta() reads.
bool check_other_files(const std::filesystem::path& directory);

}  // namespace mxfeed
