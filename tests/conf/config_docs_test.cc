// docs/configuration.md and the packaged file: every key is told of there, and every example is good.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "tests/conf/config_rig.h"

namespace conf {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/" + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Every key that the parser asks for stands in docs/configuration.md, and every example there is good.
TEST(ConfigDocs, EveryKeyIsExplained) {
  const std::string docs = read("docs/configuration.md");
  std::set<std::string> keys;
  const std::regex asks(
      R"((?:->|\.)(?:text|flag|number|share|duration|size|texts|choice|table|tables)\(\s*"([a-z_0-9]+)\")");
  for (const auto& source : std::filesystem::directory_iterator(PENSTOCK_SOURCE_DIR "/conf")) {
    if (source.path().extension() != ".cc") continue;
    const std::string code = read("conf/" + source.path().filename().string());
    for (std::sregex_iterator it(code.begin(), code.end(), asks), end; it != end; ++it) keys.insert((*it)[1]);
  }
  EXPECT_GT(keys.size(), 150U);
  for (const std::string& key : keys) {
    const bool named =
        docs.find('`' + key + '`') != std::string::npos || docs.find('[' + key + ']') != std::string::npos;
    EXPECT_TRUE(named) << key;
  }
}

TEST(ConfigDocs, TheManualHasEveryTable) {
  const std::string manual = read("packaging/man/penstock.toml.5");
  std::istringstream docs(read("docs/configuration.md"));
  const std::regex table(R"(`(\[+[a-z_]+\]+)`)");
  size_t tables = 0;
  for (std::string line; std::getline(docs, line);) {
    if (line.rfind("## ", 0) != 0) continue;
    for (std::sregex_iterator it(line.begin(), line.end(), table), end; it != end; ++it, ++tables) {
      EXPECT_NE(manual.find((*it)[1]), std::string::npos) << (*it)[1];
    }
  }
  EXPECT_GE(tables, 20U);
}

TEST(ConfigDocs, EveryExampleIsGood) {
  const std::string docs = read("docs/configuration.md");
  size_t examples = 0;
  for (size_t at = docs.find("```toml\n"); at != std::string::npos; at = docs.find("```toml\n", at + 1)) {
    const size_t begin = at + 8;
    std::string text = docs.substr(begin, docs.find("```", begin) - begin);
    if (text.find("hostname") == std::string::npos) text = "hostname = \"relay.example.com\"\n" + text;
    if (text.find("[[listener]]") == std::string::npos)
      text += "\n[[listener]]\naddress = \"127.0.0.1:25\"\n";
    const ParsedConfig parsed = parse_config(text, "example");
    EXPECT_NE(parsed.config, nullptr) << text << all_problems(parsed);
    ++examples;
  }
  EXPECT_GT(examples, 5U);
}

// The examples of the tables: each key by itself, with what it needs beside it.
TEST(ConfigDocs, EveryKeyHasAGoodExample) {
  std::istringstream docs(read("docs/configuration.md"));
  const std::regex heading(R"(^## (?:`\[+([a-z]+)\]+`)?.*)");
  const std::regex part(R"(^`\[+([a-z_.]+)\]+`:$)");  // of a section
  const std::regex row(R"(^\| `([a-z_0-9]+)` \| [^|]+ \| [^|]+ \| `([^`]+)` \| [^|]+ \|$)");
  const std::map<std::string, std::string> beside = {
      {"listener", "address = \"127.0.0.1:25\"\n"},
      {"user", "name = \"someone\"\nsecret = \"$y$j9T$salt$hash\"\n"},
      {"source", "name = \"someone\"\n"},
      {"stream", "name = \"s\"\nsources = \"2\"\n"},
      {"tls", "certificate = \"/c.pem\"\nkey = \"/k.pem\"\n"},
      {"defaults", "domains = [\"example.org\"]\n"},
      {"dkim", "default_domain = \"example.com\"\n"},
      {"dkim_key", "domain = \"example.com\"\nselector = \"s\"\nfile = \"/k.pem\"\n"},
      {"rule", "name = \"r\"\nadaptive_min = 1\nadaptive_max = 100000\nrate = \"1/s\"\n"},
      {"rule.threshold", "block = \"1s\"\n"},
      {"return_path", "domain = \"return.example.com\"\n"},
      {"return_mailbox", "url = \"imap://imap.example.com\"\nlogin = \"main\"\n"},
      {"login", "name = \"main\"\nuser = \"u\"\nfile = \"/etc/secret\"\n"},
  };
  const std::set<std::string> many = {"login",       "listener",       "user",  "source",
                                      "destination", "dkim_key",       "rule",  "rule.threshold",
                                      "return_path", "return_mailbox", "stream"};
  std::string section;
  size_t examples = 0;
  for (std::string line; std::getline(docs, line);) {
    std::smatch match;
    if (std::regex_match(line, match, heading)) section = match[1];
    if (std::regex_match(line, match, part)) section = match[1];
    if (line.rfind("| `", 0) != 0) continue;
    ASSERT_TRUE(std::regex_match(line, match, row)) << line;
    const std::string key = match[1];
    const std::string setting = key + " = " + match[2].str() + "\n";
    const auto needed = beside.find(section);
    std::istringstream others(needed == beside.end() ? "" : needed->second);
    std::string text;
    for (std::string other; std::getline(others, other);) {
      if (other.rfind(key + " ", 0) != 0) text += other + "\n";
    }
    if (key == "tls_verify") text += "tls = \"required\"\n";
    if (key == "login" && section != "return_mailbox") text += "smart_hosts = [\"relay.example.net\"]\n";
    if (section == "login" && (key == "credential" || key == "command"))
      text.erase(text.find("file"), text.find('\n', text.find("file")) + 1 - text.find("file"));
    if (key == "certificate" && section == "login") text += "key = \"/k.pem\"\n";
    if (key == "key" && section == "login") text += "certificate = \"/c.pem\"\n";
    text += setting;
    const std::string name = section == "defaults" ? "destination" : section;
    if (!section.empty()) text.insert(0, many.contains(name) ? "[[" + name + "]]\n" : "[" + name + "]\n");
    if (section == "rule.threshold") text.insert(0, "[[rule]]\nname = \"r\"\n");
    if (key != "hostname") text.insert(0, "hostname = \"relay.example.com\"\n");
    if (section != "listener") text += "[[listener]]\naddress = \"127.0.0.1:25\"\n";
    if (key == "role") text += "[returns]\nfeedback = [\"fbl@return.example.com\"]\n";
    if (section == "stream")
      text +=
          "[[listener]]\nname = \"bulk\"\naddress = \"127.0.0.1:26\"\n[[source]]\nname = \"news\"\nid = 2\n";
    if (section == "return_path") text += "[returns]\nkeys = \"/k\"\n";
    if (section == "dkim") text += "[[dkim_key]]\n" + beside.at("dkim_key");
    if (section != "user") text += "[[user]]\nname = \"shop\"\nsecret = \"$y$j9T$salt$hash\"\n";
    if (section != "login") text += "[[login]]\n" + beside.at("login");
    if (section != "tls") text += "[tls]\ncertificate = \"/c.pem\"\nkey = \"/k.pem\"\n";
    const ParsedConfig parsed = parse_config(text, "example");
    EXPECT_NE(parsed.config, nullptr) << text << all_problems(parsed);
    ++examples;
  }
  EXPECT_GT(examples, 80U);
}

TEST(ConfigDocs, ThePackagedFileIsGood) {
  const ParsedConfig parsed = parse_config(read("packaging/penstock.toml"), "penstock.toml");
  EXPECT_NE(parsed.config, nullptr) << all_problems(parsed);
}

}  // namespace
}  // namespace conf
