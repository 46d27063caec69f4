// A configuration file in its own words, to tell what differs between two versions of it. Reads nothing into
// the words: whether they are right is the parser's matter.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace conf {

class ConfigWords {
 public:
  ConfigWords() = default;
  explicit ConfigWords(std::string_view text);  // no TOML: no words
  static ConfigWords load(const std::string& path);

  struct Entry {
    std::string table;       // "" of the top, "[mx]", "[[rule]] google", "[[rule]] google [[threshold]] 1"
    std::string key, value;  // as TOML writes it; a secret is not shown
    int line = 0;
  };
  std::vector<Entry> entries() const;  // every key that is set, in the order of the file
  // The key of the table that begins at this line, or of a table in it of that name; line 0: it is not set.
  Entry find(int table_line, const std::string& key) const;
  int line_of(const std::string& table) const;  // where it begins; 0: there is none

  // A line for each key, or table, that is new, gone or another: "max_outbound_connections: 100 -> 200
  // (line 5)", "[[rule]] isp: new (line 12)". In the order of the file; what is gone comes last. Values of
  // secrets are not in it.
  std::vector<std::string> changes_to(const ConfigWords& after) const;

 private:
  friend class WordCollector;
  struct Value {
    std::string text;  // as TOML writes it
    int line = 0;
    bool secret = false;
    std::string shown() const;  // long ones are cut
  };
  struct Table {
    std::string name;    // "" of the top, "[mx]", "[[rule]] google", "[[rule]] google [[threshold]] 1"
    std::string parent;  // the name of the table that it stands in
    std::string kind;    // "[[rule]]": those of a kind stand in an order; "": there is one
    int line = 0;
    std::map<std::string, Value> values;
  };

  const Table* named(const std::string& name) const;  // null: there is none
  std::vector<std::string> order_of(const std::string& kind, const ConfigWords& also_in) const;

  std::vector<Table> tables_;
  std::map<std::string, size_t> index_;  // by name
};

}  // namespace conf
