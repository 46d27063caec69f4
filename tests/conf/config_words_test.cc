#include "conf/config_words.h"

#include <gtest/gtest.h>

namespace conf {
namespace {

using Lines = std::vector<std::string>;

Lines changes(const std::string& before, const std::string& after) {
  return ConfigWords(before).changes_to(ConfigWords(after));
}

constexpr const char* kBefore = R"(hostname = "relay.example.com"
max_outbound_connections = 100
[defaults]
validity = "5d"
tls = "opportunistic"
[[rule]]
name = "isp"
mx = ["*.isp.example"]
max_connections = 10
[[rule.threshold]]
error_rate = "90%"
[[rule]]
name = "rest"
mx = ["*"]
)";

std::string edited(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  return at == std::string::npos ? "no such text" : text.replace(at, from.size(), to);
}

TEST(ConfigWords, TheSameFileHasNoChanges) {
  EXPECT_EQ(changes(kBefore, kBefore), Lines());
  EXPECT_EQ(changes(kBefore, edited(kBefore, "validity = \"5d\"", "validity   =   \"5d\"  # days")), Lines());
}

TEST(ConfigWords, SaysWhichKeyIsAnotherAndWhere) {
  EXPECT_EQ(changes(kBefore, edited(kBefore, "= 100", "= 200")),
            Lines{"max_outbound_connections: 100 -> 200 (line 2)"});
  EXPECT_EQ(changes(kBefore, edited(kBefore, "\"5d\"", "\"3d\"")),
            Lines{"[defaults] validity: \"5d\" -> \"3d\" (line 4)"});
  EXPECT_EQ(changes(kBefore, edited(kBefore, "connections = 10\n", "connections = 20\nburst = 2\n")),
            (Lines{"[[rule]] isp max_connections: 10 -> 20 (line 9)",
                   "[[rule]] isp burst: not set -> 2 (line 10)"}));
  EXPECT_EQ(changes(kBefore, edited(kBefore, "tls = \"opportunistic\"\n", "")),
            Lines{"[defaults] tls: \"opportunistic\" -> not set"});
  EXPECT_EQ(changes(kBefore, edited(kBefore, "90%", "80%")),
            Lines{"[[rule]] isp [[threshold]] 1 error_rate: \"90%\" -> \"80%\" (line 11)"});
}

TEST(ConfigWords, TablesComeGoAndMove) {
  const std::string more =
      std::string(kBefore) + "[[rule]]\nname = \"new\"\n[[rule.threshold]]\nprobes = 1\n";
  EXPECT_EQ(changes(kBefore, more), Lines{"[[rule]] new: new (line 15)"});
  EXPECT_EQ(changes(more, kBefore), Lines{"[[rule]] new: gone"});
  const std::string a = "[[rule]]\nname = \"a\"\n", b = "[[rule]]\nname = \"b\"\n";
  EXPECT_EQ(changes(a + b, b + a), Lines{"[[rule]]: stand in another order"});
  EXPECT_EQ(changes("[mx]\nshipped_rules = \"off\"\n", ""), Lines{"[mx]: gone"});
}

TEST(ConfigWords, TablesWithoutANameAreKnownByWhatTheyAreFor) {
  EXPECT_EQ(changes("[[listener]]\naddress = \"127.0.0.1:25\"\n",
                    "[[listener]]\naddress = \"127.0.0.1:25\"\nauth = true\n"),
            Lines{"[[listener]] 127.0.0.1:25 auth: not set -> true (line 3)"});
  EXPECT_EQ(changes("[[destination]]\ndomains = [\"a.example\"]\n",
                    "[[destination]]\ndomains = [\"a.example\"]\ntls = \"off\"\n"),
            Lines{"[[destination]] a.example tls: not set -> \"off\" (line 3)"});
  // Two of one name stay apart.
  EXPECT_EQ(changes("[[rule]]\nmx = [\"*\"]\n[[rule]]\nmx = [\"*\"]\n",
                    "[[rule]]\nmx = [\"*\"]\n[[rule]]\nmx = [\"*\"]\nburst = 2\n"),
            Lines{"[[rule]] * #2 burst: not set -> 2 (line 5)"});
}

TEST(ConfigWords, SecretsAreNotShownAndLongValuesAreCut) {
  EXPECT_EQ(changes("[[user]]\nname = \"app\"\nsecret = \"$y$old\"\n",
                    "[[user]]\nname = \"app\"\nsecret = \"$y$new\"\n"),
            Lines{"[[user]] app secret: (a secret) -> (a secret) (line 3)"});
  const Lines told = changes("a = \"\"\n", "a = \"" + std::string(500, 'x') + "\"\n");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_LT(told[0].size(), 100U);
}

TEST(ConfigWords, FindsAKeyAndItsLine) {
  const ConfigWords words("[defaults]\nvalidity = \"5d\"\nfirst_tries = { host = [\"5m\"] }\n" +
                          std::string("[[user]]\nname = \"app\"\nsecret = \"$y$x\"\n"));
  EXPECT_EQ(words.line_of("[defaults]"), 1);
  EXPECT_EQ(words.line_of("[nothing]"), 0);
  EXPECT_EQ(words.find(1, "validity").line, 2);
  EXPECT_EQ(words.find(1, "validity").value, "\"5d\"");
  EXPECT_EQ(words.find(1, "first_tries").line, 3);
  EXPECT_EQ(words.find(1, "tls").line, 0);
  EXPECT_EQ(words.find(4, "secret").value, "(a secret)");
  const std::vector<ConfigWords::Entry> all = words.entries();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].table + ' ' + all[0].key, "[defaults] validity");
  EXPECT_EQ(all[3].value, "(a secret)");
}

TEST(ConfigWords, WhatIsNoTomlHasNoWords) {
  EXPECT_EQ(changes("[", "["), Lines());
  EXPECT_EQ(ConfigWords::load("/nonexistent/penstock.toml").changes_to(ConfigWords("")), Lines());
}

}  // namespace
}  // namespace conf
