#include "bounce/protocol_words.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <string_view>

#include "conf/vocab/ascii.h"

namespace bounce {

namespace {

constexpr size_t kTextBound = 1000;

// As long as "4.7.1 " is; 0: no status stands at the beginning.
size_t status_size(std::string_view text) {
  if (text.size() < 5 || text[0] < '2' || text[0] > '5') return 0;
  size_t at = 1;
  for (int part = 0; part < 2; ++part) {
    if (at >= text.size() || text[at] != '.') return 0;
    const size_t begin = ++at;
    while (at < text.size() && conf::is_digit(text[at])) ++at;
    if (at == begin || at > begin + 3) return 0;
  }
  if (at < text.size() && text[at] != ' ') return 0;
  return std::min(at + 1, text.size());
}

// Lower case, '-' and '_' as spaces, so that "time-out" is "time out". Without the statuses, which each line
// may repeat in the middle of what is said.
std::string words_of(const Reply& reply) {
  const std::string text = conf::ascii_lower(reply.text().substr(0, kTextBound));
  std::string words;
  for (size_t at = 0; at < text.size(); ++at) {
    if (at == 0 || text[at - 1] == ' ') {
      at += status_size(std::string_view(text).substr(at));
      if (at == text.size()) break;
    }
    words += text[at] == '-' || text[at] == '_' ? ' ' : text[at];
  }
  return words;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [text](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

bool is_status(const Reply& reply, uint16_t subject, uint16_t detail) {
  return reply.enhanced.present() && reply.enhanced.subject == subject && reply.enhanced.detail == detail;
}

// RFC 3463 §3.2, §3.3, §3.4: the status speaks of an address, a mailbox or the size of the message.
bool is_of_one_recipient(const Reply& reply) {
  const EnhancedStatus& status = reply.enhanced;
  return status.present() &&
         (status.subject == 1 || status.subject == 2 || (status.subject == 3 && status.detail == 4));
}

// Words that often mean too many recipients, and sometimes one that is bad: "one or more recipients are
// unknown", "the size exceeds the maximum limit of".
bool hints_at_many_recipients(std::string_view text) {
  if (has_any(text, {"multiple recipients", "single recipient"})) return true;
  if (has_any(text, {"more recipients"})) return !has_any(text, {"or more recipients"});
  return has_any(text, {"maximum limit of"}) && has_any(text, {"recip", "rcpt", "destinat", "empf"});
}

// "#4.5.3" as some appliances write it: RFC 3463 has no '#'.
bool has_written_status(std::string_view text, std::string_view status) {
  return text.rfind('#' + std::string(status), 0) == 0;
}

// A number of something in a period is a limit of ours, not of the transaction.
bool names_a_period(std::string_view text) {
  return has_any(text, {"per hour", "per minute", "per day", "per second", "this hour", "today", "hourly",
                        "daily", "an hour", "recently", " rate"});
}

// RFC 3463 §3.2, §3.3, §3.7, §3.8: an address, a mailbox, the content, a policy.
bool has_subject_of_mail(const Reply& reply) {
  const uint16_t subject = reply.enhanced.subject;
  return reply.enhanced.present() && (subject == 1 || subject == 2 || subject == 6 || subject == 7);
}

bool names_the_order(std::string_view text) {
  return has_any(text, {"bad sequence",
                        "out of sequence",
                        "bad command sequence",
                        "wrong sequence",
                        "command order",
                        "nested mail",
                        "sender already",
                        "mail first",
                        "need mail",
                        "must be preceded by",
                        "must issue a mail",
                        "send mail from first",
                        "say helo first",
                        "say ehlo first",
                        "send helo",
                        "send ehlo",
                        "expected helo",
                        "expected ehlo",
                        "polite people say",
                        "mail already",
                        "mail from already",
                        "transaction already",
                        "transaction in progress",
                        "already in transaction",
                        "already in a transaction",
                        "no mail transaction",
                        "no transaction",
                        "not in transaction",
                        "no sender given",
                        "no sender specified",
                        "no sender yet",
                        "sender first",
                        "sender not specified",
                        "helo first",
                        "ehlo first",
                        "helo required",
                        "ehlo required",
                        "rcpt first",
                        "need rcpt",
                        "recipient first",
                        "no rcpt",
                        "order of commands",
                        "sequence of commands",
                        "unexpected command",
                        "command unexpected",
                        "not expected here",
                        "not allowed at this point",
                        "out of order"});
}

// Bytes came when they were not due, or were not understood: what Exim and postscreen say, and others after
// them. A content that breaks the rules is called so, too: then its line ends or its header are named.
bool names_lost_step(const Reply& reply, std::string_view text) {
  if (has_any(text, {"authent",  "relay",         "spam",        "blacklist", "user",    "mailbox",
                     "bare ",    "lone ",         "stray ",      " lf",       "newline", "line feed",
                     "linefeed", "line too long", "line length", "header",    "mime",    "character",
                     "content",  "parameter",     "option",      "argument"}))
    return false;
  if (reply.enhanced.present() && reply.enhanced.subject == 7) return has_any(text, {"pipelin", "synchroni"});
  return !has_subject_of_mail(reply) &&
         has_any(text, {"pipelin", "synchroni", "out of sync", "protocol error", "protocol violation",
                        "violation of protocol", "violation of the protocol"});
}

// "Zu viele Nachrichten in dieser Verbindung": the commonest words of each language.
bool says_too_many_messages_in_another_language(std::string_view text) {
  return has_any(text, {"verbindung", "sitzung", "connexion", "conex", "sesi", "sess", "connession",
                        "verbinding", "połączeni", "sesji", "соединени", "сесси", "сеанс", "接続",
                        "セッション", "连接", "連線", "会话"}) &&
         !has_any(text, {"stunde", "minute", "tag", "heure", "jour", "hora", "día", "dia", "ora ", "giorno",
                         "uur", "dag", "godzin", "dzień", "час", "минут", "день", "時間", "小时"}) &&
         has_any(text, {"zu viele nachrichten",
                        "zu viele mails",
                        "zu viele e mails",
                        "trop de messages",
                        "trop de courriels",
                        "demasiados mensajes",
                        "demasiados correos",
                        "muitas mensagens",
                        "mensagens demais",
                        "troppi messaggi",
                        "te veel berichten",
                        "te veel e mails",
                        "zbyt wiele wiadomości",
                        "za dużo wiadomości",
                        "лишком много сообщений",
                        "лишком много писем",
                        "メッセージが多すぎ",
                        "メールが多すぎ",
                        "邮件过多",
                        "邮件太多",
                        "郵件過多"});
}

}  // namespace

bool says_bad_sequence(const Reply& reply) {
  if (!reply.permanent() && !reply.transient()) return false;
  const std::string text = words_of(reply);
  if (names_lost_step(reply, text)) return true;
  const bool about_permission =
      has_any(text, {"authent", "authoriz", "log in", "login", "relay", "spam", "block", "denied",
                     "not allowed", "not permitted", "policy", "blacklist", "user", "mailbox"});
  if (about_permission && !is_status(reply, 5, 1)) return false;
  // The code says it, if the status does not say that it is about something else. Others use another code.
  if (reply.code == 503 && !has_subject_of_mail(reply)) return true;
  return (reply.code == 503 || !has_subject_of_mail(reply)) && names_the_order(text);
}

bool says_unknown_command(const Reply& reply) {
  return reply.code == 500 || reply.code == 502 || reply.code == 503 || reply.code == 504;
}

bool says_command_lost(const Reply& reply) {
  const bool unknown = is_status(reply, 5, 1) || is_status(reply, 5, 2);
  if (!reply.permanent() || (reply.code != 500 && reply.code != 502 && !unknown)) return false;
  if (has_subject_of_mail(reply)) return false;
  const std::string text = words_of(reply);
  if (text.empty()) return reply.code == 500 || reply.code == 502;
  if (has_any(text, {"user", "mailbox", "address", "account", "relay", "spam", "block", "denied", "policy",
                     "authent", "content", "parameter", "option", "argument", "sender"}))
    return false;
  if (has_any(text, {"command", "verb"}) &&
      has_any(text, {"unknown", "unrecogni", "not recogni", "invalid", "not implement", "unimplement",
                     "not support", "unsupport", "not understood", "bad ", "error", "not found", "no such"}))
    return true;
  return (reply.code == 500 || reply.code == 502) &&
         has_any(text, {"syntax", "unrecogni", "not recogni", "implemented", "what?", "huh?", "too long"});
}

bool is_about_command(const Reply& reply) {
  if (!reply.permanent() || has_subject_of_mail(reply)) return false;
  if (reply.code == 500 || reply.code == 502 || reply.code == 504) return true;
  return (reply.code == 550 || reply.code == 554) && reply.enhanced.present() && reply.enhanced.subject == 5;
}

bool says_no_recipient(const Reply& reply) {
  if (!reply.permanent() && !reply.transient()) return false;
  return has_any(words_of(reply), {"no valid recipient", "no recipient", "no valid rcpt", "no rcpt",
                                   "without recipient", "no valid address"});
}

bool says_too_many_recipients(const Reply& reply) {
  if (!reply.transient() && !reply.permanent()) return false;
  const std::string text = words_of(reply);
  const bool worded = has_any(text, {"too many recipient",
                                     "too many rcpt",
                                     "too many recips",
                                     "too many address",
                                     "too many to ",
                                     "maximum number of recipient",
                                     "maximum recipient",
                                     "max recipient",
                                     "max rcpt",
                                     "recipient limit",
                                     "rcpt to limit",
                                     "recipients limit",
                                     "limit of recipient",
                                     "recipients exceed",
                                     "recipient count",
                                     "number of recipient",
                                     "recipients per message",
                                     "recipients per transaction",
                                     "recipients per mail",
                                     "rcpt limit",
                                     "rcpts limit",
                                     "separate transaction",
                                     "only one recipient",
                                     "one recipient at a time",
                                     "one recipient per",
                                     "only 1 recipient",
                                     "1 recipient per",
                                     "fewer recipients",
                                     "less recipients",
                                     "no more rcpt",
                                     "trop de destinataire",
                                     "zu viele empf",
                                     "demasiados destinatarios",
                                     "troppi destinatari",
                                     "muitos destinat",
                                     "te veel ontvangers"});
  if (worded || (!is_of_one_recipient(reply) && hints_at_many_recipients(text))) return !names_a_period(text);
  if (is_status(reply, 5, 3)) return !names_a_period(text);
  // Without any status, 452 and 552 also mean a full disk and a full mailbox: only words tell.
  return has_written_status(text, "4.5.3") || has_written_status(text, "5.5.3");
}

bool says_too_many_messages(const Reply& reply) {
  if (!reply.transient() && !reply.permanent()) return false;
  const std::string text = words_of(reply);
  if (says_too_many_messages_in_another_language(text)) return true;
  const bool of_connection = has_any(text, {"connection", "session", "transaction"});
  if (!of_connection || names_a_period(text)) return false;
  if (has_any(text,
              {"too many connection", "too many concurrent", "too many session", "too many simultaneous"}))
    return false;
  return has_any(text,
                 {"too many message",   "too many mail",     "too many email",    "too many transaction",
                  "too many e mail",    "max message",       "max mail",          "maximum message",
                  "maximum mail",       "message limit",     "messages limit",    "mails limit",
                  "mail limit",         "messages per",      "mails per",         "emails per",
                  "message count",      "number of message", "number of mail",    "number of transaction",
                  "transactions per",   "transaction limit", "enough messages",   "no more messages",
                  "no more mail",       "enough mail",       "limit of messages", "limit of mail",
                  "no more transaction"});
}

bool says_nothing(const Reply& reply) {
  constexpr std::string_view kNoWords[] = {"closing", "close", "connection", "transmission",
                                           "channel", "bye",   "goodbye",    "error"};
  const std::string words = words_of(reply);
  for (size_t at = 0; at < words.size();) {
    const size_t end = std::min(words.find(' ', at), words.size());
    std::string_view word = std::string_view(words).substr(at, end - at);
    at = end + 1;
    while (!word.empty() && static_cast<unsigned char>(word.back()) < 0x80 && !conf::is_letter(word.back()))
      word.remove_suffix(1);
    const bool host = word.find('.') != std::string_view::npos;
    if (!word.empty() && !host && std::ranges::find(kNoWords, word) == std::ranges::end(kNoWords))
      return false;
  }
  return true;
}

bool says_going_down(const Reply& reply) {
  if (!reply.transient() || (reply.enhanced.present() && reply.enhanced.subject != 3)) return false;
  const std::string text = words_of(reply);
  return has_any(text, {"shutting down", "shut down", "going down", "restart", "maintenance"}) &&
         !has_any(" " + text,
                  {" too many", "concurrent", "maximum", " limit", "mailbox", " user", " slow", " rate"});
}

bool says_tls_wanted(const Reply& reply) {
  if (!reply.transient() && !reply.permanent()) return false;
  const std::string text = words_of(reply);
  if (reply.code == 530 && has_any(" " + text, {" tls"})) return true;
  return has_any(text, {"starttls", "start tls"}) && has_any(text, {"must", "first", "requir", "need"});
}

bool says_tls_fails(const Reply& reply) {
  if (!reply.transient() && !reply.permanent()) return false;
  const std::string text = words_of(reply);
  return !says_tls_wanted(reply) &&
         has_any(" " + text, {" tls", " ssl", "certificate", "handshake", "cipher"});
}

bool says_idle_or_closing_down(const Reply& reply) {
  if (is_status(reply, 4, 2)) return true;
  const std::string text = words_of(reply);
  return has_any(text, {"idle", "timeout", "time out", "timed out", "shutting down", "shut down", "restart",
                        "maintenance", "inactivity"});
}

}  // namespace bounce
