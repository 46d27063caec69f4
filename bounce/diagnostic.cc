#include "bounce/diagnostic.h"

#include <algorithm>

#include "conf/vocab/ascii.h"

namespace bounce {
namespace {

constexpr size_t kReadOctets = 16 * 1024;

bool is_code(std::string_view text) {
  return text.size() >= 3 && text[0] >= '2' && text[0] <= '5' && conf::is_digit(text[1]) &&
         conf::is_digit(text[2]) &&
         (text.size() == 3 ||
          !(conf::is_digit(text[3]) || (text[3] >= 'a' && text[3] <= 'z') || text[3] == '.'));
}

void skip(std::string_view* text, std::string_view what) {
  const size_t first = text->find_first_not_of(what);
  text->remove_prefix(first == std::string_view::npos ? text->size() : first);
}

// "smtp;", "x-postfix;": the type of a Diagnostic-Code (RFC 3464 §2.3.6).
void skip_type(std::string_view* text) {
  const size_t end = text->find(';');
  if (end > 20) return;  // or there is none
  for (size_t i = 0; i < end; ++i) {
    const char c = (*text)[i];
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || conf::is_digit(c);
    if (!word) return;
  }
  if (end == 0 || conf::is_digit((*text)[0])) return;
  text->remove_prefix(end + 1);
  skip(text, " ");
}

// A joined reply repeats "CODE-" or "CODE " before each line; those go.
std::string without_repeats(std::string_view text, std::string_view code) {
  std::string out;
  out.reserve(text.size());
  size_t begin = 0;
  for (size_t at = text.find(code, 1); at != std::string_view::npos; at = text.find(code, at)) {
    const bool opens = text[at - 1] == ' ' || text[at - 1] == '\n';
    if (!opens || at + 3 >= text.size() || (text[at + 3] != '-' && text[at + 3] != ' ')) {
      ++at;
      continue;
    }
    out.append(text, begin, at - begin);
    at += 4;
    begin = at;
  }
  return out.append(text, begin);
}

// Servers write the status before each line, wherever they wrap it: behind the first it says nothing.
void drop_repeats(const std::string& status, std::string* text) {
  if (status.empty()) return;
  size_t at = text->find(status);
  while (at != std::string::npos && (at = text->find(status, at + 1)) != std::string::npos) {
    const size_t begin = (*text)[at - 1] == '#' ? at - 1 : at;
    const size_t end = at + status.size();
    const bool alone = begin > 0 && (*text)[begin - 1] == ' ' && (end == text->size() || (*text)[end] == ' ');
    if (!alone) continue;
    text->erase(begin - 1, end - begin + 1);
    at = begin - 2;
  }
}

EnhancedStatus find_status(std::string_view text) {
  skip(&text, " #<([-");
  size_t length = 0;
  const auto part = [&] {
    return length < text.size() && (conf::is_digit(text[length]) || text[length] == '.');
  };
  while (part()) ++length;
  std::string_view word = text.substr(0, length);
  while (!word.empty() && word.back() == '.') word.remove_suffix(1);
  return EnhancedStatus::parse(word);
}

// Behind a word or two of the filter that wrote it: "550 cuda_nsu 5.1.1 text", "550 permanent (#5.1.1)".
EnhancedStatus later_status(std::string_view text) {
  const std::string_view head = text.substr(0, 200);
  for (size_t at = 1; at + 5 <= head.size(); ++at) {
    const char before = head[at - 1];
    if ((head[at] != '4' && head[at] != '5') || head[at + 1] != '.' || conf::is_digit(before) ||
        before == '.' || (before != ' ' && before != '#' && before != '(' && before != '['))
      continue;
    const EnhancedStatus status = find_status(head.substr(at));
    const size_t end = head.find_first_not_of("0123456789.", at);
    const bool ends = end == std::string_view::npos || head[end] == ' ' || head[end] == ')' ||
                      head[end] == ']' || head[end] == ':' || head[end] == ';' || head[end] == ',';
    // An IPv4 address is no status: it has three dots.
    if (status.present() && ends && status.detail < 1000 &&
        status.text().size() + at == (end == std::string_view::npos ? head.size() : end))
      return status;
  }
  return {};
}

bool opens_reply(char c) { return c == ':' || c == '\'' || c == '"' || c == '(' || c == '>'; }

// "host mx.some.example[192.0.2.1] said: 550 5.1.1 text", "returned '550 text'": where the reply itself
// begins, or 0.
size_t begin_of_quoted(std::string_view text) {
  for (size_t at = 1; at + 4 < text.size(); ++at) {
    if (!opens_reply(text[at - 1])) continue;
    size_t begin = at;
    while (begin < text.size() && (text[begin] == ' ' || text[begin] == '\n' || text[begin] == '#')) ++begin;
    const std::string_view rest = text.substr(begin);
    const bool coded = is_code(rest) && (rest[0] == '4' || rest[0] == '5') && rest.size() > 4 &&
                       (rest[3] == ' ' || rest[3] == '-') && rest[4] != ' ';
    if (coded || (text[at - 1] == '\'' && find_status(rest.substr(0, 12)).klass >= 4)) return begin;
  }
  return 0;
}

// " (in reply to RCPT TO command)": of Postfix, not of the receiver.
std::string_view without_command(std::string_view text) {
  return text.substr(0, text.rfind(" (in reply to "));
}

// A client that pipelines joins to the refusals of its recipients what Postfix says to DATA behind them.
// Nothing is said by it but that they were refused: beside another reply it goes.
std::string_view without_afterword(std::string_view text, std::string* kept) {
  constexpr std::string_view kSaid = "no valid recipients";
  const size_t said = text.find(kSaid);
  if (said == std::string_view::npos) return text;
  size_t begin = said;
  for (const std::string_view before : {std::string_view("Error: "), std::string_view("5.5.1 ")})
    if (text.substr(0, begin).ends_with(before)) begin -= before.size();
  if (begin >= 4 && is_code(text.substr(begin - 4, 3))) begin -= 4;
  std::string_view front = text.substr(0, begin), back = text.substr(said + kSaid.size());
  skip(&back, " .;,");
  if (begin == 0) return back.size() > 4 && is_code(back) ? back : text;
  const bool coded = begin != said && is_code(text.substr(begin)) && front.back() == ' ';
  const bool stated = text.substr(begin).starts_with("5.5.1 ");
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  const bool speaks = std::ranges::any_of(front, is_letter) || std::ranges::any_of(back, is_letter);
  if (!speaks || !(coded || stated)) return text;
  *kept = std::string(front.substr(0, front.find_last_not_of(' ') + 1));
  if (!back.empty()) (*kept += ' ') += back;
  return *kept;
}

}  // namespace

Stage stage_said(std::string_view text) {
  const size_t at = text.rfind(" (in reply to ");
  if (at == std::string_view::npos) return Stage::kUnknown;
  const std::string_view command = text.substr(at + 14);
  if (command.starts_with("MAIL")) return Stage::kMail;
  return command.starts_with("EHLO") || command.starts_with("HELO") ? Stage::kEhlo : Stage::kUnknown;
}

std::string_view without_product_code(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && at < 5 && text[at] >= 'A' && text[at] <= 'Z') ++at;
  if (at < 2 || at >= text.size() || text[at] != '-') return text;
  const size_t digits = ++at;
  while (at < text.size() && conf::is_digit(text[at])) ++at;
  if (at - digits < 5 || at >= text.size() || (text[at] != ' ' && text[at] != ':')) return text;
  const size_t rest = text.find_first_not_of(" :", at);
  return rest == std::string_view::npos ? std::string_view() : text.substr(rest);
}

