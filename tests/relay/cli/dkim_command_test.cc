// `penstock dkim`.
#include <fstream>
#include <string>
#include <vector>

#include "tests/relay/cli/cli_rig.h"

namespace relay::cli {
namespace {

TEST_F(CliTest, DkimKeygenWritesAKeyAndItsRecord) {
  const std::string key = (folder_ / "key.pem").string();
  const std::vector<std::string> words = {"dkim",       "keygen", "--domain", "Example.com",
                                          "--selector", "s1",     "--out",    key};
  const Outcome made = command(words);
  EXPECT_EQ(made.exit_code, kDone) << made.err;
  EXPECT_EQ(made.out.find("s1._domainkey.example.com. IN TXT ( \"v=DKIM1; k=rsa; p="), 0U) << made.out;
  EXPECT_EQ(fs::status(key).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const Outcome again = command(words);
  EXPECT_EQ(again.exit_code, kFailed);
  EXPECT_NE(again.err.find("a key is never overwritten"), std::string::npos) << again.err;
  EXPECT_EQ(command({"dkim", "keygen", "--domain", "a b", "--selector", "s", "--out", key}).exit_code,
            kUsage);
  EXPECT_EQ(
      command({"dkim", "keygen", "--domain", "a.example", "--selector", "s", "--out", key, "--bits", "1024"})
          .exit_code,
      kUsage);
}

TEST_F(CliTest, DkimCheckComparesTheRecord) {
  const std::string key = (folder_ / "key.pem").string();
  ASSERT_EQ(command({"dkim", "keygen", "--domain", "example.com", "--selector", "s1", "--out", key, "--type",
                     "ed25519"})
                .exit_code,
            kDone);
  const std::vector<std::string> words = {"dkim",       "check", "--domain", "example.com",
                                          "--selector", "s1",    "--key",    key};
  known_texts.clear();
  Outcome outcome = command(words);
  EXPECT_EQ(outcome.exit_code, kFailed);
  EXPECT_NE(
      outcome.out.find("there is no TXT record at s1._domainkey.example.com; it should be\n  s1._domainkey"),
      std::string::npos)
      << outcome.out;
  const size_t begin = outcome.out.find('"') + 1;
  known_texts["s1._domainkey.example.com"] = outcome.out.substr(begin, outcome.out.find('"', begin) - begin);
  outcome = command(words);
  EXPECT_EQ(outcome.exit_code, kDone) << outcome.out;
  EXPECT_NE(outcome.out.find("good (ed25519-sha256"), std::string::npos) << outcome.out;
  known_texts["s1._domainkey.example.com"] = "v=DKIM1; k=ed25519; p=";
  EXPECT_NE(command(words).out.find("revoked"), std::string::npos);
  std::vector<std::string> elsewhere = words;
  elsewhere.insert(elsewhere.end(), {"--dns", "192.0.2.1"});
  EXPECT_NE(command(elsewhere).out.find("no answer"), std::string::npos);
  // The keys of a configuration, and `penstock check`, which reads them too.
  const std::string config = (folder_ / "penstock.toml").string();
  std::ofstream(config) << "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n"
                        << "[[dkim_key]]\ndomain = \"example.com\"\nselector = \"s1\"\nfile = \"" << key
                        << "\"\n";
  EXPECT_EQ(command({"dkim", "check", "-c", config}).exit_code, kFailed);
  EXPECT_NE(command({"check", "-c", config}).out.find("1 DKIM key"), std::string::npos);
  // The name servers of the configuration are asked, unless the command names another.
  std::ofstream(config, std::ios::app) << "[dns]\nservers = [\"192.0.2.1\"]\n";
  EXPECT_NE(command({"dkim", "check", "-c", config}).out.find("no answer"), std::string::npos);
  std::vector<std::string> here = words;
  here.insert(here.end(), {"-c", config});
  EXPECT_NE(command(here).out.find("no answer"), std::string::npos);
  here.insert(here.end(), {"--dns", "192.0.2.2"});
  EXPECT_EQ(command(here).out.find("no answer"), std::string::npos);
  fs::permissions(key, fs::perms::others_read, fs::perm_options::add);
  const Outcome open = command({"check", "-c", config});
  EXPECT_EQ(open.exit_code, kUsage);
  EXPECT_NE(open.err.find("penstock.toml:4:1: [[dkim_key]] file: "), std::string::npos) << open.err;
}

TEST_F(CliTest, DkimSignAndVerify) {
  const std::string key = (folder_ / "key.pem").string();
  const Outcome made =
      command({"dkim", "keygen", "--domain", "example.com", "--selector", "s1", "--out", key});
  std::string record;
  for (size_t at = made.out.find('"'); at != std::string::npos; at = made.out.find('"', at + 1)) {
    const size_t end = made.out.find('"', at + 1);
    record += made.out.substr(at + 1, end - at - 1);
    at = end;
  }
  known_texts["s1._domainkey.example.com"] = record;
  const std::string signed_file = (folder_ / "signed.eml").string();
  for (const std::string engine : {"evp", "opendkim"}) {
    for (const std::string line_end : {"\n", "\r\n"}) {
      type_in("From: a@example.com" + line_end + "Subject: x" + line_end + line_end + "body" + line_end);
      const Outcome made_signature = command(
          {"dkim", "sign", "--domain", "example.com", "--selector", "s1", "--key", key, "--engine", engine});
      ASSERT_EQ(made_signature.exit_code, kDone) << made_signature.err;
      EXPECT_EQ(made_signature.out.find("DKIM-Signature: v=1;"), 0U);
      EXPECT_EQ(made_signature.out.find('\r') != std::string::npos, line_end == "\r\n");
      std::ofstream(signed_file, std::ios::binary) << made_signature.out;
      const Outcome verified = command({"dkim", "verify", signed_file});
      EXPECT_EQ(verified.exit_code, kDone);
      EXPECT_EQ(verified.out, "pass d=example.com s=s1 a=rsa-sha256\n");
      std::ofstream(signed_file, std::ios::binary | std::ios::app) << "more";
      const Outcome changed = command({"dkim", "verify", signed_file});
      EXPECT_EQ(changed.exit_code, kFailed);
      EXPECT_EQ(changed.out, "fail d=example.com s=s1 a=rsa-sha256 (the body was changed)\n");
    }
  }
  type_in("From: a@example.com\n\nbody\n");
  EXPECT_EQ(command({"dkim", "verify"}).out, "none (the message has no signature)\n");
  type_in("From: a@example.com\nFrom: b@example.com\n\nbody\n");
  const Outcome two = command({"dkim", "sign", "--domain", "example.com", "--selector", "s1", "--key", key});
  EXPECT_EQ(two.exit_code, kFailed);
  EXPECT_EQ(two.err, "penstock: not signed: the message has two From fields\n");
  EXPECT_EQ(command({"dkim", "verify", "/nonexistent.eml"}).exit_code, kFailed);
}

}  // namespace
}  // namespace relay::cli
