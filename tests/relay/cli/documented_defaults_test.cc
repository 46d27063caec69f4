// The defaults in the tables of docs/configuration.md are those of the program.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "conf/config_parser.h"
#include "conf/config_words.h"
#include "relay/cli/all_settings.h"

namespace relay::cli {
namespace {

// One of each table, with no more than it must have.
constexpr const char* kFile = R"(hostname = "relay.example.com"
[[listener]]
address = "127.0.0.1:25"
[[user]]
name = "shop"
secret = "$y$j9T$salt$hash"
[[source]]
name = "news"
[[stream]]
name = "all"
sources = ""
[[login]]
name = "main"
user = "u"
file = "/f"
[[dkim_key]]
domain = "example.com"
selector = "s"
file = "/k"
[returns]
keys = "/k"
[[return_path]]
domain = "return.example.com"
[[return_mailbox]]
url = "imaps://imap.example.com"
login = "main"
)";

// `"1d"` and `"24h"` are one value, and so are `"65536"` and 65536.
std::string plain(std::string value) {
  if (value.size() > 1 && value.front() == '"') value = value.substr(1, value.size() - 2);
  if (auto length = conf::parse_duration(value); length.ok()) return std::to_string(length->count()) + " us";
  if (value.ends_with('B'))
    if (auto size = conf::parse_size(value); size.ok()) return std::to_string(*size);
  return value;
}

// The values that are built in, by "TABLE KEY" without brackets.
std::map<std::string, std::string> built_in() {
  std::map<std::string, std::string> values;
  for (const nlohmann::json& row : all_settings("p.toml", kFile, conf::ConfigWords(kFile))) {
    if (row.at("where") != "built in") continue;
    std::smatch table;
    const std::string name = row.at("table");
    std::regex_search(name, table, std::regex("[a-z_]+"));
    values[table.str() + ' ' + row.at("key").get<std::string>()] = plain(row.at("value"));
  }
  return values;
}

TEST(ConfigDocs, TheDefaultsAreThoseOfTheProgram) {
  const std::regex heading(R"(^(?:## )?`\[+([a-z_.]+)\]+`.*)");
  const std::regex row(R"(^\| `([a-z_0-9]+)` \| [^|]+ \| `?(true|false|[0-9.]+|"[^"|]+")`? \|.*)");
  const std::map<std::string, std::string> values = built_in();
  std::ifstream docs(std::string(PENSTOCK_SOURCE_DIR) + "/docs/configuration.md");
  std::string table;
  size_t compared = 0;
  for (std::string line; std::getline(docs, line);) {
    std::smatch match;
    if (std::regex_match(line, match, heading)) table = match[1];
    if (!std::regex_match(line, match, row)) continue;
    const auto value = values.find(table + ' ' + match[1].str());
    if (value == values.end()) continue;  // a rule has what it is given, and nothing built in
    EXPECT_EQ(plain(match[2]), value->second) << table << ' ' << match[1];
    ++compared;
  }
  EXPECT_GT(compared, 120U);
}

}  // namespace
}  // namespace relay::cli