Reply read_diagnostic(std::string_view text) {
  text = text.substr(0, kReadOctets);
  skip(&text, " \t\r\n\"'");
  skip_type(&text);
  text = without_product_code(without_command(text));
  Reply reply;
  if (!is_code(text)) text.remove_prefix(begin_of_quoted(text));
  std::string kept;
  if (is_code(text)) text = without_afterword(text, &kept);
  const std::string_view all = text;
  skip(&text, "#<([ ");
  std::string rest;
  if (is_code(text)) {
    reply.code = static_cast<uint16_t>((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
    const std::string_view code = text.substr(0, 3);
    text.remove_prefix(3);
    skip(&text, " -\t");
    rest = without_repeats(without_product_code(text), code);
  } else {
    rest = std::string(all);
  }
  reply.enhanced = status_of(reply, rest);
  reply.lines.push_back(std::move(rest));
  return reply;
}

EnhancedStatus status_of(const Reply& reply, std::string_view joined) {
  if (reply.enhanced.present()) return reply.enhanced;
  const EnhancedStatus first = find_status(joined);
  return first.present() ? first : later_status(joined);
}

std::string joined_text(const Reply& reply, size_t limit) {
  std::string text;
  for (const std::string& line : reply.lines) {
    if (text.size() > limit) break;
    if (!text.empty()) text += ' ';
    const std::string_view part = text.empty() ? without_product_code(line) : std::string_view(line);
    text += part.substr(0, limit);
  }
  if (reply.code != 0) text = without_repeats(text, std::to_string(reply.code));
  drop_repeats(status_of(reply, text).text(), &text);
  return text;
}

}  // namespace bounce
