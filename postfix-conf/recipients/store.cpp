// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/store.h"

#include "common/base/log.h"
#include "common/base/metrics.h"

namespace mxfeed::recipients {

void complain(const Fault& fault) {
  counter("mxfeed_recipients_store_faults_total").add();
  log(Severity::error,
      LogFields().add("event", "recipients-store").add("fault", fault.what()));
}

}  // namespace mxfeed::recipients
