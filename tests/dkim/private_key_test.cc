#include "dkim/private_key.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/dkim/mails.h"
#include "tests/temporary_folder.h"

namespace dkim {
namespace {

class KeyFile : public testing::Test {
 protected:
  void write(std::string_view text, mode_t mode = 0600) {
    std::ofstream(path_) << text;
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }
  std::string why() {
    const auto key = PrivateKey::load(path_);
    return key.ok() ? "" : key.error().detail;
  }
  TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "key.pem";
};

TEST_F(KeyFile, BothKindsComeBack) {
  for (const auto& key : {rsa_key(), ed_key()}) {
    write(key->pem().view(), 0640);
    const auto loaded = PrivateKey::load(path_);
    ASSERT_TRUE(loaded.ok()) << loaded.error().detail;
    EXPECT_EQ(loaded.value()->public_text(), key->public_text());
    EXPECT_EQ(loaded.value()->algorithm(), key->algorithm());
  }
}

TEST_F(KeyFile, Pkcs1IsTaken) {
  write(rsa_key()->pem().view());
  const std::string command = "openssl rsa -traditional -in " + path_.string() + " -out " + path_.string() +
                              ".1 2>/dev/null && mv " + path_.string() + ".1 " + path_.string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  ASSERT_NE(read_file(path_).find("BEGIN RSA PRIVATE KEY"), std::string::npos);
  EXPECT_EQ(PrivateKey::load(path_).value()->public_text(), rsa_key()->public_text());
}

TEST_F(KeyFile, ABadModeIsRefused) {
  write(rsa_key()->pem().view(), 0644);
  EXPECT_NE(why().find("is open to others; a private key wants: chmod 640"), std::string::npos) << why();
  write(rsa_key()->pem().view(), 0660);
  EXPECT_NE(why().find("is open to others"), std::string::npos) << "its group could exchange it";
}

TEST_F(KeyFile, AnotherOwnerIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  write(rsa_key()->pem().view());
  ASSERT_EQ(chown(path_.c_str(), 12345, 0), 0);
  EXPECT_NE(why().find("belongs to another user (12345)"), std::string::npos) << why();
}

TEST_F(KeyFile, RootReadsAKeyOfTheUserItWillBecome) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const passwd* user = getpwnam("nobody");
  ASSERT_NE(user, nullptr);
  write(rsa_key()->pem().view());
  ASSERT_EQ(chown(path_.c_str(), user->pw_uid, 0), 0);
  EXPECT_TRUE(PrivateKey::load(path_, "nobody").ok());
  EXPECT_FALSE(PrivateKey::load(path_, "daemon").ok());
  EXPECT_FALSE(PrivateKey::load(path_, "no-such-user").ok());
  EXPECT_FALSE(PrivateKey::load(path_).ok());
}

TEST_F(KeyFile, WhatIsNoKey) {
  EXPECT_NE(why().find("No such file"), std::string::npos);
  write("hello");
  EXPECT_NE(why().find("is not a PEM file"), std::string::npos);
  write("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  EXPECT_NE(why().find("holds no readable private key"), std::string::npos);
  write(rsa_key()->pem().view().substr(0, 500));
  EXPECT_NE(why().find("holds no readable private key"), std::string::npos) << "cut short";
}

TEST_F(KeyFile, WrongKinds) {
  write(PrivateKey::generate(Algorithm::kRsaSha256, 768)->pem().view());
  EXPECT_NE(why().find("has 768 bits; verifiers take at least 1024"), std::string::npos);
  EXPECT_TRUE(PrivateKey::generate(Algorithm::kRsaSha256, 1024)->weak());
  EXPECT_FALSE(rsa_key()->weak());
  const std::string path = path_.string();
  ASSERT_EQ(std::system(("openssl ecparam -genkey -name prime256v1 -noout -out " + path).c_str()), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  EXPECT_NE(why().find("is neither an RSA nor an Ed25519 key"), std::string::npos) << why();
  ASSERT_EQ(std::system(("openssl genpkey -algorithm ed25519 -aes128 -pass pass:x -out " + path).c_str()), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  EXPECT_NE(why().find("is encrypted"), std::string::npos) << why();
}

}  // namespace
}  // namespace dkim
