// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/counters.h"

#include <cstddef>

#include "common/base/metrics.h"

namespace mxfeed::virus {

void count_other_mail() {
  static Metric& other = counter("mxfeed_virus_other_mail_total");
  other.add();
}

void count_result(const ScanResult& result) {
  static Metric* const metrics[] = {
      &counter("mxfeed_virus_messages_total", "result=\"clean\""),
      &counter("mxfeed_virus_messages_total", "result=\"infected\""),
      &counter("mxfeed_virus_messages_total", "result=\"unscannable\""),
      &counter("mxfeed_virus_messages_total", "result=\"encrypted\""),
      &counter("mxfeed_virus_messages_total", "result=\"error\""),
  };
  metrics[static_cast<std::size_t>(result.verdict)]->add();
}

void count_attachment(const Decision& decision) {
  static Metric& delivered =
      counter("mxfeed_virus_attachments_total", "action=\"header\"");
  static Metric& held =
      counter("mxfeed_virus_attachments_total", "action=\"quarantine\"");
  static Metric& rejected =
      counter("mxfeed_virus_attachments_total", "action=\"reject\"");
  static Metric& deleted = counter("mxfeed_virus_attachments_total", "action=\"delete\"");
  switch (decision.verdict.action()) {
    case Action::proceed:
      (decision.quarantine.empty() ? delivered : held).add();
      break;
    case Action::reject:
      rejected.add();
      break;
    case Action::discard:
      deleted.add();
      break;
    case Action::defer:
      break;
  }
}

}  // namespace mxfeed::virus
