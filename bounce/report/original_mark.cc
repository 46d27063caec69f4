#include <algorithm>
#include <iterator>
#include <string_view>

#include "bounce/report/notice_words.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

constexpr std::string_view kMarks[] = {
    "original message",
    "original mail",
    "original e-mail",
    "original email",
    "original headers",
    "below this line is a copy",
    "copy of the message",
    "copy of your message",
    "copy of the original",
    "copy of the mail",
    "copy of the header",
    "copy of message",
    "returned message",
    "returned mail",
    "undelivered message",
    "undeliverable message",
    "unsent message",
    "unsent mail",
    "failed message",
    "rejected message",
    "bounced message",
    "old message",
    "the message follows",
    "message follows",
    "message header follow",
    "message headers follow",
    "header of the message",
    "headers of the message",
    "headers follow",
    "message headers",
    "message header",
    "start of message",
    "beginning of message",
    "begin message",
    "text of message",
    "text of the message",
    "message text",
    "message contents",
    "message content",
    "returned text follows",
    "contents of",
    "the header and top",
    "first part of the message",
    "the first ",
    "your message reads",
    "your message follows",
    "your message was:",
    "your message was as",
    "message body",
    "forwarded message",
    "ursprüngliche nachricht",
    "originalnachricht",
    "original-nachricht",
    "message original",
    "message d'origine",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "oorspronkelijk",
    "oryginalna wiadomość",
    "исходное сообщение",
    "Исходное сообщение",
    "元のメッセージ",
    "元のメール",
    "原始邮件",
    "原始郵件",
};

}  // namespace

bool is_original_mark(std::string_view line) {
  line = trimmed(line);
  if (line.size() < 8 || line.size() > 100) return false;
  return std::any_of(std::begin(kMarks), std::end(kMarks),
                     [&](std::string_view mark) { return find_folded(line, mark) != kNowhere; });
}

}  // namespace bounce::report
