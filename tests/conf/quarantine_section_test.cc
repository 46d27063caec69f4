#include <gtest/gtest.h>

#include "tests/conf/config_rig.h"

namespace conf {
namespace {

TEST(QuarantineSection, ListenersInheritTheActionAndMaySayTheirOwn) {
  const ParsedConfig parsed =
      parse_config(std::string(kMinimal) +
                       "[[listener]]\naddress = \"127.0.0.1:26\"\nquarantine = \"log\"\n"
                       "[quarantine]\naction = \"report\"\nmax_errors = 3\n",
                   "t.toml");
  ASSERT_NE(parsed.config, nullptr);
  EXPECT_EQ(parsed.config->listeners[0].quarantine, QuarantineAction::kReport);
  EXPECT_EQ(parsed.config->listeners[1].quarantine, QuarantineAction::kLog);
  EXPECT_EQ(parsed.config->quarantine.max_errors, 3U);
  EXPECT_EQ(parsed.config->quarantine.clean_after, Duration(240h));
}

TEST(QuarantineSection, NumbersThatCannotWorkTogetherAreErrorsWithTheirPlace) {
  struct Case {
    const char* text;
    const char* problem;
  };
  for (const Case& c : {
           Case{"[quarantine]\nerror_interval = \"1h\"\nerror_tolerance = \"1h\"\n",
                "6:19: [quarantine] error_tolerance: is not shorter"},
           Case{"[quarantine]\nclean_after = \"5h\"\n", "clean_after: is shorter than error_interval"},
           Case{"[quarantine]\nbypass_users = [\"nobody\"]\n", "no [[user]] with name = \"nobody\""},
           Case{"[quarantine]\nbypass_header = \"X Mandated\"\n", "not the name of a header field"},
           Case{"[quarantine]\nmax_error = 3\n", "max_errors"},
           Case{"[outage_guard]\noutage_share = 0.01\n", "at least twice expected_share"},
       }) {
    const ParsedConfig parsed = parse_config(std::string(kMinimal) + c.text, "t.toml");
    EXPECT_EQ(parsed.config, nullptr) << c.text;
    EXPECT_NE(all_problems(parsed).find(c.problem), std::string::npos) << all_problems(parsed);
  }
}

}  // namespace
}  // namespace conf
