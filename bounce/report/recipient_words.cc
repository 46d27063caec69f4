#include "bounce/report/recipient_words.h"

#include <algorithm>
#include <array>

#include "bounce/report/text.h"

namespace bounce::report {
namespace {

// Marks of full width, as Chinese and Japanese texts set them: 3 octets each.
bool is_wide_mark(std::string_view octets) {
  constexpr std::array<std::string_view, 13> kMarks = {"：", "（", "）", "，", "；", "【", "】",
                                                       "「", "」", "《", "》", "　", "。"};
  return std::find(kMarks.begin(), kMarks.end(), octets) != kMarks.end();
}

// Punctuation at the front, at the back: octets.
size_t front_mark(std::string_view text) {
  if (text.empty()) return 0;
  return is_punctuation(text.front()) ? 1 : is_wide_mark(text.substr(0, 3)) ? 3 : 0;
}

size_t back_mark(std::string_view text) {
  if (text.empty()) return 0;
  if (is_punctuation(text.back())) return 1;
  return text.size() >= 3 && is_wide_mark(text.substr(text.size() - 3)) ? 3 : 0;
}

bool ends_with_word(std::string_view text, std::string_view word) {
  if (text.size() < word.size() || !equal_ignoring_case(text.substr(text.size() - word.size()), word))
    return false;
  if (text.size() == word.size() || static_cast<signed char>(word.front()) < 0) return true;
  const char before = text[text.size() - word.size() - 1];
  return !is_letter(before) && !is_digit(before);
}

template <size_t N>
bool ends_with_any(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return ends_with_word(text, word); });
}

// Words right before an address that say who it is.
constexpr std::array<std::string_view, 46> kRecipientLabels = {"recipient",
                                                               "recipients",
                                                               "recipient(s)",
                                                               "rcpt to",
                                                               "rcpt",
                                                               "error-for",
                                                               "failed recipient",
                                                               "user",
                                                               "unknown user",
                                                               "mailbox",
                                                               "address",
                                                               "addressee",
                                                               "destination",
                                                               "destinataire",
                                                               "destinataires",
                                                               "empfänger",
                                                               "an den empfänger",
                                                               "destinatario",
                                                               "destinatarios",
                                                               "destinatário",
                                                               "ontvanger",
                                                               "odbiorca",
                                                               "adresat",
                                                               "получатель",
                                                               "кому",
                                                               "адресат",
                                                               "получателю",
                                                               "получателя",
                                                               "адресату",
                                                               "odbiorcy",
                                                               "adresata",
                                                               "宛先",
                                                               "受信者",
                                                               "收件人",
                                                               "收件者",
                                                               "수신자",
                                                               "받는사람",
                                                               "받는 사람",
                                                               "邮件地址",
                                                               "邮箱",
                                                               "收信人",
                                                               "發送到",
                                                               "发送到",
                                                               "发送至",
                                                               "收件地址",
                                                               "final-recipient"};
// The mail that came back, not one that we are asked to write.
constexpr std::array<std::string_view, 26> kOurMail = {
    "ihre nachricht an",  "ihrer nachricht an",   "ihre e-mail an",     "ihrer e-mail an",
    "ihre mail an",       "votre message à",      "votre message pour", "su mensaje a",
    "su mensaje para",    "sua mensagem para",    "il suo messaggio a", "uw bericht aan",
    "twoja wiadomość do", "ваше сообщение для",   "ваше письмо для",    "您发往",
    "your message to",    "following message to", "the message to",     "your mail to",
    "your email to",      "your e-mail to",       "email message to",   "message sent to",
    "mail sent to",       "delivery of mail to"};
constexpr std::array<std::string_view, 42> kToWords = {
    "to",     "for",   "reach",    "deliver", "an",        "à",     "para",    "a",     "aan",
    "do",     "для",   "на адрес", "адресу",  "following", "by",    "account", "alias", "person",
    "e-mail", "email", "und",      "and",     "pour",      "id",    "发给",    "發給",  "发送给",
    "per",    "voor",  "naar",     "til",     "till",      "către", "寄给",    "寄給",  "发往",
    "寄往",   "送达",  "送達",     "投递到",  "投递给",    "递送到"};
constexpr std::array<std::string_view, 44> kSenderLabels = {"from",
                                                            "mail from",
                                                            "sender",
                                                            "contact",
                                                            "please",
                                                            "help",
                                                            "assistance",
                                                            "reply-to",
                                                            "reply to",
                                                            "return-path",
                                                            "envelope-sender",
                                                            "envelope from",
                                                            "write to",
                                                            "mail to",
                                                            "message to",
                                                            "visit",
                                                            "von",
                                                            "absender",
                                                            "de",
                                                            "expéditeur",
                                                            "remitente",
                                                            "remetente",
                                                            "mittente",
                                                            "da",
                                                            "afzender",
                                                            "van",
                                                            "nadawca",
                                                            "od",
                                                            "отправитель",
                                                            "от",
                                                            "差出人",
                                                            "送信者",
                                                            "发件人",
                                                            "寄件者",
                                                            "보낸사람",
                                                            "message-id",
                                                            "message id",
                                                            "forward",
                                                            "support",
                                                            "administrator",
                                                            "postmaster",
                                                            "<mailto",
                                                            "mailto",
                                                            "http"};
constexpr std::array<std::string_view, 8> kAliasMarks = {
    "generated from", "expanded from",  "originally addressed to", "original recipient",
    "alias of",       "forwarded from", "originally to",           "was originally"};
