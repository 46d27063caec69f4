#include <gtest/gtest.h>

#include <string>

#include "tests/conf/config_rig.h"

namespace conf {
namespace {

TEST(Returns, TheFirstPathOfTheSenderHolds) {
  const ConfigPtr config = good(std::string(kMinimal) + R"(
[returns]
keys = "/k"
[[return_path]]
senders = ["quiet.example"]
domain = "return.example"
verp = "off"
[[return_path]]
senders = ["*.shop.example"]
domain = "Return.Shop.example"
prefix = "b"
verp = "domain"
[[return_path]]
domain = "return.example"
)");
  const auto path = [&](const char* sender) {
    return config->returns.path_for(Mailbox::parse(sender).value());
  };
  EXPECT_EQ(path("a@quiet.example"), nullptr);
  EXPECT_EQ(path("a@news.shop.example")->domain, "return.shop.example");
  EXPECT_EQ(path("a@news.shop.example")->verp, VerpGrade::kDomain);
  EXPECT_EQ(path("a@other.example")->prefix, "bounces");
  EXPECT_EQ(config->returns.path_for(Mailbox()), nullptr) << "the null reverse-path stays null";
}

TEST(Returns, MistakesAreTold) {
  const auto problems = [](const std::string& text) {
    return all_problems(parse_config(std::string(kMinimal) + text, "t.toml"));
  };
  EXPECT_NE(problems("[[return_path]]\ndomain = \"r.example\"\n").find("needs a file of keys"),
            std::string::npos);
  EXPECT_NE(problems("[returns]\nkeys = \"/k\"\n[[return_path]]\n").find("where does mail come back to?"),
            std::string::npos);
  EXPECT_NE(problems("[returns]\nkeys = \"/k\"\n[[return_path]]\ndomain = \"[192.0.2.1]\"\n")
                .find("is not a domain"),
            std::string::npos);
  EXPECT_NE(problems("[returns]\nkeys = \"/k\"\n[[return_path]]\ndomain = \"r.example\"\nprefix = \"a+b\"\n")
                .find("at most 26 letters"),
            std::string::npos);
  EXPECT_NE(problems("[returns]\nfeedback = [\"a@b.example\"]\nwatch = [\"/m\"]\nunmatched = \"/m\"\n")
                .find("read again"),
            std::string::npos);
  EXPECT_NE(problems("[returns]\nfeedback = [\"no address\"]\n").find("\"no address\""), std::string::npos);
}

TEST(Returns, AMailboxIsReadFromItsUrl) {
  const auto place = [](const std::string& url) {
    const Result<MailboxPlace> parsed = MailboxPlace::parse(url);
    return parsed.ok() ? parsed.value().text() : "";
  };
  EXPECT_EQ(place("pop3s://Mail.Example.com"), "pop3s://mail.example.com:995");
  EXPECT_EQ(place("pop3://192.0.2.1:1110/"), "pop3://192.0.2.1:1110");
  EXPECT_EQ(place("imaps://imap.example.com"), "imaps://imap.example.com:993/INBOX");
  EXPECT_EQ(place("imap://[2001:db8::1]:1143/Bounces/2026"), "imap://[2001:db8::1]:1143/Bounces/2026");
  for (const char* bad :
       {"", "pop3s:", "pop3s://", "http://a.example", "pop3s://u@a.example", "pop3s://a.example/INBOX",
        "imaps://a.example:0", "imaps://a.example:99999", "imaps://a b", "imaps://a.example/x?y",
        "imaps://a.example/x\"y", "imaps://a.example/a\r\nb", "imaps://[::1"})
    EXPECT_EQ(place(bad), "") << bad;
}

TEST(Returns, MistakesOfAMailboxAreTold) {
  const auto problems = [](const std::string& text) {
    return all_problems(
        parse_config(std::string(kMinimal) +
                         "[[login]]\nname = \"l\"\nuser = \"u\"\nfile = \"/f\"\n[[return_mailbox]]\n" + text,
                     "t.toml"));
  };
  const std::string good = "url = \"imap://a.example\"\nlogin = \"l\"\n";
  EXPECT_EQ(problems(good), "");
  EXPECT_NE(problems("login = \"l\"\n").find("where is the mailbox?"), std::string::npos);
  EXPECT_NE(problems("url = \"imap://a.example\"\n").find("the name of a [[login]]"), std::string::npos);
  EXPECT_NE(problems("url = \"imap://a.example\"\nlogin = \"x\"\n").find("there is no [[login]]"),
            std::string::npos);
  EXPECT_NE(
      problems("url = \"imaps://a.example\"\nlogin = \"l\"\ntls = \"off\"\n").find("TLS from the start"),
      std::string::npos);
  EXPECT_NE(problems(good + "tls = \"off\"\n").find("without_tls = true"), std::string::npos);
  EXPECT_NE(problems(good + "[[return_mailbox]]\n" + good).find("polled by another"), std::string::npos);
  EXPECT_NE(problems(good + "bacth = 3\n").find("bacth"), std::string::npos);
  const std::string told = problems("url = \"ftp://a.example\"\nlogin = \"l\"\n");
  EXPECT_NE(told.find("is no mailbox"), std::string::npos) << told;
  EXPECT_NE(told.find("t.toml:"), std::string::npos) << told;
}

}  // namespace
}  // namespace conf
