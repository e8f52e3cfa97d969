// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/canary.h"

#include <sys/random.h>

#include <cerrno>

#include "common/base/base64.h"
#include "common/base/fault.h"
#include "common/base/text.h"

namespace mxfeed::virus {

std::string random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  if (::getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size())) {
    throw Fault("make canary", "getrandom", errno_text(errno));
  }
  return to_hex(raw);
}

std::string canary_mail(std::string_view payload) {
  return "Received: from localhost by localhost; Thu, 1 Jan 1970 00:00:00 +0000\r\n"
         "Subject: canary\r\nMIME-Version: 1.0\r\n"
         "Content-Type: multipart/mixed; boundary=\"canary\"\r\n\r\n"
         "--canary\r\nContent-Type: text/plain\r\n\r\nA canary.\r\n"
         "--canary\r\nContent-Type: application/octet-stream; name=canary.bin\r\n"
         "Content-Transfer-Encoding: base64\r\n\r\n" +
         base64(payload) + "\r\n--canary--\r\n";
}

}  // namespace mxfeed::virus
