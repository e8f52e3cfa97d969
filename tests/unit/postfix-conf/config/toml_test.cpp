// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/toml.h"

#include <string>

#include "postfix-conf/config/toml_syntax.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using std::string_literals::operator""s;

// "LINE: CAUSE", or "TOML".
std::string parsed(const std::string& text) {
  const auto file = TomlFile::parse(text);
  const auto* const error = std::get_if<SyntaxError>(&file);
  return error == nullptr ? "TOML" : std::to_string(error->line) + ": " + error->cause;
}

TEST_CASE("What is not TOML is said in words") {
  struct Row {
    const char* name;
    std::string text;
    std::string wanted;
  };
  const Row rows[] = {
      {"an address without quotes", "\ndeliver_to = 203.0.113.7\n",
       "2: deliver_to: text must be in quotes: \"203.0.113.7\""},
      {"in an array", "deliver_to = [ 203.0.113.7, 203.0.113.8 ]",
       "1: deliver_to: text must be in quotes: \"203.0.113.7\""},
      {"with a port", "a = 203.0.113.7:25",
       "1: a: text must be in quotes: \"203.0.113.7:25\""},
      {"IPv6", "a = 2001:db8::7", "1: a: text must be in quotes: \"2001:db8::7\""},
      {"a duration", "queue_lifetime = 2d  # two days",
       "1: queue_lifetime: text must be in quotes: \"2d\""},
      {"a word", "service = feed", "1: service: text must be in quotes: \"feed\""},
      {"two words", "requested = ticket 4711",
       "1: requested: text must be in quotes: \"ticket 4711\""},
      {"in an inline table", "low = { action = none }",
       "1: action: text must be in quotes: \"none\""},
      {"another program's boolean", "subdomains = yes",
       "1: subdomains: yes must be written true or false"},
      {"a capital letter", "subdomains = True",
       "1: subdomains: True must be written true or false"},
      {"typographic quotes", "name = \u201Cacme.example\u201D",
       "1: name: the quotes must be plain ones (\"), not typographic ones: "
       "\u201Cacme.example\u201D"},
      {"only the closing quote", "name = acme.example\"",
       "1: name: text must be in quotes, one at each end: acme.example\""},
      {"no closing quote", "name = \"acme.example\nservice = \"feed\"\n",
       "1: name: the string has no closing quote (\")"},
      {"no closing single quote", "name = 'acme.example",
       "1: name: the string has no closing quote (')"},
      {"no closing triple quote", "a = 1\nb = \"\"\"one\ntwo\n",
       "2: b: the string has no closing quotes (\"\"\")"},
      {"a backslash", "requested = \"C:\\dir\"",
       "1: requested: \"\\d\" is not an escape sequence: write \"\\\\\" for a backslash, "
       "or use single quotes"},
      {"no value", "name =\nservice = \"feed\"", "1: name: no value after \"=\""},
      {"no value but a comment", "name = # later", "1: name: no value after \"=\""},
      {"a key alone", "enabled\n", "1: enabled: no \"=\" after the key"},
      {"a colon", "name: \"acme.example\"", "1: name: write \"=\" instead of \":\""},
      {"no key", "= 5", "1: no key before \"=\""},
      {"not a key", "// a comment", "1: expected a key, not // a comment"},
      {"two values", "deliver_to = \"203.0.113.7\", \"203.0.113.8\"",
       "1: deliver_to: several values must be in brackets: [\"...\", \"...\"]"},
      {"text after the value", "name = \"acme.example\" service = \"feed\"",
       "1: name: unexpected text at the end of the line: service = \"feed\""},
      {"text after a header", "[domain] name = 1",
       "1: [domain]: unexpected text at the end of the line: name = 1"},
      {"no closing bracket", "mx = [\"a\",\n  \"b\"\n[[host]]\nname = \"x\"\n",
       "1: mx: the array that begins here has no closing \"]\""},
      {"no closing bracket before a key", "\nmx = [\n  \"b\",\nname = \"x\"\n",
       "2: mx: the array that begins here has no closing \"]\""},
      {"no closing bracket at the end", "mx = [",
       "1: mx: the array that begins here has no closing \"]\""},
      {"no comma", "mx = [\"a\" \"b\"]",
       "1: mx: no comma between the items of the array, before \"b\"]"},
      {"two commas", "mx = [\"a\",, \"b\"]",
       "1: mx: there is one comma too many in the array"},
      {"an inline table over lines", "low = {\n action = \"none\" }",
       "1: low: a table in { } must be closed on the same line"},
      {"an inline table that stays open", "low = { action = \"none\"\n",
       "1: low: a table in { } must be closed on the same line"},
      {"a comma at its end", "low = { action = \"none\", }",
       "1: low: a comma before the closing \"}\" is not allowed"},
      {"no comma in it", "low = { action = \"header\" text = \"x\" }",
       "1: action: no comma after the value, before text = \"x\" }"},
      {"a header without its bracket", "[[domain]\nname = 1",
       "1: [[domain: no closing \"]]\""},
      {"a header cut", "[domain.spam\n", "1: [domain.spam: no closing \"]\""},
      {"an empty header", "[]", "1: expected the name of a table, not ]"},
      {"a key twice", "[[domain]]\nname = \"a\"\n\nname = \"b\"",
       "4: name: duplicate; first defined in line 2"},
      {"a table twice", "[spam]\n[virus]\n[spam]\n",
       "3: [spam]: duplicate; first defined in line 1"},
      {"a key and a table", "[[domain]]\nspam = { enabled = true }\n[domain.spam]\n",
       "3: [domain.spam]: duplicate; first defined in line 2"},
      {"an array of tables and a table", "[[domain]]\n[domain]\n",
       "2: [domain]: must be written [[domain]], as before"},
      {"the same in two domains is none, what follows is",
       "[[domain]]\na = 1\n[domain.spam]\n[[domain]]\na = 1\n[domain.spam]\nx = y\n",
       "7: x: text must be in quotes: \"y\""},
      {"a control character", "name = \"a\x01\"",
       "1: name: a control character in the string"},
      {"Latin-1", "# M\xFCller\nname = \"a\"\n",
       "1: not in UTF-8 (byte \\xfc): save the file as UTF-8"},
      {"Latin-1 in a string",
       "\nname = \"b\xFC"
       "cher.example\"",
       "2: not in UTF-8 (byte \\xfc): save the file as UTF-8"},
      {"UTF-16 with its mark", "\xFF\xFEn\0=\0001\0"s,
       "0: in UTF-16: save the file as UTF-8"},
      {"big-endian", "\xFE\xFF\0n\0=\0001"s, "0: in UTF-16: save the file as UTF-8"},
      {"without a mark", "n\0=\0001\0"s, "0: in UTF-16: save the file as UTF-8"},
      {"a mark of UTF-8 is no error", "\xEF\xBB\xBFname = \"a\"", "TOML"},
      {"nor is it when something else is", "\xEF\xBB\xBFname = a",
       "1: name: text must be in quotes: \"a\""},
      {"what has no words of its own", "a = 2026-13-45", "1: not valid TOML"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(parsed(row.text) == row.wanted);
  }
}

TEST_CASE("Nothing is found in what is TOML") {
  const std::string texts[] = {
      "",
      "\n\r\n# only a comment",
      "a = 1 # x\r\nb = -1_000\r\nc = 0xDEAD_beef\nd = 0o17\ne = 0b01\nf = +1.5e-3\n",
      "a = inf\nb = -nan\nc = 1979-05-27T07:32:00.5-07:00\nd = 1979-05-27 07:32:00Z\n"
      "e = 07:32:00\nf = 1979-05-27\n",
      "a = '''x'''\nb = \"\"\"\nx\\\n  y \"\" \"\"\"\"\"\nc = 'C:\\d'\nd = "
      "\"\\u00e9\\\"\"\n",
      "\"a.b\" = 1\n'c' = 2\nd.e . f = 3\nd.g = 4\n",
      "a = [ [1, 2], # x\n  [\"]\", ] ,\n]\nb = []\nc = {}\nd = { x.y = 1, z = [{ }] }\n",
      "[a]\nx = 1\n[a.b]\nx = 1\n[[c]]\nx = 1\n[c.d]\nx = 1\n[[c]]\nx = 1\n[c.d]\nx = 1\n"
      "[[c.e]]\nx = 1\n[[c.e]]\nx = 1\n[ f . \"g\" ]\n",
  };
  for (const auto& text : texts) {
    INFO(text);
    CHECK(parsed(text) == "TOML");
    CHECK(explain_syntax_error(text, 1'000).cause == "not valid TOML");
    CHECK_FALSE(find_encoding_error(text));
  }
}

TEST_CASE("A text that is cut or damaged anywhere is explained without harm") {
  const std::string whole =
      "mx = [\"a\", 'b']\n[[domain]]\nname = \"x\"\nlow = { action = \"none\", t.u = 1 "
      "}\n"
      "s = \"\"\"a\\\nb\"\"\"\n[domain.spam]\nt = 1979-05-27 07:32:00\n";
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char c : {'\0', '"', '[', '}', '=', '\n', '\x80'}) {
      auto text = whole;
      text[at] = c;
      for (const auto& given : {text, text.substr(0, at + 1)}) {
        INFO(given);
        CHECK(explain_syntax_error(given, 1'000).line <= 1'000);
        const auto file = TomlFile::parse(given);
        if (const auto* const error = std::get_if<SyntaxError>(&file)) {
          CHECK(error->line <= 9);
          CHECK_FALSE(error->cause.empty());
        }
      }
    }
  }
}

TEST_CASE("Deep nesting is refused, not followed") {
  CHECK(parsed("a = " + std::string(100'000, '[')) == "1: a: nested too deeply");
}

}  // namespace
}  // namespace mxfeed
