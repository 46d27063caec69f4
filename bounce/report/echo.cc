#include "bounce/report/echo.h"

#include <array>
#include <unordered_set>

#include "bounce/report/mime_codec.h"
#include "bounce/report/mime_reader.h"
#include "bounce/report/notice_words.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

constexpr size_t kShortestEcho = 12;  // octets of a sentence; shorter ones anybody writes
constexpr size_t kMessageOctets = 64 << 10;
constexpr size_t kSubjectOctets = 400;

bool tells(const std::array<uint8_t, WordTable::kTopics>& words) {
  return words[kSaysFailure] + words[kSaysDelay] + words[kSaysDelivered] + words[kSaysNews] > 0;
}

// Where the sentence ends that begins at `from`: behind its full stop, or at the end of its line.
size_t sentence_end(std::string_view text, size_t from) {
  for (size_t at = from; at < text.size(); ++at) {
    if (text[at] == '\n') return at + 1;
    const bool stop = text[at] == '.' || text[at] == '!' || text[at] == '?';
    if (stop && at + 1 < text.size() && is_blank(text[at + 1])) return at + 1;
    if (text.substr(at).starts_with("\xe3\x80\x82")) return at + 3;  // the full stop of Chinese and Japanese
  }
  return text.size();
}

// Without the marks of a quotation, at both ends.
std::string_view bare_sentence(std::string_view sentence) {
  constexpr std::string_view kMarks = " \t\r\n>|\"'*-:.!?";
  const size_t begin = sentence.find_first_not_of(kMarks);
  if (begin == kNowhere) return {};
  return sentence.substr(begin, sentence.find_last_not_of(kMarks) + 1 - begin);
}

// Folded as the tables of words fold it; empty where it is too short, or says nothing that they know.
std::string telling_sentence(std::string_view sentence) {
  const std::string_view bare = bare_sentence(sentence);
  if (bare.size() < kShortestEcho || !tells(notice_words().count(bare, bare.size()))) return {};
  return plain_words(bare, bare.size());
}

// Those of the text of a message.
std::unordered_set<std::string> telling_sentences(std::string_view original) {
  std::unordered_set<std::string> sentences;
  for (const Part& part : read_mail(original).parts) {
    if (!part.type.starts_with("text/")) continue;
    const std::string text = part_text(part, kMessageOctets);
    if (!tells(notice_words().count(text, kMessageOctets))) continue;
    for (size_t at = 0, end = 0; at < text.size(); at = end) {
      end = sentence_end(text, at);
      sentences.insert(telling_sentence(std::string_view(text).substr(at, end - at)));
    }
  }
  sentences.erase("");
  return sentences;
}

}  // namespace

std::string telling_subject(std::string_view original) {
  const Part header = read_header(original);
  std::string subject = one_line(decode_words(header.field("subject").substr(0, kSubjectOctets)));
  if (subject.size() < kShortestEcho) return {};
  return tells(subject_words().count(subject, kSubjectOctets)) ||
                 tells(notice_words().count(subject, kSubjectOctets))
             ? subject
             : std::string();
}

std::string without_subject(std::string_view text, std::string_view subject) {
  if (subject.empty()) return std::string(text);
  const std::string wanted = conf::ascii_lower(subject);
  std::string out;
  size_t at = 0;
  for (size_t found = 0; (found = find_folded(text, wanted, at)) != kNowhere; at = found + wanted.size())
    out.append(text.substr(at, found - at));
  return out.append(text.substr(at));
}

std::string without_echo(std::string_view text, std::string_view original) {
  std::string rest = without_subject(text, telling_subject(original));
  const std::unordered_set<std::string> ours = telling_sentences(original);
  if (ours.empty()) return rest;
  std::string out;
  for (size_t at = 0, end = 0; at < rest.size(); at = end) {
    end = sentence_end(rest, at);
    const std::string_view sentence = std::string_view(rest).substr(at, end - at);
    const bool echo = ours.contains(telling_sentence(sentence));
    out.append(echo ? std::string_view(sentence.ends_with('\n') ? "\n" : " ") : sentence);
  }
  return out;
}

}  // namespace bounce::report
