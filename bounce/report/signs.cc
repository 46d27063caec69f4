#include "bounce/report/signs.h"

#include <algorithm>
#include <array>

#include "bounce/report/address_text.h"
#include "bounce/report/echo.h"
#include "bounce/report/mime_codec.h"
#include "bounce/report/notice_words.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

constexpr std::array<std::string_view, 22> kDaemonLocals = {"mailer-daemon",
                                                            "mailer_daemon",
                                                            "mailerdaemon",
                                                            "mail-daemon",
                                                            "maildaemon",
                                                            "mdaemon",
                                                            "postmaster",
                                                            "post_master",
                                                            "postmaster-",
                                                            "mail.delivery.system",
                                                            "mail-delivery",
                                                            "maildelivery",
                                                            "delivery-system",
                                                            "bounce",
                                                            "bounces",
                                                            "mailnull",
                                                            "nobody",
                                                            "microsoftexchange",
                                                            "smtp_mail_service",
                                                            "e500_smtp",
                                                            "mmdf",
                                                            "uucp"};
constexpr std::array<std::string_view, 33> kDaemonNames = {"mail delivery",
                                                           "mailer-daemon",
                                                           "mailer daemon",
                                                           "delivery subsystem",
                                                           "delivery system",
                                                           "mail system",
                                                           "postmaster",
                                                           "mail administrator",
                                                           "system administrator",
                                                           "systemadministrator",
                                                           "administrateur",
                                                           "administrador del sistema",
                                                           "administrador do sistema",
                                                           "amministratore di sistema",
                                                           "delivery agent",
                                                           "delivery service",
                                                           "delivery status",
                                                           "delivery notification",
                                                           "mail gateway",
                                                           "antivirus",
                                                           "anti-virus",
                                                           "mailscanner",
                                                           "mail server",
                                                           "mailmarshal",
                                                           "mailsweeper",
                                                           "mailessentials",
                                                           "mms gateway",
                                                           "mms-gateway",
                                                           "mms-center",
                                                           "internet mail service",
                                                           "microsoft outlook",
                                                           "mail router",
                                                           "lsmtp"};

bool any_begins(std::string_view text, std::string_view word) { return starts_with_folded(text, word); }

// Names of places where people read and write mail, too.
bool is_role_local(std::string_view name) { return name.starts_with("postmaster"); }

bool is_role_name(std::string_view name) { return name == "postmaster" || name.find("admini") != kNowhere; }

void read_sender(const Part& head, const std::string& address, Signs* signs) {
  const std::string_view local = std::string_view(address).substr(0, address.find('@'));
  const std::string from = decode_words(head.field("from"));
  bool system = false;
  const auto take = [&](bool role) { (role ? signs->role : system) = true; };
  for (const std::string_view name : kDaemonLocals) {
    if (any_begins(local, name)) take(is_role_local(name));
  }
  for (const std::string_view name : kDaemonNames) {
    if (contains_folded(from, name)) take(is_role_name(name));
  }
  signs->daemon = system || signs->role;
  signs->role = signs->role && !system;
}

bool is_responder_field(std::string_view name) {
  constexpr std::array<std::string_view, 11> kNames = {
      "x-autoreply",    "x-autoreply-from", "x-auto-reply-from", "x-autorespond",
      "x-autoresponse", "x-autoresponder",  "x-mail-autoreply",  "x-auto-response",
      "autoreply",      "x-vacation",       "x-autoreply-domain"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](std::string_view each) { return equal_ignoring_case(name, each); });
}

void read_field(const Field& field, Signs* signs) {
  const std::string_view value = trimmed(field.value);
  switch (conf::ascii_lower(field.name.front())) {
    case 'a':
      if (equal_ignoring_case(field.name, "auto-submitted")) {
        signs->automatic = signs->automatic || !starts_with_folded(value, "no");
        signs->replied = signs->replied || starts_with_folded(value, "auto-replied") ||
                         starts_with_folded(value, "auto-response");
      }
      break;
    case 'd':
      if (equal_ignoring_case(field.name, "delivered-to") && equal_ignoring_case(value, "autoresponder"))
        signs->responder = true;
      break;
    case 'i':
      if (equal_ignoring_case(field.name, "in-reply-to")) signs->answer = true;
      break;
    case 'l':
      if (starts_with_folded(field.name, "list-")) signs->list = true;
      break;
    case 'p':
      if (equal_ignoring_case(field.name, "precedence")) {
        signs->responder = signs->responder || starts_with_folded(value, "auto_reply") ||
                           starts_with_folded(value, "auto-reply");
        signs->list = signs->list || starts_with_folded(value, "list");
      }
      break;
    case 'r':
      if (equal_ignoring_case(field.name, "references")) signs->answer = true;
      if (equal_ignoring_case(field.name, "return-path") && (value == "<>" || value.empty()))
        signs->null_path = true;
      break;
    case 'u':
      if (equal_ignoring_case(field.name, "user-agent")) signs->person = true;
      break;
    case 'x':
      if (is_responder_field(field.name)) signs->responder = true;
      if (equal_ignoring_case(field.name, "x-failed-recipients")) signs->failed_list = true;
      if (equal_ignoring_case(field.name, "x-apple-action") && equal_ignoring_case(value, "vacation"))
        signs->responder = true;
      if (equal_ignoring_case(field.name, "x-post-messageclass") && contains_folded(value, "autoresponder"))
        signs->responder = true;
      if (equal_ignoring_case(field.name, "x-mailman-version") ||
          equal_ignoring_case(field.name, "x-beenthere") || equal_ignoring_case(field.name, "x-mailing-list"))
        signs->list = true;
      break;
    default:
      break;
  }
}

