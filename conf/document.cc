#include "conf/document.h"

#include <algorithm>

#include "conf/read_file.h"
#include "conf/table_reader.h"
#include "conf/toml_root.h"

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
bool Section::texts(const char* key, std::vector<std::string>* out, std::vector<Place>* places) {
  std::vector<TextPlace> found;
  if (!reader_->texts(key, out, &found)) return false;
  if (places == nullptr) return true;
  for (const TextPlace& place : found) places->push_back({place.line, place.column});
  return true;
}
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
int Section::line() const { return reader_->line(); }
void Section::finish() { reader_->finish(); }

struct Document::State {
  std::string file;
  toml::table root;
  std::vector<Problem> problems;
};

Document::Document(std::string_view text, std::string file_name) : state_(std::make_unique<State>()) {
  state_->file = std::move(file_name);
  parse_toml(text, state_->file, &state_->root, &state_->problems);
}
Document::~Document() = default;

std::unique_ptr<Document> Document::load(const std::string& path) {
  const Result<std::string> text = read_file(path);
  auto document = std::make_unique<Document>(text.ok() ? text.value() : "", path);
  if (!text.ok()) document->state_->problems = {{path, 0, 0, "cannot be read: " + text.error().detail}};
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
