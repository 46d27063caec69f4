#include "conf/key_hints.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace conf {
namespace {

struct Row {
  const char* key;
  const char* hint;
};

TEST(KeyHints, WordsOfOtherMailServersSlipsAndOtherTables) {
  const std::vector<std::string> destination = {"max_connections", "connect_timeout", "validity", "schedule",
                                                "tls"};
  const Row rows[] = {
      {"connection_limit", "; what KumoMTA calls so is max_connections here"},
      {"max-smtp-out", "; what PowerMTA calls so is max_connections here"},
      {"Max-Msg-Per-Connection", "; what PowerMTA calls so is max_messages_per_connection here"},
      {"smtp_destination_concurrency_limit", "; what Postfix calls so is max_connections here"},
      {"maximal_queue_lifetime", "; what Postfix calls so is validity here"},
      {"mynetworks", "; what Postfix calls so is relay_from (in a [[listener]]) here"},
      {"transport_maps", "; what Postfix calls so is [[destination]] with domains and smart_hosts here"},
      {"mx-rollup", "; what PowerMTA calls so is one_site (in a [[rule]] with mx) here"},
      {"backoff-retry-after", "; what PowerMTA calls so is schedule here"},
      {"hostname", " here; it belongs to the top of penstock.toml, before the first [table]"},
      {"messages_per_hour", " here; it is a key of [[rule]]"},
      {"threshold", "; thresholds of a rule are written as [[rule.threshold]]"},
      {"max_conections", "; did you mean \"max_connections\"?"},
      {"lifetime", "; it is called validity here"},
      {"retries", "; it is called schedule here"},
      {"wibble", ""},
  };
  for (const Row& row : rows) EXPECT_EQ(hint_for_key(row.key, destination), row.hint) << row.key;
  EXPECT_EQ(hint_for_key("port", {"address", "role"}),
            "; it is called address, with the port in it (\"127.0.0.1:25\") here");
  EXPECT_EQ(hint_for_key("error_rate", {"mx", "rate"}), " here; it is a key of [[rule.threshold]]");
  EXPECT_EQ(hint_for_key("directory", {"address", "role"}), "") << "it has no path";
}

}  // namespace
}  // namespace conf
