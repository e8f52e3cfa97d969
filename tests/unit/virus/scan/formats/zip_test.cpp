// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/zip.h"

#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

struct Script {
  const char* name;
  const char* script;
  const char* found;
};

const Script kPrograms[] = {
    {"zip", "mkdir d; cp payload d; zip -r out.zip payload d; mv out.zip out", ""},
    {"zip, stored", "zip -0 out.zip payload; mv out.zip out", ""},
    {"zip, with a comment", "echo note | zip -z out.zip payload; mv out.zip out", ""},
    {"zip, with an ordinary signature", "zip -X out.zip payload; mv out.zip out", ""},
    {"zip to a pipe", "zip - payload | cat >out", ""},
    {"zip from a pipe", "cat payload | zip out.zip -; mv out.zip out", "member"},
    {"7z", "7z a -tzip out.zip payload; mv out.zip out", ""},
    {"7z, bzip2", "7z a -tzip -mm=bzip2 out.zip payload; mv out.zip out", ""},
    {"7z, deflate64", "7z a -tzip -mm=deflate64 out.zip payload; mv out.zip out", ""},
    {"7z, lzma", "7z a -tzip -mm=lzma out.zip payload; mv out.zip out",
     "unscannable Zip.Method14"},
    {"7z, ppmd", "7z a -tzip -mm=ppmd out.zip payload; mv out.zip out",
     "unscannable Zip.Method98"},
    {"7z, xz", "7z a -tzip -mm=xz out.zip payload; mv out.zip out",
     "unscannable Zip.Method95"},
    {"7z, traditional password", "7z a -tzip -psecret out.zip payload; mv out.zip out",
     "encrypted Encrypted.Zip"},
    {"7z, AES", "7z a -tzip -psecret -mem=AES256 out.zip payload; mv out.zip out",
     "encrypted Encrypted.Zip"},
    {"zip with a password", "zip -P secret out.zip payload; mv out.zip out",
     "encrypted Encrypted.Zip"},
    {"bsdtar", "bsdtar -acf out.zip payload; mv out.zip out", ""},
    {"python", "python3 -m zipfile -c out payload", ""},
    {"python, zip64 forced",
     "python3 -c \"import zipfile\n"
     "with zipfile.ZipFile('out', 'w', 8) as z, z.open('p', 'w', force_zip64=True) as "
     "f:\n"
     "  f.write(open('payload', 'rb').read())\"",
     "member"},
    {"a zip in a zip, stored",
     "zip -0 in.zip payload; zip -0 out.zip in.zip; mv out.zip out", ""},
    {"a program that unpacks itself", "zip in.zip payload; cat /bin/true in.zip >out",
     "member"},
    {"the same with offsets set right",
     "zip in.zip payload; cat /bin/true in.zip >out; zip -A out", "member"},
    {"bytes behind the archive", "zip in.zip payload; (cat in.zip; echo rest) >out",
     "member"},
    {"cut off before the directory", "zip in.zip payload; head -c -100 in.zip >out",
     "member"},
    {"OpenDocument",
     "mkdir META-INF; echo '<manifest:manifest/>' >META-INF/manifest.xml; "
     "zip out.zip payload META-INF/manifest.xml; mv out.zip out",
     ""},
    {"OpenDocument with a password",
     "mkdir META-INF; echo '<manifest:encryption-data/>' >META-INF/manifest.xml; "
     "zip out.zip payload META-INF/manifest.xml; mv out.zip out",
     "encrypted Encrypted.OpenDocument"},
    {"no archive", "cp payload out", ""},
    {"an empty archive",
     "zip out.zip payload; zip -d out.zip payload || true; "
     "printf 'PK\\005\\006\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0' >out",
     ""},
};

TEST_CASE("archives as programs make them", "[virus]") {
  for (const Script& c : kPrograms) {
    CAPTURE(c.name);
    CHECK(found_in(made(c.script), examine_zip) == c.found);
  }
}

