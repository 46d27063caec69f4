#include "bounce/report/transcript.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bounce/report/address_text.h"
#include "bounce/report/diagnostic_text.h"
#include "bounce/report/notice_words.h"
#include "bounce/report/text.h"
#include "bounce/report/text_recipients.h"

namespace bounce::report {
namespace {

bool is_stamp(std::string_view word) {
  const bool digit = std::any_of(word.begin(), word.end(), is_digit);
  const bool marks = std::all_of(word.begin(), word.end(), [](char c) {
    return is_digit(c) || std::string_view("-:./,+[]()T").find(c) != kNowhere;
  });
  return digit && marks && word.size() > 3;
}

// Without "Mon 2024-05-13 09:12:05: [1234:2] " before it.
std::string_view without_stamp(std::string_view line) {
  constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  for (int words = 0; words < 6; ++words) {
    line = trimmed(line);
    const size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    const bool day = words == 0 && std::any_of(kDays.begin(), kDays.end(), [&](std::string_view each) {
                       return equal_ignoring_case(word, each);
                     });
    if (end == line.size() || (!day && !is_stamp(word))) break;
    line.remove_prefix(end);
  }
  return line;
}

constexpr std::array<std::string_view, 15> kPrompts = {
    "<<<", "<--", "<-", "<==", "<", ">>>", "-->", "->", "==>", ">", "S:", "R:", "C:", "server:", "client:"};

std::string_view behind_prompt(std::string_view line) {
  for (const std::string_view mark : kPrompts) {
    if (line.starts_with(mark)) return trimmed(line.substr(mark.size()));
  }
  return {};
}

// "<<< 550 x", "< 550 x", "--> 550 x", "S: 550 x": what the remote side said;
// empty otherwise.
std::string_view remote_line(std::string_view line) {
  const std::string_view said = session_line(line);
  return leading_code(said, nullptr) != 0 ? said : std::string_view();
}

constexpr std::array<std::string_view, 35> kReasonHeads = {"reason:",
                                                           "reason :",
                                                           "error:",
                                                           "error message:",
                                                           "error-text:",
                                                           "diagnostic",
                                                           "remote host said",
                                                           "said:",
                                                           "because:",
                                                           "due to",
                                                           "(reason:",
                                                           "smtp error",
                                                           "remote server returned",
                                                           "server responded",
                                                           "the error",
                                                           "the reason",

                                                           "response was",
                                                           "error text",
                                                           "technical details",
                                                           "details:",
                                                           "grund:",
                                                           "fehler:",
                                                           "raison",
                                                           "motivo:",
                                                           "errore:",
                                                           "reden:",
                                                           "powód",
                                                           "причина",
                                                           "weil:",
                                                           "parce que",
                                                           "porque:",
                                                           "perché:",
                                                           "omdat:",
                                                           "ponieważ:",
                                                           "原因"};

int line_score(std::string_view bare, std::string_view address) {
  int score = 0;
  size_t length = 0;
  if (leading_code(bare, &length) != 0) {
    score += 50;
  } else if (find_code(bare) != 0) {
    score += 40;
  }
  if (!find_status(bare).empty()) score += 25;
  if (score > 0 && !address.empty() && contains_folded(bare, conf::ascii_lower(address))) score += 12;
  for (const std::string_view head : kReasonHeads) {
    if (!contains_folded(bare, head)) continue;
    score += 22;
    break;
  }
  return score;
}

// "554 <a@b>... Service unavailable" is how a program ended that stores mail; what it said itself stands in
// the line before ("mail.local: disk quota exceeded").
std::string_view words_of_program(std::string_view bare, std::string_view before) {
  constexpr std::array<std::string_view, 6> kEnds = {
      "service unavailable",    "can't create output", "unknown mailer error",
      "operating system error", "i/o error",           "local configuration error"};
  const size_t dots = bare.find("... ");
  if (leading_code(bare, nullptr) == 0 || dots == kNowhere) return {};
  const std::string_view end = bare.substr(dots + 4);
  const bool ended = std::any_of(kEnds.begin(), kEnds.end(),
                                 [&](std::string_view each) { return starts_with_folded(end, each); });
  AddressSpan span;
  const size_t name = before.find(": ");
  const bool program = name != kNowhere && name > 0 && name < 24 && before.find(' ') > name;
  const bool own = program && session_line(before).empty() && leading_code(before, nullptr) == 0;
  return ended && own && !find_address(before, 0, &span) ? before : std::string_view();
}

}  // namespace

std::string_view session_line(std::string_view line) {
  constexpr std::array<std::string_view, 9> kCommands = {"rcpt to", "mail from", "data", "bdat",    "ehlo",
                                                         "helo",    "quit",      "rset", "starttls"};
  std::string_view said = behind_prompt(trimmed(line));
  if (said.empty()) said = behind_prompt(without_stamp(trimmed(line)));
  const bool reply = said.size() >= 3 && is_digit(said[0]) && is_digit(said[1]) && is_digit(said[2]) &&
                     (said.size() == 3 || said[3] == ' ' || said[3] == '-');
  const bool command = std::any_of(kCommands.begin(), kCommands.end(),
                                   [&](std::string_view word) { return starts_with_folded(said, word); });
  return reply || command ? said : std::string_view();
}

std::string transcript_reply(std::string_view text, std::string* host) {
  LineReader lines(text);
  std::string_view line;
  std::string last;
  std::string talking;
  std::string of_last;
  bool open = false;
  while (lines.next(&line)) {
    const size_t at = find_folded(line, "talking to ");
    if (at != kNowhere) {
      const std::string_view name = trimmed(line.substr(at + 11));
      talking = std::string(name.substr(0, name.find_first_of(" :;,")));
      while (!talking.empty() && talking.back() == '.') talking.pop_back();
    }
    const std::string_view said = remote_line(line);
    if (said.empty()) {
      open = false;
      continue;
    }
    const uint16_t code = leading_code(said, nullptr);
    const bool goes_on = open && last.starts_with(said.substr(0, 3));
    if (!goes_on) last.clear();
    if (!last.empty()) last += ' ';
    last.append(said);
    of_last = talking;
    open = said.size() > 3 && said[3] == '-' && code != 0;
  }
  if (host != nullptr && !last.empty()) *host = of_last;
  return last;
}

std::string diagnostic_in_text(std::string_view text, std::string_view address) {
  constexpr size_t kMost = 1500;
  LineReader lines(text);
  std::string_view line;
  int best = 0;
  size_t best_at = kNowhere;
  size_t begin = 0;
  std::string_view before;
  std::string_view program;
  for (size_t i = 0; i < 2000 && (begin = lines.at(), lines.next(&line)); ++i) {
    const std::string_view bare = trimmed(line);
    if (bare.empty()) continue;
    const int score = line_score(bare, address);
    const std::string_view last = std::exchange(before, bare);
    if (score <= best) continue;
    best = score;
    program = words_of_program(bare, last);
    best_at = begin;
  }
  if (best_at == kNowhere) return {};
  LineReader rest(text.substr(best_at));
  std::string out;
  for (size_t i = 0; i < 8 && rest.next(&line) && out.size() < kMost; ++i) {
    const std::string_view bare = trimmed(line);
    if (bare.empty()) {
      if (i == 1 && out.size() < 80 && out.back() == ':') continue;  // "Reason:", a gap, and the reason
      break;
    }
    if (i > 0 && (is_rule_line(bare) || bare.starts_with(">>>"))) break;
    if (!out.empty()) out += ' ';
    out.append(bare);
  }
  if (!program.empty()) out.append(" (").append(program.substr(0, 400)).append(")");
  return one_line(out);
}

}  // namespace bounce::report
