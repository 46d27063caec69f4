// What the transcripts of both golden tests share: their escapes, and the ways in which the bytes of the
// other side are cut.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace relay::smtp {

struct GoldenStep {
  char kind = 'D';  // 'S' or 'C': bytes of the other side; 'D': a directive
  std::string text;
  std::string written;              // what our side must have written after it
  std::vector<std::string> events;  // what must have happened
};

// Bytes of the other side: one step with those before, unless something was to be seen between.
inline void add_bytes(char kind, const std::string& bytes, std::vector<GoldenStep>* steps, size_t* octets) {
  const bool joins = !steps->empty() && steps->back().kind == kind && steps->back().written.empty() &&
                     steps->back().events.empty();
  if (!joins) steps->push_back({kind, "", "", {}});
  steps->back().text += bytes;
  *octets += bytes.size();
}

// "\r", "\n", "\\", "\xHH", and "\{x*600}" for a repeated text.
inline std::string unescape(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
    } else if (text[++i] == 'x') {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else if (text[i] == '{') {
      const size_t end = text.find('}', i);
      const size_t star = text.rfind('*', end);
      const std::string part = text.substr(i + 1, star - i - 1);
      for (int n = std::stoi(text.substr(star + 1, end - star - 1)); n > 0; --n) out += part;
      i = end;
    } else {
      out += text[i] == 'r' ? '\r' : text[i] == 'n' ? '\n' : text[i];
    }
  }
  return out;
}

// Hands `text` to `take` in pieces. `splits`: where it is cut, counted over the whole transcript; `offset`:
// where it begins there.
template <typename Take>
void in_pieces(std::string_view text, const std::vector<size_t>& splits, size_t offset, const Take& take) {
  size_t begin = 0;
  for (auto cut = std::upper_bound(splits.begin(), splits.end(), offset); begin < text.size(); ++cut) {
    const size_t end = cut == splits.end() ? text.size() : std::min(*cut - offset, text.size());
    take(text.substr(begin, end - begin));
    if (end == text.size()) return;
    begin = end;
  }
}

// The transcripts of a folder, by name.
template <typename Load>
auto transcripts_of(const std::filesystem::path& folder, const Load& load) {
  std::vector<decltype(load(folder))> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") out.push_back(load(entry.path()));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

// `play(transcript, splits)`: from beginning to end.
template <typename Transcripts, typename Play>
void play_byte_by_byte(const Transcripts& transcripts, const Play& play) {
  for (const auto& transcript : transcripts) {
    std::vector<size_t> splits(transcript.octets);
    for (size_t i = 0; i < splits.size(); ++i) splits[i] = i;
    play(transcript, splits);
  }
}

// Of transcripts above 2,000 octets some places only.
template <typename Transcripts, typename Play>
void play_split_at_every_point(const Transcripts& transcripts, const Play& play) {
  for (const auto& transcript : transcripts) {
    const size_t stride = 1 + transcript.octets / 2000;
    for (size_t at = 1; at < transcript.octets; at += stride) {
      play(transcript, std::vector<size_t>{at});
      if (testing::Test::HasFailure()) FAIL() << transcript.name << " split at " << at;
    }
  }
}

}  // namespace relay::smtp