TEST_CASE("archives of Java are nothing", "[virus]") {
  if (!is_installed("jar")) return;
  CHECK(found_in(made("jar cf out payload"), examine_zip).empty());
  CHECK(found_in(made("jar cfM out payload"), examine_zip).empty());
}

struct Fields {
  std::string name = "p";
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint64_t packed = payload().size();
  std::uint64_t unpacked = payload().size();
  std::string extra;
  std::uint64_t offset = 0;
};

std::string local(const Fields& f = {}) {
  return "PK\3\4" + le(20, 2) + le(f.flags, 2) + le(f.method, 2) + le(0, 8) +
         le(f.packed, 4) + le(f.unpacked, 4) + le(f.name.size(), 2) +
         le(f.extra.size(), 2) + f.name + f.extra;
}

std::string central(const Fields& f = {}) {
  return "PK\1\2" + le(20, 4) + le(f.flags, 2) + le(f.method, 2) + le(0, 8) +
         le(f.packed, 4) + le(f.unpacked, 4) + le(f.name.size(), 2) +
         le(f.extra.size(), 2) + le(0, 2 + 2 + 2 + 4) + le(f.offset, 4) + f.name +
         f.extra;
}

std::string end_record(std::size_t entries, std::size_t size, std::size_t offset,
                       const std::string& comment = "") {
  return "PK\5\6" + le(0, 4) + le(entries, 2) + le(entries, 2) + le(size, 4) +
         le(offset, 4) + le(comment.size(), 2) + comment;
}

// One entry: the payload, stored.
std::string archive(const Fields& here, const Fields& listed,
                    const std::string& content = payload(),
                    const std::string& comment = "") {
  const std::string first = local(here) + content;
  const std::string directory = central(listed);
  return first + directory + end_record(1, directory.size(), first.size(), comment);
}

Fields with(void (*change)(Fields&)) {
  Fields fields;
  change(fields);
  return fields;
}

