// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/examine.h"

#include "milters/virus/scan/formats/archive.h"
#include "milters/virus/scan/formats/cms.h"
#include "milters/virus/scan/formats/office.h"
#include "milters/virus/scan/formats/pgp.h"
#include "milters/virus/scan/formats/rar.h"
#include "milters/virus/scan/formats/seven_zip.h"
#include "milters/virus/scan/formats/streams.h"
#include "milters/virus/scan/formats/szdd.h"
#include "milters/virus/scan/formats/tar.h"
#include "milters/virus/scan/formats/tnef.h"
#include "milters/virus/scan/formats/zip.h"

namespace mxfeed::virus {

void examine(std::string_view content, Findings& findings) {
  examine_zip(content, findings);
  examine_cms(content, findings);
  examine_pgp(content, findings);
  examine_office(content, findings);
  examine_seven_zip(content, findings);
  examine_streams(content, findings);
  examine_szdd(content, findings);
  examine_tar(content, findings);
  examine_tnef(content, findings);
  examine_archive(content, findings);
  examine_rar(content, findings);
}

}  // namespace mxfeed::virus
