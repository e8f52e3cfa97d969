// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/mailbox/maildir.h"

#include <system_error>

namespace mxfeed {

namespace fs = std::filesystem;

std::string MailFile::name() const {
  const std::string whole = path.filename().string();
  return whole.substr(0, whole.find(':'));
}

void each_mail(const fs::path& mailboxes,
               const std::function<bool(const MailFile&)>& see) {
  std::error_code error;
  for (const auto& box : fs::directory_iterator(mailboxes, error)) {
    for (const auto* const part : {"new", "cur"}) {
      for (const auto& file :
           fs::directory_iterator(box.path() / "Maildir" / part, error)) {
        if (!see({box.path().filename().string(), file.path()})) return;
      }
    }
  }
}

}  // namespace mxfeed
