#include "relay/host/configuration.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/relay/host/configuration_rig.h"
#include "tests/temporary_folder.h"

namespace relay {
namespace {

class TemporaryFile {
 public:
  TemporaryFile(const std::string& name, const std::string& text) : path_(folder_ / name) {
    std::ofstream(path_) << text;
  }
  const std::string& path() const { return path_; }

 private:
  TemporaryFolder folder_;
  std::string path_;
};

TEST(Configuration, AllErrorsAtOnceInOrder) {
  const Configuration read = parse_configuration(
      "hostname = \"relay.example.com\"\n[[rule]]\nname = \"r\"\nmx = [\"*\"]\nrate = \"0/s\"\n"
      "[[listener]]\naddress = 25\n[[rule]]\nname = \"s\"\nmx = [\"a b\"]\n",
      "p.toml");
  EXPECT_EQ(texts(read),
            "p.toml:5:8: a rate of 0 would stop all mail; leave it out for no limit\n"
            "p.toml:7:11: [[listener]] address: wanted is a text in quotes, this is a value of type integer\n"
            "p.toml:10:7: mask \"a b\": ' ' cannot stand in a mask of a name\n");
}

TEST(Configuration, SourcesHaveIdentifiers) {
  const Configuration read = good(
      std::string(kMinimal) + "[[source]]\nname = \"a\"\n[[source]]\nname = \"b\"\nid = 7\nwarmup = true\n");
  EXPECT_EQ(read.config->sources[0].id, 1U);
  EXPECT_FALSE(read.config->sources[0].warmup);
  EXPECT_EQ(read.config->sources[1].id, 7U);
  EXPECT_TRUE(read.config->sources[1].warmup);
  EXPECT_EQ(
      texts(parse_configuration(
          std::string(kMinimal) + "[[source]]\nname = \"a\"\nid = 2\n[[source]]\nname = \"b\"\n", "p.toml")),
      "p.toml:7:1: [[source]] id: 2 is the identifier of source \"a\" already (without id it is the position "
      "in the file)\n");
}

TEST(Configuration, SecretsThatOthersReadOrGuessAreAWarning) {
  const TemporaryFolder folder;
  const std::string file = folder / "secrets.toml";
  std::ofstream(file) << kMinimal
                      << "auth = true\nauth_without_tls = true\n[[user]]\nname = \"a\"\nsecret = \"$6$x$y\"\n"
                      << "[[user]]\nname = \"b\"\nsecret = \"$1$x$y\"\n";
  for (const unsigned mode : {0666U, 0604U, 0660U, 0640U, 0600U}) {
    std::filesystem::permissions(file, static_cast<std::filesystem::perms>(mode));
    const Configuration read = load_configuration(file);
    ASSERT_NE(read.config, nullptr) << texts(read);
    const bool said = texts(read).find("are open to others here: chmod 640 " + file) != std::string::npos;
    EXPECT_EQ(said, (mode & 027U) != 0) << mode << texts(read);
    EXPECT_NE(texts(read).find("the secret of [[user]] b is an MD5 hash"), std::string::npos);
    EXPECT_EQ(texts(read).find("[[user]] a is"), std::string::npos);
  }
}

// Of another mail server, say: every login would fail, and nothing would tell why.
TEST(Configuration, AHashThatThisSystemDoesNotKnowIsAWarning) {
  const Configuration read = good(std::string(kAlone) +
                                  "auth = true\nauth_without_tls = true\n"
                                  "[[user]]\nname = \"a\"\nsecret = \"$argon2id$v=19$m=65536,t=3,p=1$x$y\"\n"
                                  "[[user]]\nname = \"b\"\nsecret = \"$y$j9T$abc$def\"\n"
                                  "[[user]]\nname = \"c\"\nsecret = \"$2b$12$abc\"\n");
  EXPECT_EQ(
      texts(read),
      "p.toml: warning: the secret of [[user]] a is no hash that crypt(3) of this system knows: nobody can "
      "log in with it; `penstock hash-password` makes one\n");
}

TEST(Configuration, ShippedRulesFromAFile) {
  const TemporaryFile rules("rules.toml", "[[rule]]\nname = \"theirs\"\nmx = [\"*\"]\nmax_connections = 3\n");
  const TemporaryFile main("main.toml",
                           std::string(kMinimal) + "[mx]\nshipped_rules = \"" + rules.path() + "\"\n");
  const Configuration read = load_configuration(main.path());
  ASSERT_NE(read.book, nullptr) << texts(read);
  ASSERT_EQ(read.book->rules().size(), 1U);
  EXPECT_TRUE(read.book->rules()[0]->shipped);
  EXPECT_EQ(read.book->rules()[0]->values.max_connections.origin.text(), rules.path() + ":4 (rule theirs)");
}

TEST(Configuration, ErrorsInAFileOfRulesCarryItsName) {
  const TemporaryFile rules("bad.toml",
                            "hostname = \"x\"\n[[rule]]\nname = \"r\"\nmx = [\"*\"]\nrate = \"0/s\"\n");
  const TemporaryFile main("main2.toml", std::string(kMinimal) + "[mx]\nshipped_rules = \"" + rules.path() +
                                             "\"\n[[rule]]\nname = \"r\"\nmessages_per_hour = 0\n");
  const Configuration read = load_configuration(main.path());
  EXPECT_EQ(read.config, nullptr);
  EXPECT_EQ(texts(read),
            main.path() + ":8:21: messages_per_hour = 0 would stop all mail; leave it out for no limit\n" +
                rules.path() +
                ":1:1: there is no key \"hostname\" here; it belongs to the top of penstock.toml, before the "
                "first [table]\n" +
                rules.path() + ":5:8: a rate of 0 would stop all mail; leave it out for no limit\n");
  const TemporaryFile lost("main3.toml",
                           std::string(kMinimal) + "[mx]\nshipped_rules = \"/nonexistent.toml\"\n");
  EXPECT_EQ(
      texts(load_configuration(lost.path())),
      lost.path() + ":5:17: [mx] shipped_rules: cannot read /nonexistent.toml: No such file or directory\n");
}

// [replies] rules: seen from the folder of the configuration, read at load, with its examples.
TEST(Configuration, LocalReplyRulesAreReadAndTheirExamplesRun) {
  const TemporaryFolder folder;
  const std::string file = folder / "penstock.toml", rules = folder / "own.toml";
  const auto write = [](const std::string& path, const std::string& text) { std::ofstream(path) << text; };
  write(file,
        "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:2525\"\n"
        "[replies]\nrules = \"own.toml\"\n");
  const std::string rule =
      "[[reply]]\nname = \"own\"\ntext = [\"go away\"]\nreason = \"refused\"\ntype = \"soft\"\n"
      "scope = \"site\"\n";
  write(rules, rule + "match = [\"550 go away\"]\n");
  const Configuration good = load_configuration(file);
  ASSERT_NE(good.qualifier, nullptr) << good.problems.front().text();
  const bounce::Reply reply = bounce::Reply::make(550, "go away");
  EXPECT_EQ(good.qualifier->qualify({bounce::Stage::kRcpt, &reply}).rule, "own");

  write(rules, rule + "match = [\"550 stay here\"]\n");
  const Configuration bad = load_configuration(file);
  EXPECT_EQ(bad.config, nullptr);
  EXPECT_EQ(bad.qualifier, nullptr);
  ASSERT_EQ(bad.problems.size(), 1U);
  EXPECT_EQ(bad.problems[0].text(),
            rules + ":7:10: rule \"own\": its example \"550 stay here\": no rule decides it");

  std::filesystem::remove(rules);
  EXPECT_EQ(load_configuration(file).config, nullptr);
}

TEST(Configuration, ReplyRulesOfItsOwnStandBeforeTheOthersAndTheirExamplesRun) {
  const std::string head = "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:2525\"\n";
  const std::string rule =
      "[[reply]]\nname = \"own\"\ntext = [\"no such user here\"]\nreason = \"refused\"\ntype = \"soft\"\n"
      "scope = \"site\"\n";
  const Configuration good =
      parse_configuration(head + rule + "match = [\"550 No such user here\"]\n[log]\nkeep = 3\n", "p.toml");
  ASSERT_NE(good.qualifier, nullptr) << good.problems.front().text();
  const bounce::Reply reply = bounce::Reply::make(550, "no such user here");
  EXPECT_EQ(good.qualifier->qualify({bounce::Stage::kRcpt, &reply}).rule, "own");

  const Configuration bad = parse_configuration(head + rule + "match = [\"550 stay here\"]\n", "p.toml");
  EXPECT_EQ(bad.config, nullptr);
  ASSERT_EQ(bad.problems.size(), 1U);
  EXPECT_EQ(bad.problems[0].text(),
            "p.toml:10:10: rule \"own\": its example \"550 stay here\": no rule decides it");

  const Configuration wrong = parse_configuration(head + rule + "reson = \"refused\"\n", "p.toml");
  EXPECT_EQ(wrong.config, nullptr);
  ASSERT_EQ(wrong.problems.size(), 1U);
  EXPECT_EQ(wrong.problems[0].text().rfind("p.toml:10:1: ", 0), 0U) << wrong.problems[0].text();
}

}  // namespace
}  // namespace relay
