// SPDX-License-Identifier: GPL-2.0-or-later
//
// A journal of the content model: what is read can be written and read again, and is
// bounded.

#include "milters/spam/model/journal.h"
#include "milters/spam/model/samples.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed::spam;
  using mxfeed::fuzz::require;
  const std::string_view bytes = mxfeed::fuzz::as_text(data, size);
  if (const auto entry = Entry::from_bytes(bytes)) {
    require(Entry::from_bytes(entry->bytes()) == entry, "an entry is read as it was");
  }
  const JournalContent content = parse_journal(bytes);
  require(content.sound <= size, "within the file");
  require(content.entries.size() <= size / 12, "no more entries than records");
  std::string again = journal_start();
  Samples samples;
  for (const Entry& entry : content.entries) {
    require(entry.features.size() <= kMostFeatures, "features are bounded");
    for (const std::uint32_t feature : entry.features) {
      require(feature < kBuckets, "a bucket");
    }
    again += journal_record(entry);
    samples.add(entry);
  }
  require(parse_journal(again).entries == content.entries, "the same when written");
  require(samples.all().size() <= content.entries.size(), "an id has one entry");
  return 0;
}
