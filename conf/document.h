// A TOML file that is not the relay's configuration (a scenario of the load tools), read key by key with all
// its errors at once. TOML itself stays hidden behind this.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config_parser.h"
#include "conf/vocab/time.h"

namespace conf {

class TableReader;

// One table of a document. Each reader leaves `*out` as it is when the key is absent or wrong, and is true
// when it was there and good. Valid while its Document lives.
class Section {
 public:
  explicit Section(std::unique_ptr<TableReader> reader);
  ~Section();
  Section(Section&&) noexcept;
  Section& operator=(Section&&) noexcept;

  bool text(const char* key, std::string* out);
  bool flag(const char* key, bool* out);
  bool number(const char* key, uint32_t* out, uint32_t least, uint32_t most);
  bool share(const char* key, double* out);
  bool duration(const char* key, Duration* out, Duration least = Duration(0));
  bool size(const char* key, uint64_t* out);
  struct Place {
    int line = 0, column = 1;
  };
  // `places` (may be null) gets the place of each.
  bool texts(const char* key, std::vector<std::string>* out, std::vector<Place>* places = nullptr);
  bool choice(const char* key, const std::vector<const char*>& words, size_t* out);
  std::vector<Section> sections(const char* key, const std::string& name);  // [[key]]
  void report(const char* key, std::string message);  // at the value, or at the table without it
  bool has(const char* key) const;
  int line() const;  // where the table begins
  void finish();     // unknown keys

 private:
  friend class Document;
  std::unique_ptr<TableReader> reader_;
  std::string file_;
  std::vector<Problem>* problems_ = nullptr;
};

class Document {
 public:
  // Never fails as such: what is wrong is in problems().
  Document(std::string_view text, std::string file_name);
  // Reads the file; an unreadable one is a problem at line 0.
  static std::unique_ptr<Document> load(const std::string& path);
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  Section root();
  std::vector<Problem> problems() const;  // in order of place

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace conf
