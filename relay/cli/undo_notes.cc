#include "relay/cli/undo_notes.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "relay/cli/qualify_files.h"

namespace relay::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// By number, the oldest first. "TABLE.undo" without a number is of a version that kept one note alone.
std::vector<std::pair<uint64_t, fs::path>> note_files(const std::string& table) {
  const fs::path path(table);
  const std::string begin = path.filename().string() + ".undo";
  std::vector<std::pair<uint64_t, fs::path>> files;
  std::error_code code;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(path.has_parent_path() ? path.parent_path() : fs::path("."), code)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(begin)) continue;
    std::string_view number = std::string_view(name).substr(begin.size());
    uint64_t at = 0;
    if (number.starts_with('.')) number.remove_prefix(1);
    const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), at);
    if (name == begin || (problem == std::errc() && end == number.data() + number.size()))
      files.emplace_back(at, entry.path());
  }
  std::ranges::sort(files);
  return files;
}

void forget(const fs::path& path) {
  std::error_code code;
  fs::remove(path, code);
  if (code) std::fprintf(stderr, "penstock: %s: %s\n", path.c_str(), code.message().c_str());
}

void forget_oldest(const std::string& table) {
  const auto files = note_files(table);
  uint64_t octets = 0;
  for (size_t i = files.size(); i-- > 0;) {
    std::error_code code;
    const uint64_t size = fs::file_size(files[i].second, code);
    octets += code ? 0 : size;
    const bool last = i + 1 == files.size();
    if (!last && (files.size() - i > kMostNotes || octets > kMostOctets)) forget(files[i].second);
  }
}

std::optional<UndoNote> read_note(const fs::path& path) {
  const std::optional<std::string> text = read_file(path.string());
  if (!text) return std::nullopt;
  const json note = json::parse(*text, nullptr, false);
  if (!note.is_object() || !note.contains("table") || !note["table"].is_string()) {
    std::fprintf(stderr,
                 "penstock: %s is damaged; that deed cannot be taken back. Remove the file to go on "
                 "with the deed before it\n",
                 path.c_str());
    return std::nullopt;
  }
  UndoNote out;
  out.what = note.value("what", "");
  out.at = conf::from_unix_micros(note.value("at", int64_t{0}) * 1'000'000);
  out.shipped = note.value("shipped", "");
  out.shipped_text = note.value("shipped_text", "");
  out.shipped_was_there = note.value("shipped_was_there", false);
  out.batch = note.value("batch", uint64_t{0});
  out.table_text = note["table"].get<std::string>();
  return out;
}

}  // namespace

bool write_undo_note(const std::string& table, const UndoNote& note) {
  const json text = {{"what", note.what},
                     {"at", note.at.time_since_epoch().count() / 1'000'000},
                     {"shipped", note.shipped},
                     {"shipped_text", note.shipped_text},
                     {"shipped_was_there", note.shipped_was_there},
                     {"batch", note.batch},
                     {"table", note.table_text}};
  const auto files = note_files(table);
  const uint64_t number = files.empty() ? 1 : files.back().first + 1;
  const std::string path = table + ".undo." + std::to_string(number);
  if (!write_file(path, text.dump(-1, ' ', true, json::error_handler_t::replace) + "\n")) return false;
  forget_oldest(table);
  return true;
}

std::optional<UndoNote> last_undo_note(const std::string& table) {
  const auto files = note_files(table);
  if (!files.empty()) return read_note(files.back().second);
  std::fprintf(stderr, "penstock: there is nothing to take back\n");
  return std::nullopt;
}

void remove_last_undo_note(const std::string& table) {
  const auto files = note_files(table);
  if (!files.empty()) forget(files.back().second);
}

std::vector<UndoNote> undo_notes(const std::string& table) {
  const auto files = note_files(table);
  std::vector<UndoNote> notes;
  for (size_t i = files.size(); i-- > 0;) {
    if (std::optional<UndoNote> note = read_note(files[i].second)) notes.push_back(std::move(*note));
  }
  return notes;
}

}  // namespace relay::cli
