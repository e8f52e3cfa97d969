// SPDX-License-Identifier: GPL-2.0-or-later
//
// A message as the spam filter judges it: bounded, the same twice, and whatever the level
// is, the subject's tag is put there once.

#include <string>

#include "common/mail/charset.h"
#include "milters/spam/action.h"
#include "milters/spam/evidence/message.h"
#include "milters/spam/score.h"
#include "milters/spam/subject_tag.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  using namespace mxfeed::spam;
  using fuzz::require;
  static const Sources all = sources();
  const std::string_view bytes = fuzz::as_text(data, size);
  const Time now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);
  const Message message = read_message(bytes, now);
  require(is_utf8(message.plain), "text is UTF-8");
  require(is_utf8(message.html.visible), "what HTML shows is UTF-8");
  const std::vector<Evidence> findings = judge(all, message);
  const Score total = score(findings);
  require(total.probability >= 0 && total.probability <= 1, "a probability");
  require(judge(all, read_message(bytes, now)).size() == findings.size(), "no state");
  HeaderView header;
  for (const Field& field : message.fields) header.field(field.name, field.value);
  // A tag that the input may be near to, and one that needs encoded words.
  for (const char* tag : {"[SPAM: low] ", "[W\xC3\xA4rbung]"}) {
    require(subject_has_tag(tag + std::string("x"), tag), "a tag is seen");
    for (const std::string& subject : header.subjects()) {
      const auto tagged = tagged_subject(subject, tag);
      if (!tagged) continue;
      require(subject_has_tag(*tagged, tag), "the tag is seen");
      require(tagged->find('\r') == std::string::npos, "no CR gets into an edit");
      require(!tagged_subject(tagged, tag), "never twice");
    }
  }
  return 0;
}
