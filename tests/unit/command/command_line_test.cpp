// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/command_line.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

ExitCode nothing(const Arguments&) {
  return ExitCode::fine;
}

Registry sample() {
  return {
      "prog",
      "A program.",
      {{"list", "List", {kJson, {"--most", "N", "At most", Takes::number}}, {}, nothing},
       {"box add", "Add", {}, {{"NAME", "The name"}}, nothing},
       {"box drop",
        "Drop",
        {},
        {{"NAME", "Names", Takes::text, Operand::Count::at_least_one}},
        nothing},
       {"read",
        "Read",
        {},
        {{"FILE", "The file", Takes::file, Operand::Count::at_most_one}},
        nothing},
       {"read back", "Read back", {}, {{"NAME", "The name"}}, nothing}}};
}

struct RightCase {
  const char* name;
  std::vector<std::string> words;
  const char* command;
  std::vector<std::string> operands;
};

const RightCase kRight[] = {
    {"a command alone", {"list"}, "list", {}},
    {"an option before it", {"--state", "/s", "list"}, "list", {}},
    {"an option of the command before it", {"--most=3", "list"}, "list", {}},
    {"an option within a group", {"box", "--state", "/s", "add", "x"}, "box add", {"x"}},
    {"an option whose value looks like one", {"list", "--config", "--most"}, "list", {}},
    {"operands that look like options",
     {"box", "drop", "--", "--a", "-"},
     "box drop",
     {"--a", "-"}},
    {"standard input is an operand", {"read", "-"}, "read", {"-"}},
    {"an operand that may be left out", {"read"}, "read", {}},
    {"a command with the name of a group", {"read", "x"}, "read", {"x"}},
    {"a command of that group", {"read", "back", "x"}, "read back", {"x"}},
    {"an empty operand", {"box", "add", ""}, "box add", {""}},
};

TEST_CASE("a command line is read, options anywhere", "[command]") {
  const Registry registry = sample();
  for (const auto& c : kRight) {
    DYNAMIC_SECTION(c.name) {
      const auto parsed = parse_command_line(registry, c.words);
      const auto* const found = std::get_if<Invocation>(&parsed);
      REQUIRE(found != nullptr);
      CHECK(found->command->name == c.command);
      CHECK(found->arguments.operands() == c.operands);
    }
  }
}

struct WrongCase {
  const char* name;
  std::vector<std::string> words;
  const char* text;
};

const WrongCase kWrong[] = {
    {"nothing", {}, "a command is missing"},
    {"only an option", {"--state", "/s"}, "a command is missing"},
    {"only an unknown option", {"--x"}, "unknown option \"--x\""},
    {"a group", {"box"}, "box: a command is missing"},
    {"unknown in a group",
     {"box", "ad"},
     "box: unknown command \"ad\"; did you mean \"add\"?"},
    {"the unknown command is said before the option",
     {"lst", "--x"},
     "unknown command \"lst\"; did you mean \"list\"?"},
    {"a number that is none",
     {"list", "--most", "-1"},
     "list: --most: \"-1\" is not a number"},
    {"a number too large",
     {"list", "--most=99999999999999999999"},
     "list: --most: \"99999999999999999999\" is not a number"},
    {"an option of another command",
     {"read", "--json"},
     "read: unknown option \"--json\""},
    {"too few", {"box", "drop"}, "box drop: NAME is missing"},
    {"too many", {"read", "a", "b"}, "read: too many operands: \"b\""},
    {"controls are escaped", {"\x1b[2J"}, "unknown command \"\\x1b[2J\""},
};

TEST_CASE("what is wrong with a command line is said", "[command]") {
  const Registry registry = sample();
  for (const auto& c : kWrong) {
    DYNAMIC_SECTION(c.name) {
      const auto parsed = parse_command_line(registry, c.words);
      const auto* const error = std::get_if<UsageError>(&parsed);
      REQUIRE(error != nullptr);
      CHECK(error->text == c.text);
      CHECK(error->hint.ends_with('\n'));
    }
  }
}

TEST_CASE("the last of two values counts", "[command]") {
  const Registry registry = sample();
  const auto parsed =
      parse_command_line(registry, {"--most", "1", "list", "--most=2", "--json"});
  const auto& arguments = std::get<Invocation>(parsed).arguments;
  CHECK(arguments.number("--most") == 2);
  CHECK(arguments.json());
  CHECK(arguments.config() == "/etc/mxfeed");
}

TEST_CASE("the worse of two exit codes is a dangerous state", "[command]") {
  CHECK(worse(ExitCode::fine, ExitCode::wrong) == ExitCode::wrong);
  CHECK(worse(ExitCode::differs, ExitCode::wrong) == ExitCode::differs);
  CHECK(worse(ExitCode::differs, ExitCode::unscanned) == ExitCode::unscanned);
  CHECK(worse(ExitCode::try_later, ExitCode::wrong) == ExitCode::wrong);
  for (const auto code : all_exit_codes()) {
    CHECK(worse(code, ExitCode::fine) == code);
    CHECK(worse(code, code) == code);
  }
}

}  // namespace
}  // namespace mxfeed