// What programs for mail put before the subject of an answer that they write by themselves, with a colon.
constexpr std::array<std::string_view, 60> kAnswerPrefixes = {"automatic reply",
                                                              "automatic response",
                                                              "auto reply",
                                                              "autoreply",
                                                              "auto-reply",
                                                              "auto response",
                                                              "out of office",
                                                              "out of office autoreply",
                                                              "automatische antwort",
                                                              "abwesenheitsnotiz",
                                                              "réponse automatique",
                                                              "respuesta automática",
                                                              "resposta automática",
                                                              "risposta automatica",
                                                              "automatisch antwoord",
                                                              "odpowiedź automatyczna",
                                                              "autoodpowiedź",
                                                              "автоматический ответ",
                                                              "Автоматический ответ",
                                                              "автоответ",
                                                              "Автоответ",
                                                              "自動応答",
                                                              "自動返信",
                                                              "自动回复",
                                                              "自动答复",
                                                              "自動回覆",
                                                              "자동 회신",
                                                              "autosvar",
                                                              "automatiskt svar",
                                                              "automatická odpověď",
                                                              "otomatik yanıt",
                                                              "automaattinen vastaus",
                                                              "automatisk svar",
                                                              "fraværsmelding",
                                                              "fraværsbesked",
                                                              "frånvaromeddelande",
                                                              "automatikus válasz",
                                                              "házon kívül",
                                                              "αυτόματη απάντηση",
                                                              "Αυτόματη απάντηση",
                                                              "εκτός γραφείου",
                                                              "Εκτός γραφείου",
                                                              "răspuns automat",
                                                              "raspuns automat",
                                                              "автоматична відповідь",
                                                              "Автоматична відповідь",
                                                              "автовідповідь",
                                                              "Автовідповідь",
                                                              "автоматичен отговор",
                                                              "Автоматичен отговор",
                                                              "automatická odpoveď",
                                                              "mimo kancelář",
                                                              "otomatik cevap",
                                                              "ofis dışında",
                                                              "poissaoloviesti",
                                                              "automatski odgovor",
                                                              "samodejni odgovor",
                                                              "automaatvastus",
                                                              "automatinis atsakymas",
                                                              "automātiska atbilde"};

bool has_answer_prefix(std::string_view subject) {
  size_t end = subject.find(':');
  const size_t wide = subject.find("\xef\xbc\x9a");
  end = std::min(end, wide);
  if (end == std::string_view::npos) return false;
  const std::string_view prefix = trimmed(subject.substr(0, end));
  return std::any_of(kAnswerPrefixes.begin(), kAnswerPrefixes.end(),
                     [&](std::string_view each) { return equal_ignoring_case(prefix, each); });
}

constexpr std::array<std::string_view, 13> kAnswer = {
    "re:",   "aw:",    "sv:",   "antw:", "res:",   "odp:", "vs:",
    "回复:", "回复：", "回覆:", "答复:", "答复：", "返信:"};

// "Re: Re: hello" -> "hello".
std::string_view without_answers(std::string_view subject) {
  for (bool again = true; again;) {
    subject = trimmed(subject);
    again = false;
    for (const std::string_view mark : kAnswer) {
      if (!starts_with_folded(subject, mark)) continue;
      subject.remove_prefix(mark.size());
      again = true;
      break;
    }
  }
  return subject;
}

// "Re: Automatic reply: hello" and "your out of office": a person speaks of what a program wrote.
bool speaks_of_an_answer(std::string_view subject) {
  constexpr std::array<std::string_view, 16> kYours = {"your ",  "dein", "ihre ", "ihr ", "euer ", "votre ",
                                                       "ton ",   "tu ",  "su ",   "seu ", "sua ",  "la tua ",
                                                       "il tuo", "je ",  "uw ",   "twoj"};
  const std::string_view rest = without_answers(subject);
  const bool answers = rest.size() < trimmed(subject).size();
  if (has_answer_prefix(rest)) return answers;
  if (rest.ends_with('?')) return true;
  return std::any_of(kYours.begin(), kYours.end(),
                     [&](std::string_view word) { return starts_with_folded(rest, word); });
}