TEST_CASE("archives that programs read in different ways", "[virus]") {
  const std::string plain = archive({}, {});
  const Fields empty = with([](Fields& f) { f.packed = f.unpacked = 0; });
  const Fields harmless = with([](Fields& f) {
    f.name = "h";
    f.packed = f.unpacked = 4;
  });
  const Fields deflated = with([](Fields& f) { f.method = 8; });
  const Fields other_name = with([](Fields& f) { f.name = "q"; });
  const Fields encrypted = with([](Fields& f) { f.flags = 1; });
  const Fields zip64 = with([](Fields& f) {
    f.packed = f.unpacked = 0xffffffff;
    f.extra = le(1, 2) + le(16, 2) + le(payload().size(), 8) + le(payload().size(), 8);
  });
  const Fields streamed = with([](Fields& f) {
    f.flags = 8;
    f.packed = f.unpacked = 0;
  });
  const Fields follows = with([](Fields& f) { f.flags = 8; });
  const Fields unknown = with([](Fields& f) { f.method = 77; });
  const std::string good = archive(harmless, harmless, "good");
  const std::string hidden = local() + payload();

  struct Case {
    const char* name;
    std::string archive;
    const char* found;
  };
  const Case cases[] = {
      {"one reading", plain, ""},
      {"sizes 0 in the local header", archive(empty, {}), "member"},
      {"sizes 0 in the directory", archive({}, empty), "member"},
      {"shorter in the directory", archive({}, harmless), "member"},
      {"another method in the local header", archive(deflated, {}), "member"},
      {"another method in the directory", archive({}, deflated), "member"},
      {"another name", archive({}, other_name), "member"},
      {"encrypted says the local header alone", archive(encrypted, {}),
       "encrypted Encrypted.Zip, member"},
      {"encrypted says the directory alone", archive({}, encrypted),
       "encrypted Encrypted.Zip, member"},
      {"zip64 in the local header", archive(zip64, {}), "member"},
      {"zip64 in the directory", archive({}, zip64), "member"},
      {"zip64 in both", archive(zip64, zip64), "member"},
      {"sizes that follow", archive(streamed, follows, payload()), ""},
      {"a method that nobody knows", archive(unknown, unknown),
       "unscannable Zip.Method77"},
      {"two archives, the other one last", plain + good, "member"},
      {"two archives, ours last", good + plain, "member"},
      {"in the comment of another", archive(harmless, harmless, "good", plain), "member"},
      {"only an end record in the comment",
       archive({}, {}, payload(), end_record(0, 0, 0)), "member"},
      {"not in the directory",
       hidden + good.substr(0, local(harmless).size() + 4) + central(with([](Fields& f) {
         f.name = "h";
         f.packed = f.unpacked = 4;
         f.offset = local().size() + payload().size();
       })) +
           end_record(1, central(harmless).size(),
                      hidden.size() + local(harmless).size() + 4),
       "member"},
      {"no directory", hidden, "member"},
      {"no directory, sizes that follow",
       local(streamed) + payload() + "PK\7\10" + le(0, 12), "member"},
      {"no directory, zip64", local(zip64) + payload(), "member"},
      {"an end record alone at the end of rubbish",
       "rubbish" + hidden + end_record(0, 0, 0), "member"},
      {"behind the mark of a split archive", "PK00" + hidden, "member"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(found_in(c.archive, examine_zip) == c.found);
  }
}

TEST_CASE("entries that overlap are each taken out within the room", "[virus]") {
  std::string first, directory;
  for (int i = 0; i < 50; ++i) first += local();
  for (std::size_t i = 0; i < 50; ++i) {
    Fields fields;
    fields.offset = i * local().size();
    directory += central(fields);
  }
  first += payload();
  const std::string bomb =
      first + directory + end_record(50, directory.size(), first.size());
  CHECK(found_in(bomb, examine_zip) == "member");
  CHECK(found_in(bomb, examine_zip, room_of(20'000)) ==
        "unscannable MaxScanSize, others");
  CHECK(found_in(bomb, examine_zip, room_of(100 << 20, 10)) ==
        "unscannable MaxFiles, others");
}

TEST_CASE("a content larger than the room is unscannable", "[virus]") {
  const std::string bomb =
      made("head -c 5000000 /dev/zero >zero; zip in.zip zero; cat /bin/true in.zip >out");
  CHECK(found_in(bomb, examine_zip, room_of(1 << 20)) == "unscannable MaxScanSize");
  CHECK(found_in(bomb, examine_zip) == "others");
  UnpackRoom late{100 << 20, 100 << 20, 1000, [] { return true; }};
  CHECK(found_in(bomb, examine_zip, late) == "unscannable MaxScanTime");
}

TEST_CASE("files in zip archives have names, also encrypted and hidden ones", "[virus]") {
  const auto python = [](const std::string& members) {
    return made("python3 -c \"import zipfile\nz = zipfile.ZipFile('out', 'w')\n" +
                members + "\nz.close()\"");
  };
  const auto has = [](const std::string& content, const std::string& name) {
    return (" " + names_in(content, examine_zip) + " ").find(" " + name + " ") !=
           std::string::npos;
  };
  const std::string plain = python("z.writestr('d/a.js', 'x')");
  CHECK(names_in(plain, examine_zip) == "d/a.js");
  CHECK(names_in(made("zip -P secret out.zip payload; mv out.zip out"), examine_zip) ==
        "payload");
  // A name in the directory, another one in front of the content.
  std::string two = plain;
  two.replace(two.find("a.js"), 4, "b.js");
  CHECK(has(two, "d/a.js"));
  CHECK(has(two, "d/b.js"));
  // Info-ZIP's field for names in Unicode.
  const std::string extra = python(
      "i = zipfile.ZipInfo('a.txt')\n"
      "i.extra = b'\\x75\\x70\\x09\\x00\\x01AAAAb.js'\nz.writestr(i, 'x')");
  CHECK(has(extra, "b.js"));
  CHECK(has(extra, "a.txt"));
  // A folder has no content; what has is a file, whatever its name.
  CHECK(names_in(python("z.writestr('a.js/', '')"), examine_zip) == "a.js/");
  CHECK(has(python("z.writestr('a.js/', 'xyz')"), "a.js"));
}

}  // namespace
}  // namespace mxfeed::virus
