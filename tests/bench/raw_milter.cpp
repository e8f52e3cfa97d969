// SPDX-License-Identifier: GPL-2.0-or-later
//
// A do-nothing milter on bare libmilter as Debian ships it, with the best negotiation
// there is for what it asks for: the mark that the milters of the bench are held against.
// It has nothing of ours: libmilter's pool of worker threads, and its own way of reading.
//
//   raw_milter early|all|seen|greylist|defer SOCKET-SPEC
//
//   early  recipients, each answered; accepts at DATA
//   all    recipients answered, headers and body unanswered
//   seen   recipients, headers and body, all unanswered
//   greylist  what mxfeed-greylist asks for, and accepts at DATA
//   defer  the same, but answers each recipient 451

#include <libmilter/mfapi.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

enum class Shape { early, all, seen, greylist, defer };
Shape shape = Shape::all;

bool is_as_greylist() {
  return shape == Shape::greylist || shape == Shape::defer;
}

char* macros_for(int stage) {
  static char none[] = "{none}", id[] = "i", mail[] = "{auth_type} {auth_authen}",
              rcpt[] = "i {rcpt_addr} {rcpt_mailer} {rcpt_host}";
  if (!is_as_greylist()) return stage == SMFIM_EOM ? id : none;
  if (stage == SMFIM_ENVFROM) return mail;
  if (stage == SMFIM_ENVRCPT) return rcpt;
  return stage == SMFIM_DATA || stage == SMFIM_EOM ? id : none;
}

sfsistat on_negotiate(SMFICTX* context, unsigned long offered, unsigned long steps,
                      unsigned long, unsigned long, unsigned long* actions,
                      unsigned long* use, unsigned long* f2, unsigned long* f3) {
  unsigned long want = SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NOUNKNOWN;
  want |= is_as_greylist() ? SMFIP_NR_HELO | SMFIP_NR_EOH | SMFIP_RCPT_REJ
                           : SMFIP_NOHELO | SMFIP_NOEOH;
  if (shape == Shape::early || is_as_greylist()) {
    want |= SMFIP_NOHDRS | SMFIP_NOBODY;
  } else {
    want |= SMFIP_NODATA | SMFIP_NR_HDR | SMFIP_NR_BODY;
  }
  if (shape == Shape::seen) want |= SMFIP_NR_RCPT;
  *actions = (want & SMFIP_NOHDRS) != 0 ? 0 : SMFIF_ADDHDRS | SMFIF_CHGHDRS;
  *use = want & steps;
  *f2 = *f3 = 0;
  // No macros but those that are needed.
  if ((offered & SMFIF_SETSYMLIST) != 0) {
    *actions |= SMFIF_SETSYMLIST;
    for (int stage = SMFIM_FIRST; stage <= SMFIM_LAST; ++stage) {
      smfi_setsymlist(context, stage, macros_for(stage));
    }
  }
  return SMFIS_CONTINUE;
}

sfsistat on_connect(SMFICTX*, char*, sockaddr*) {
  return SMFIS_NOREPLY;
}
sfsistat on_helo(SMFICTX*, char*) {
  return SMFIS_NOREPLY;
}
sfsistat on_mail(SMFICTX*, char**) {
  return SMFIS_NOREPLY;
}
sfsistat on_rcpt(SMFICTX*, char**) {
  if (shape == Shape::defer) return SMFIS_TEMPFAIL;
  return shape == Shape::seen ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}
sfsistat on_data(SMFICTX*) {
  return SMFIS_ACCEPT;
}
sfsistat on_header(SMFICTX*, char*, char*) {
  return SMFIS_NOREPLY;
}
sfsistat on_body(SMFICTX*, unsigned char*, std::size_t) {
  return SMFIS_NOREPLY;
}
sfsistat on_end(SMFICTX*) {
  return SMFIS_CONTINUE;
}

void tell_ready() {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  ::sendto(fd, "READY=1", 7, 0, reinterpret_cast<const sockaddr*>(&address),
           sizeof address);
  ::close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  const char* const word = argc == 3 ? argv[1] : "";
  if (std::strcmp(word, "early") == 0) {
    shape = Shape::early;
  } else if (std::strcmp(word, "seen") == 0) {
    shape = Shape::seen;
  } else if (std::strcmp(word, "greylist") == 0) {
    shape = Shape::greylist;
  } else if (std::strcmp(word, "defer") == 0) {
    shape = Shape::defer;
  } else if (std::strcmp(word, "all") != 0) {
    std::fputs("usage: raw_milter early|all|seen|greylist|defer SOCKET-SPEC\n", stderr);
    return 2;
  }
  char name[] = "raw";
  smfiDesc description{};
  description.xxfi_name = name;
  description.xxfi_version = SMFI_VERSION;
  description.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS;
  description.xxfi_connect = on_connect;
  description.xxfi_helo = on_helo;
  description.xxfi_envfrom = on_mail;
  description.xxfi_envrcpt = on_rcpt;
  description.xxfi_data = on_data;
  description.xxfi_header = on_header;
  description.xxfi_body = on_body;
  description.xxfi_eom = on_end;
  description.xxfi_negotiate = on_negotiate;
  ::umask(0);
  if (smfi_register(description) != MI_SUCCESS || smfi_setconn(argv[2]) != MI_SUCCESS ||
      smfi_opensocket(true) != MI_SUCCESS) {
    return 1;
  }
  tell_ready();
  return smfi_main() == MI_SUCCESS ? 0 : 1;
}
