#include <gtest/gtest.h>

#include <string>

#include "tests/conf/config_rig.h"

namespace conf {
namespace {

std::string login_problem(const std::string& text) {
  return all_problems(parse_config(std::string(kMinimal) + text, "t.toml"));
}

TEST(Login, ASecretIsForTheHostsItWasWrittenFor) {
  const std::string logins =
      "[[login]]\nname = \"a\"\nuser = \"u\"\nfile = \"/a\"\n"
      "[[login]]\nname = \"b\"\nuser = \"u\"\ncommand = [\"/bin/token\", \"x\"]\nmechanism = \"xoauth2\"\n";
  const ConfigPtr config =
      good(std::string(kMinimal) + logins +
           "[defaults]\nsmart_hosts = [\"one.example:587\"]\nlogin = \"a\"\n"
           "[[destination]]\ndomains = [\"x.example\"]\nsmart_hosts = [\"two.example\"]\n"
           "[[destination]]\ndomains = [\"y.example\"]\ntls_min = \"1.3\"\n"
           "[[rule]]\nname = \"r\"\ndomains = [\"z.example\"]\nlogin = \"b\"\n"
           "smart_hosts = [\"three.example\"]\nimplicit_tls = true\n");
  EXPECT_EQ(config->defaults.peer.login, "a");
  EXPECT_EQ(config->destinations[0].settings.peer.login, "") << "other hosts: not the login of the defaults";
  EXPECT_EQ(config->destinations[1].settings.peer.login, "a");
  EXPECT_EQ(config->destinations[1].settings.peer.tls_min, TlsVersion::k13);
  EXPECT_EQ(config->rules[0].fields.login.value, "b");
  ASSERT_NE(config->login("b"), nullptr);
  EXPECT_EQ(config->login("b")->mechanism, LoginMechanism::kXoauth2);
}

TEST(Login, WhatIsWrong) {
  const std::string head = "[[login]]\nname = \"a\"\n", user = "user = \"u\"\n", file = "file = \"/a\"\n";
  EXPECT_EQ(login_problem(head + user + file), "");
  EXPECT_NE(login_problem(head + user).find("one of file, credential and command"), std::string::npos);
  EXPECT_NE(login_problem(head + user + file + "credential = \"c\"\n").find("one of"), std::string::npos);
  EXPECT_NE(login_problem(head + file).find("whose secret is it?"), std::string::npos);
  EXPECT_NE(login_problem(head + user + "password = \"x\"\n").find("password"), std::string::npos);
  EXPECT_NE(login_problem(head + user + "credential = \"../x\"\n").find("is not the name"),
            std::string::npos);
  EXPECT_NE(login_problem(head + user + "command = [\"token\"]\n").find("whole path"), std::string::npos);
  EXPECT_NE(login_problem(head + user + file + "key = \"/k\"\n").find("go together"), std::string::npos);
  EXPECT_NE(login_problem(head + user + file + head + user + file).find("another login"), std::string::npos);
  EXPECT_NE(login_problem(head + user + file + "[defaults]\nlogin = \"a\"\n").find("goes with smart_hosts"),
            std::string::npos);
  EXPECT_NE(login_problem("[defaults]\nsmart_hosts = [\"h.example\"]\nlogin = \"z\"\n").find("no [[login]]"),
            std::string::npos);
  EXPECT_NE(login_problem("[[rule]]\nname = \"r\"\ndomains = [\"d.example\"]\nlogin = \"z\"\n"
                          "smart_hosts = [\"h.example\"]\n")
                .find("no [[login]]"),
            std::string::npos);
}

}  // namespace
}  // namespace conf
