#include "conf/document.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "conf/table_reader.h"
#include "conf/toml.h"
#include "conf/toml_text.h"

namespace conf {

Section::Section(std::unique_ptr<TableReader> reader) : reader_(std::move(reader)) {}
Section::~Section() = default;
Section::Section(Section&&) noexcept = default;
Section& Section::operator=(Section&&) noexcept = default;

bool Section::text(const char* key, std::string* out) { return reader_->text(key, out); }
bool Section::flag(const char* key, bool* out) { return reader_->flag(key, out); }
bool Section::number(const char* key, uint32_t* out, uint32_t least, uint32_t most) {
  return reader_->number(key, out, least, most);
}
bool Section::share(const char* key, double* out) { return reader_->share(key, out); }
bool Section::duration(const char* key, Duration* out, Duration least) {
  return reader_->duration(key, out, least);
}
bool Section::size(const char* key, uint64_t* out) { return reader_->size(key, out); }
bool Section::texts(const char* key, std::vector<std::string>* out) { return reader_->texts(key, out); }
bool Section::choice(const char* key, const std::vector<const char*>& words, size_t* out) {
  return reader_->choice(key, words, out);
}
std::vector<Section> Section::sections(const char* key, const std::string& name) {
  std::vector<Section> all;
  for (const toml::table* table : reader_->tables(key)) {
    all.emplace_back(std::make_unique<TableReader>(table, name, file_, problems_));
    all.back().file_ = file_;
    all.back().problems_ = problems_;
  }
  return all;
}
void Section::report(const char* key, std::string message) { reader_->report(key, std::move(message)); }
bool Section::has(const char* key) const { return reader_->has(key); }
void Section::finish() { reader_->finish(); }

struct Document::State {
  std::string file;
  toml::table root;
  std::vector<Problem> problems;

  void parse(std::string_view text) {
    if (const std::optional<TextPlace> at = foreign_character(text)) {
      problems.push_back({file, at->line, at->column, "a character that is not ASCII stands outside quotes"});
      return;
    }
    toml::parse_result parsed;
    try {
      parsed = toml::parse(text, file);
    } catch (const TomlTrouble&) {
      const TextPlace at = bad_section_header(text);
      problems.push_back({file, at.line, at.column, "not TOML: a section is written [name] or [[name]]"});
      return;
    }
    if (!parsed) {
      const toml::source_position at = parsed.error().source().begin;
      problems.push_back({file, static_cast<int>(at.line), static_cast<int>(at.column),
                          "not TOML: " + std::string(parsed.error().description())});
      return;
    }
    root = std::move(parsed).table();
  }
};

Document::Document(std::string_view text, std::string file_name) : state_(std::make_unique<State>()) {
  state_->file = std::move(file_name);
  state_->parse(text);
}
Document::~Document() = default;

std::unique_ptr<Document> Document::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  auto document = std::make_unique<Document>(text.str(), path);
  if (!file)
    document->state_->problems = {{path, 0, 0, std::string("cannot be read: ") + std::strerror(errno)}};
  return document;
}

Section Document::root() {
  Section section(std::make_unique<TableReader>(&state_->root, "", state_->file, &state_->problems));
  section.file_ = state_->file;
  section.problems_ = &state_->problems;
  return section;
}

std::vector<Problem> Document::problems() const {
  std::vector<Problem> sorted = state_->problems;
  std::ranges::stable_sort(sorted, [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return sorted;
}

}  // namespace conf
