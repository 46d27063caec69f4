// What people do by hand with the table of texts and with rules: penstock qualify, penstock classify.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/relay/cli/command_rig.h"
#include "tests/temporary_folder.h"

namespace relay::cli {
namespace {

class QualifyTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  Outcome qualify(std::vector<std::string> words) const {
    words.insert(words.begin(),
                 {"qualify", "-c", "/nonexistent", "--table", (folder_ / "table").string(), "--ledger",
                  (folder_ / "ledger.db").string(), "--socket", (folder_ / "socket").string()});
    return command(std::move(words));
  }
  // Puts one reply into the table.
  void learn(int code, const std::string& reply) const {
    const nlohmann::json event = {{"reply_code", code}, {"reply", reply}, {"site", "mx.x.example"}};
    ASSERT_EQ(qualify({"learn", write("log", event.dump() + "\n")}).exit_code, kDone);
  }

  TemporaryFolder folder_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " in " << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST_F(QualifyTest, SetRefusesHardForAReplyThatMayPass) {
  learn(450, "Klaatu barada nikto");
  const Outcome answer = qualify(
      {"set", "450 Klaatu barada nikto", "--type", "hard", "--scope", "recipient", "--apply-to-past"});
  EXPECT_EQ(answer.exit_code, kUsage);
  EXPECT_NE(answer.err.find("a 4yz is never hard"), std::string::npos) << answer.err;
  EXPECT_EQ(qualify({"list"}).out.find("hard"), std::string::npos);
  learn(550, "Klaatu barada nikto");
  EXPECT_EQ(qualify({"set", "550 Klaatu barada nikto", "--type", "hard", "--scope", "recipient"}).exit_code,
            kDone);
}

TEST_F(QualifyTest, ImportRefusesHardForAReplyThatMayPassAsSetDoes) {
  learn(450, "Klaatu barada nikto");
  const std::string soft = "\tsoft\tmessage\t", hard = "\thard\trecipient\t";
  const std::string exported = qualify({"export"}).out;
  const std::string type =
      exported.find("\tnot-defined\t") != std::string::npos ? "\tnot-defined\tmessage\t" : soft;
  Outcome answer = qualify({"import", write("bad", replaced(exported, type, hard)), "--apply-to-past"});
  EXPECT_EQ(answer.exit_code, kUsage);
  EXPECT_NE(answer.err.find("a 4yz is never hard"), std::string::npos) << answer.err;
  EXPECT_NE(answer.err.find("/bad: row "), std::string::npos) << answer.err;
  EXPECT_EQ(qualify({"export"}).out, exported) << "nothing was taken";
  answer =
      qualify({"import", write("other", replaced(exported, type, "\thard\tsender\t")), "--apply-to-past"});
  EXPECT_EQ(answer.exit_code, kUsage) << "hard is about the recipient alone";
  EXPECT_EQ(qualify({"import", write("good", exported), "--apply-to-past"}).exit_code, kDone);
}

constexpr const char* kRule = R"([[reply]]
name = "own"
text = ["klaatu"]
mx = ["*.gort.example"]
domains = ["earth.example"]
stage = ["rcpt"]
reason = "refused"
type = "soft"
scope = "site"
)";

TEST_F(QualifyTest, ExplainTakesWhereTheReplyWasMet) {
  const std::string rules = write("rules.toml", kRule);
  const auto explain = [&](std::vector<std::string> place) {
    place.insert(place.begin(), {"--rules", rules, "explain", "550 Klaatu barada nikto"});
    return qualify(std::move(place));
  };
  const std::vector<std::string> place = {
      "--host", "MX1.gort.example", "--domain", "kim@Earth.example", "--stage", "rcpt"};
  const Outcome answer = explain(place);
  EXPECT_EQ(answer.exit_code, kDone) << answer.err;
  EXPECT_NE(answer.out.find("rule      own ("), std::string::npos) << answer.out;
  for (size_t without = 0; without < place.size(); without += 2) {
    std::vector<std::string> less = place;
    less.erase(less.begin() + static_cast<std::ptrdiff_t>(without),
               less.begin() + static_cast<std::ptrdiff_t>(without) + 2);
    EXPECT_EQ(explain(less).out.find("own"), std::string::npos) << "without " << place[without];
  }
  const Outcome wrong = explain({"--stage", "later"});
  EXPECT_EQ(wrong.exit_code, kUsage);
  EXPECT_NE(wrong.err.find("\"later\" is no stage"), std::string::npos) << wrong.err;
}

TEST_F(QualifyTest, ClassifyReadsARulesFileBeforeTheShippedRules) {
  const std::string replies = write("replies", "550 5.1.1 Klaatu: user unknown\n550 5.1.1 user unknown\n");
  const std::string rules = write("rules.toml", R"([[reply]]
name = "own"
text = ["klaatu"]
reason = "refused"
type = "ignored"
scope = "site"
match = ["550 5.1.1 Klaatu: user unknown"]
)");
  const Outcome answer = command({"classify", "--rules", rules, "--threads", "1", replies});
  ASSERT_EQ(answer.exit_code, kDone) << answer.err;
  const size_t end = answer.out.find('\n');
  const nlohmann::json first = nlohmann::json::parse(answer.out.substr(0, end));
  EXPECT_EQ(first.at("rule"), "own");
  EXPECT_EQ(first.at("type"), "Ignored");
  EXPECT_EQ(first.at("scope"), "site");
  EXPECT_EQ(nlohmann::json::parse(answer.out.substr(end + 1)).at("rule"), "user-unknown");
}

TEST_F(QualifyTest, ClassifyNamesThePlaceOfAnErrorInARulesFile) {
  const std::string replies = write("replies", "550 5.1.1 user unknown\n");
  const std::string rules = write("rules.toml",
                                  "[[reply]]\nname = \"own\"\ntext = [\"klaatu\"]\nreason = \"refused\"\n"
                                  "type = \"soft\"\nscope = \"site\"\nmatch = [\"550 something else\"]\n");
  const Outcome answer = command({"classify", "--rules", rules, replies});
  EXPECT_EQ(answer.exit_code, kUsage);
  EXPECT_NE(answer.err.find("rules.toml:7:"), std::string::npos) << answer.err;
  EXPECT_EQ(command({"classify", "--rules", rules + ".none", replies}).exit_code, kUsage);
}

}  // namespace
}  // namespace relay::cli
