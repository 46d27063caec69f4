#include <gtest/gtest.h>

#include "conf/vocab/address.h"
#include "tests/conf/config_rig.h"

namespace conf {
namespace {

constexpr const char* kHead =
    "hostname = \"relay.example.com\"\n[[listener]]\nname = \"bulk\"\naddress = \"127.0.0.1:25\"\n"
    "[[user]]\nname = \"crm\"\nsecret = \"$y$x\"\n[[source]]\nname = \"tx\"\n[[source]]\nname = \"news\"\nid "
    "= 7\n";

std::string problems_of(const std::string& rest) {
  const ParsedConfig parsed = parse_config(kHead + rest, "t.toml");
  return (parsed.config == nullptr ? "" : "taken\n") + all_problems(parsed);
}

TEST(StreamSection, HasEveryKey) {
  const ParsedConfig parsed = parse_config(std::string(kHead) +
                                               "[[stream]]\nname = \"newsletter\"\nsenders = "
                                               "[\"*@News.example.com\", \"Bücher.example\", \"<>\"]\n"
                                               "users = [\"crm\"]\nlisteners = [\"bulk\"]\nheader = "
                                               "\"X-Stream:  spring sale \"\nsources = \"2-7\"\n"
                                               "[[stream]]\nname = \"rest\"\nsources = \"\"\n",
                                           "t.toml");
  ASSERT_NE(parsed.config, nullptr);
  ASSERT_EQ(parsed.config->streams.size(), 2U);
  const Stream& stream = parsed.config->streams[0];
  EXPECT_EQ(stream.name, "newsletter");
  EXPECT_EQ(stream.senders, (std::vector<std::string>{"*@News.example.com", "xn--bcher-kva.example", "<>"}));
  EXPECT_EQ(stream.users, std::vector<std::string>{"crm"});
  EXPECT_EQ(stream.listeners, std::vector<std::string>{"bulk"});
  EXPECT_EQ(stream.header_name, "X-Stream");
  EXPECT_EQ(stream.header_value, "spring sale");
  EXPECT_TRUE(stream.sources.contains(7));
  EXPECT_FALSE(stream.sources.contains(1));
  EXPECT_TRUE(parsed.config->streams[1].sources.contains(1)) << "an empty text is all, as in a [[rule]]";
}

TEST(StreamSection, SaysWhatIsWrongAndWhere) {
  struct Case {
    const char* keys;
    const char* problem;
  };
  for (const Case& c : {
           Case{"sources = \"1\"", "t.toml:13:1: [[stream]] name: is missing"},
           Case{"name = \"a\"", "t.toml:13:1: [[stream]] sources: is missing"},
           Case{"name = \"a\"\nsources = \"2-1\"",
                "t.toml:15:11: [[stream]] sources: \"2-1\" is not a range"},
           Case{"name = \"a\"\nsources = \"3-6\"", "t.toml:15:11: [[stream]] sources: \"3-6\": there is no"},
           Case{"name = \"a\"\nsources = \"1\"\nusers = [\"nobody\"]",
                "users: there is no [[user]] with name = "},
           Case{"name = \"a\"\nsources = \"1\"\nlisteners = [\"x\"]",
                "there is no [[listener]] with name = \"x\""},
           Case{"name = \"a\"\nsources = \"1\"\nusers = []", "users: is empty"},
           Case{"name = \"a\"\nsources = \"1\"\nsenders = [\"a b\"]",
                "senders: \"a b\" is no mask of senders"},
           Case{"name = \"a\"\nsources = \"1\"\nsenders = [\"<a@b>\"]", "is no mask of senders"},
           Case{"name = \"a\"\nsources = \"1\"\nheader = \"X-Stream\"",
                "header: \"X-Stream\" is no header field"},
           Case{"name = \"a\"\nsources = \"1\"\nheader = \"X Stream: a\"", "is no header field with a value"},
           Case{"name = \"a\"\nsources = \"1\"\nsender = [\"a\"]", "did you mean \"senders\""},
           Case{"name = \"a\"\nsources = \"1\"\n[[stream]]\nname = \"a\"\nsources = \"7\"",
                "\"a\" is the name of another stream"},
       }) {
    const std::string said = problems_of("[[stream]]\n" + std::string(c.keys) + "\n");
    EXPECT_NE(said.find(c.problem), std::string::npos) << c.keys << "\nsaid: " << said;
    EXPECT_EQ(said.find("taken"), std::string::npos) << c.keys;
  }
}

TEST(SenderMask, IsForTheAddressOrTheDomain) {
  const Mailbox sender = Mailbox::parse("News@Shop.example").value();
  EXPECT_TRUE(sender_matches("shop.example", sender));
  EXPECT_TRUE(sender_matches("*@shop.example", sender));
  EXPECT_TRUE(sender_matches("news@*", sender));
  EXPECT_FALSE(sender_matches("sales@shop.example", sender));
  EXPECT_FALSE(sender_matches("<>", sender));
  EXPECT_TRUE(sender_matches("<>", Mailbox()));
  EXPECT_FALSE(sender_matches("*", Mailbox())) << "the null reverse-path has no domain";
}

}  // namespace
}  // namespace conf