bool is_away(std::string_view text) {
  const auto counts = subject_words().count(text, 400);
  return counts[kSaysAway] + counts[kMayBeAway] > 0;
}

// "Out of office", "Kim Lee is out of the office", "[Desk] Out of office": what stands before is a name, or
// set apart. "How to set your out of office reply" speaks of one.
bool leads_with_away(std::string_view subject) {
  constexpr std::array<std::string_view, 22> kIs = {
      " is",     " am",       " be",      "i'm",      " ist",         " bin",  " sind", " est",
      " suis",   " está",     " estoy",   " estou",   " è",           " sono", " ben",  " jest",
      " jestem", "currently", " derzeit", " zurzeit", "actuellement", " now"};
  const std::string_view rest = without_answers(subject).substr(0, 200);
  const auto word_end = [&](size_t from) { return std::min(rest.find(' ', from), rest.size()); };
  size_t end = word_end(0);
  while (end < rest.size() && !is_away(rest.substr(0, end))) end = word_end(end + 1);
  size_t begin = 0;
  for (size_t at = 0; (at = rest.find(' ', at)) < end; ++at) {
    if (is_away(rest.substr(at + 1, end - at - 1))) begin = at + 1;
  }
  const std::string_view before = trimmed(rest.substr(0, begin));
  if (before.empty() || std::string_view(":-([|.,!*/\"'>]").find(before.back()) != kNowhere) return true;
  return std::any_of(kIs.begin(), kIs.end(), [&](std::string_view word) {
    return before.size() >= word.size() &&
           equal_ignoring_case(before.substr(before.size() - word.size()), word);
  });
}

// "Re: ", "Fwd: " and their like, as people's programs write them.
void read_prefix(Signs* signs) {
  constexpr std::array<std::string_view, 14> kForward = {"fwd:",  "fw:",    "wg:",     "tr:",  "rv:",
                                                         "enc:",  "i:",     "doorst:", "pd:",  "[fwd",
                                                         "转发:", "转发：", "轉寄:",   "転送:"};
  const std::string_view subject = trimmed(signs->subject);
  const auto begins = [&](std::string_view prefix) { return starts_with_folded(subject, prefix); };
  signs->forwarded = std::any_of(kForward.begin(), kForward.end(), begins);
  signs->answered = std::any_of(kAnswer.begin(), kAnswer.end(), begins);
  signs->answer_prefix = has_answer_prefix(subject);
}

}  // namespace

std::vector<std::string> addresses_of(const Part& head, std::string_view lower_name, size_t most) {
  std::vector<std::string> out;
  for (const Field& field : head.fields) {
    if (!equal_ignoring_case(field.name, lower_name)) continue;
    AddressSpan span;
    for (size_t at = 0; out.size() < most && find_address(field.value, at, &span); at = span.end) {
      out.emplace_back(field.value.substr(span.begin, span.end - span.begin));
    }
  }
  return out;
}

Signs read_signs(const Part& head, std::string_view ours) {
  Signs signs;
  for (const Field& field : head.fields) read_field(field, &signs);
  const std::vector<std::string> from = addresses_of(head, "from", 1);
  if (!from.empty()) signs.from = from.front();
  read_sender(head, signs.from.empty() ? std::string(head.field("from")) : signs.from, &signs);
  // Some systems write the empty path of the envelope into From.
  signs.null_path = signs.null_path || trimmed(head.field("from")) == "<>";
  signs.daemon = signs.daemon || (signs.null_path && signs.from.empty());
  signs.subject = decode_words(head.field("subject"));
  read_prefix(&signs);
  const auto counts = subject_words().count(without_subject(signs.subject, ours), 400);
  signs.subject_news = counts[kSaysNews];
  signs.subject_failure = static_cast<uint8_t>(std::min(255, counts[kSaysFailure] + counts[kSaysNews]));
  signs.subject_delay = counts[kSaysDelay];
  signs.subject_delivered = counts[kSaysDelivered];
  signs.subject_away = counts[kSaysAway];
  const bool nobody_wrote_it =
      signs.responder || signs.replied || signs.automatic || signs.daemon || signs.null_path || signs.answer;
  if (nobody_wrote_it && counts[kMayBeAway] > 0) ++signs.subject_away;
  const bool by_person =
      !(signs.responder || signs.replied || signs.automatic || signs.daemon || signs.null_path);
  if (by_person && signs.subject_away > 0 &&
      (signs.forwarded || speaks_of_an_answer(signs.subject) || !leads_with_away(signs.subject)))
    signs.subject_away = 0;
  signs.subject_challenge = counts[kSaysChallenge];
  signs.subject_gone = counts[kSaysGone];
  signs.subject_complaint = counts[kSaysComplaint];
  return signs;
}

}  // namespace bounce::report
