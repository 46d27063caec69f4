// Reads one TOML table key by key: checks types and ranges, and in the end reports the keys that nobody asked
// for, with the nearest right one. For this folder.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "conf/asked_keys.h"
#include "conf/config.h"
#include "conf/config_parser.h"
#include "conf/toml.h"
#include "conf/toml_text.h"

namespace conf {

class TableReader {
 public:
  // `table` may be null: then every key is absent. `name` is shown in messages: "[spool]". `asked` (may be
  // null) gets each key that is read here, with what `*out` held before.
  TableReader(const toml::table* table, std::string name, std::string file, std::vector<Problem>* problems,
              std::vector<AskedKey>* asked = nullptr)
      : table_(table), name_(std::move(name)), file_(std::move(file)), problems_(problems), asked_(asked) {}

  // Each leaves `*out` as it is when the key is absent or wrong; true when it was there and good.
  bool text(const char* key, std::string* out);
  bool flag(const char* key, bool* out);
  bool number(const char* key, uint32_t* out, uint32_t least, uint32_t most);
  bool share(const char* key, double* out);  // 0 to 1
  bool duration(const char* key, Duration* out, Duration least = Duration(0));
  bool size(const char* key, uint64_t* out, uint64_t least = 0);
  // "90%" or 0.9, exactly, as parts of a million.
  bool parts_per_million(const char* key, uint32_t* out);
  bool numbers(const char* key, std::vector<uint32_t>* out, uint32_t least, uint32_t most);
  // `places` (may be null) gets the place of each.
  bool texts(const char* key, std::vector<std::string>* out, std::vector<TextPlace>* places = nullptr);
  // What holds when the key is not set, where that is no value of `*out`. Before the key is read.
  void preset(const char* key, std::string text) {
    if (notes(key)) note(key, std::move(text));
  }
  bool unset(const char* key);  // the value is the word "unset"
  // One of the words; `*out` gets its index.
  bool choice(const char* key, const std::vector<const char*>& words, size_t* out);
  const toml::table* table(const char* key);
  // [[key]]; what is not a table in it is reported.
  std::vector<const toml::table*> tables(const char* key);

  // Reports at the value of the key, or at the table when the key is absent.
  void report(const char* key, std::string message, bool warning = false);
  bool has(const char* key) const { return table_ != nullptr && table_->contains(key); }
  int line() const;
  TextPlace place(const char* key = nullptr) const;  // of its value; without it, of the table
  // A reader of a table within this one.
  TableReader inner(const toml::table* table, std::string name) const {
    return {table, std::move(name), file_, problems_, asked_};
  }
  void finish();  // unknown keys
  const std::string& name() const { return name_; }
  const std::vector<std::string>& known() const { return known_; }

 private:
  const toml::node* find(const char* key);
  bool notes(const char* key) const;
  void note(const char* key, std::string preset);
  void wrong_type(const char* key, const toml::node& node, const char* wanted);
  void report_at(const toml::source_region& where, std::string message, bool warning);

  const toml::table* table_;
  std::string name_;
  std::string file_;
  std::vector<Problem>* problems_;
  std::vector<AskedKey>* asked_;
  std::vector<std::string> known_;
};

}  // namespace conf
