#include "bounce/classification.h"

#include <functional>

#include "bounce/diagnostic.h"
#include "bounce/fold.h"
#include "bounce/text_template.h"
#include "conf/vocab/utf8.h"

namespace bounce {
namespace {

constexpr size_t kKept = 4096;
constexpr size_t kKeptOctets = 1024;  // longer lines are not kept

void member(const char* name, std::string_view value, std::string* out) {
  *out += ",\"";
  *out += name;
  *out += "\":";
  append_json_string(value, out);
}

}  // namespace

const char* type_label(ErrorType type) {
  switch (type) {
    case ErrorType::kHard:
      return "Hard";
    case ErrorType::kSoft:
      return "Soft";
    case ErrorType::kIgnored:
      return "Ignored";
    case ErrorType::kNotDefined:
      break;
  }
  return "Not defined";
}

void append_json_string(std::string_view text, std::string* out) {
  *out += '"';
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, &at);
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7F) {
      constexpr char kDigits[] = "0123456789abcdef";
      *out += "\\u00";
      *out += kDigits[c >> 4];
      *out += kDigits[c & 15];
    } else {
      conf::append_utf8(c, out);
    }
  }
  *out += '"';
}

Classifier::Classifier(const Qualifier* qualifier, const Occasion& place)
    : qualifier_(qualifier), place_(place), kept_(kKept) {}

void Classifier::append(std::string_view line, std::string* out) {
  if (line.size() > kKeptOctets) {
    write(line, out);
    return;
  }
  Kept& kept = kept_[std::hash<std::string_view>()(line) % kKept];
  if (kept.answer.empty() || kept.line != line) {
    kept.line = line;
    kept.answer.clear();
    write(line, &kept.answer);
  }
  *out += kept.answer;
}

void Classifier::write(std::string_view line, std::string* out) const {
  const Reply reply = read_diagnostic(line);
  Occasion occasion = place_;
  occasion.reply = &reply;
  if (occasion.stage == Stage::kUnknown && reply.code != 0) occasion.stage = stage_said(line);
  const std::string text = text_template(reply);
  const Qualification meaning = qualifier_->qualify(occasion, text);
  *out += "{\"code\":";
  *out += reply.code == 0 ? "null" : std::to_string(reply.code);
  if (reply.enhanced.present()) {
    member("status", reply.enhanced.text(), out);
  } else {
    *out += ",\"status\":null";
  }
  member("template", text, out);
  member("type", type_label(meaning.type), out);
  member("reason", label(meaning.reason), out);
  *out += ",\"reason_code\":" + std::to_string(static_cast<int>(meaning.reason));
  member("scope", to_text(meaning.scope), out);
  member("pace", to_text(meaning.pace), out);
  member("rule", meaning.rule, out);
  member("row", row_text(meaning.row == 0 ? row_key(text) : meaning.row), out);
  *out += "}\n";
}

}  // namespace bounce