// A line that ends so announces the recipients in the lines below it.
constexpr std::array<std::string_view, 36> kListHeads = {
    "address",   "recipient", "deliver", "fail",    "reach",    "user",       "receive",   "destination",
    "mailbox",   "undeliver", "error",   "unable",  "destinat", "adresse",    "empfänger", "zugestellt",
    "remis",     "entreg",    "recapit", "consegn", "bezorg",   "afgeleverd", "adresat",   "dostarcz",
    "получател", "доставлен", "адрес",   "宛先",    "アドレス", "配信",       "收件人",    "地址",
    "投递",      "送达",      "無法",    "수신"};
constexpr std::array<std::string_view, 12> kServiceNames = {
    "postmaster", "mailer-daemon", "abuse",    "support", "helpdesk",      "hostmaster",
    "webmaster",  "noreply",       "no-reply", "admin",   "administrator", "mail-daemon"};

// "Invalid final delivery userid: a@b", "Delivery failed 20 attempts: a@b", "Mailbox is full: a@b".
constexpr std::array<std::string_view, 26> kFailedWords = {"mailbox exceed", "exceeds allowed",
                                                           "over quota",     "quota exceed",
                                                           "mailbox full",   "mailbox is full",
                                                           "fail",           "invalid",
                                                           "undeliver",      "not deliver",
                                                           "unknown",        "userid",
                                                           "not found",      "could not",
                                                           "unable to",      "zustell",
                                                           "être remis",     "entreg",
                                                           "consegn",        "recapit",
                                                           "bezorg",         "aflever",
                                                           "dostarcz",       "доставл",
                                                           "配信",           "投递"};

}  // namespace

bool is_punctuation(char c) {
  return c == ' ' || c == '\t' || c == '<' || c == '>' || c == '"' || c == '\'' || c == '(' || c == ')' ||
         c == '[' || c == ']' || c == '*' || c == '-' || c == '.' || c == ',' || c == ';' || c == ':' ||
         c == '=' || c == '`' || c == '|' || c == '+' || c == '#';
}

std::string_view without_ends(std::string_view text) {
  while (const size_t mark = front_mark(text)) text.remove_prefix(mark);
  while (const size_t mark = back_mark(text)) text.remove_suffix(mark);
  return text;
}

std::string_view without_type(std::string_view before) {
  constexpr std::array<std::string_view, 5> kTypes = {"smtp:", "rfc822;", "rfc822:", "mailto:", "smtp%3a"};
  for (const std::string_view type : kTypes) {
    if (before.size() < type.size()) continue;
    if (equal_ignoring_case(before.substr(before.size() - type.size()), type))
      return before.substr(0, before.size() - type.size());
  }
  return before;
}

bool colon_before(std::string_view before) {
  return before.find_last_of(":=") != kNowhere || before.find("\xef\xbc\x9a") != kNowhere;
}

bool names_recipient(std::string_view label) { return ends_with_any(label, kRecipientLabels); }

bool names_sender(std::string_view label) { return ends_with_any(label, kSenderLabels); }

bool names_our_mail(std::string_view label) { return ends_with_any(label, kOurMail); }

bool leads_to_address(std::string_view label) { return ends_with_any(label, kToWords); }

bool goes_to_address(std::string_view behind) {
  constexpr std::array<std::string_view, 7> kTo = {"に", "へ", "宛", "あて", "에게", "(으)로", "adresine"};
  while (!behind.empty() && (behind.front() == ' ' || behind.front() == '>')) behind.remove_prefix(1);
  return std::any_of(kTo.begin(), kTo.end(),
                     [behind](std::string_view word) { return behind.starts_with(word); });
}

bool says_failed(std::string_view label) { return contains_any(label, kFailedWords); }

bool announces_list(std::string_view line) { return contains_any(line, kListHeads); }

bool is_service_name(std::string_view local) {
  return std::any_of(kServiceNames.begin(), kServiceNames.end(),
                     [&](std::string_view name) { return equal_ignoring_case(local, name); });
}

size_t alias_mark(std::string_view line) {
  for (const std::string_view mark : kAliasMarks) {
    const size_t at = find_folded(line, mark);
    if (at != kNowhere) return at;
  }
  return kNowhere;
}

bool repeats_header(std::string_view bare) {
  constexpr std::array<std::string_view, 39> kNames = {"subject",
                                                       "message id",
                                                       "nachrichten-id",
                                                       "identifiant du message",
                                                       "id de mensaje",
                                                       "id messaggio",
                                                       "主旨",
                                                       "sent",
                                                       "date",
                                                       "message-id",
                                                       "to",
                                                       "from",
                                                       "betreff",
                                                       "gesendet",
                                                       "datum",
                                                       "an",
                                                       "von",
                                                       "objet",
                                                       "envoyé",
                                                       "asunto",
                                                       "enviado",
                                                       "assunto",
                                                       "oggetto",
                                                       "inviato",
                                                       "onderwerp",
                                                       "verzonden",
                                                       "temat",
                                                       "wysłano",
                                                       "data",
                                                       "тема",
                                                       "отправлено",
                                                       "дата",
                                                       "件名",
                                                       "送信日時",
                                                       "主题",
                                                       "主 题",
                                                       "主  题",
                                                       "发送时间",
                                                       "时间"};
  const size_t wide = bare.find("\xef\xbc\x9a");
  const std::string_view name = trimmed(bare.substr(0, std::min(bare.find(':'), wide)));
  return name.size() < bare.size() && std::any_of(kNames.begin(), kNames.end(), [&](std::string_view each) {
           return equal_ignoring_case(each, name);
         });
}

std::string without_repeated_header(std::string_view text) {
  std::string said;
  LineReader lines(text);
  for (std::string_view line; lines.next(&line);) {
    if (!repeats_header(trimmed(line))) said.append(line).append(1, '\n');
  }
  return said;
}

}  // namespace bounce::report
