#include "bounce/report/free_form.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bounce/report/address_text.h"
#include "bounce/report/diagnostic_text.h"
#include "bounce/report/named.h"
#include "bounce/report/notice_words.h"
#include "bounce/report/own_words.h"
#include "bounce/report/recipient_words.h"
#include "bounce/report/text.h"
#include "bounce/report/text_recipients.h"
#include "bounce/report/transcript.h"

namespace bounce::report {
namespace {

constexpr size_t kWordsOctets = 8192;

KnownAddresses known_addresses(const Part& head, const Signs& signs, const Part& original) {
  KnownAddresses known;
  known.failed = addresses_of(head, "x-failed-recipients", 1000);
  known.returned = addresses_of(original, "to", 20);
  for (std::string& address : addresses_of(original, "cc", 20)) known.returned.push_back(std::move(address));
  known.senders = addresses_of(head, "to", 10);
  for (const char* name : {"from", "return-path", "sender", "reply-to"}) {
    for (std::string& address : addresses_of(original, name, 4)) known.senders.push_back(std::move(address));
  }
  if (!signs.from.empty()) known.senders.push_back(signs.from);
  return known;
}

// The reply that stands in a subject, from its code on; empty where there is none.
std::string_view reply_in_subject(std::string_view subject) {
  for (size_t at = 0; at < subject.size(); ++at) {
    const bool begins = at == 0 || !(is_letter(subject[at - 1]) || is_digit(subject[at - 1]));
    if (begins && leading_code(subject.substr(at), nullptr) != 0 && find_code(subject) != 0)
      return trimmed(subject.substr(at));
  }
  return {};
}

// What the remote side said: the transcript in a notice, or the subject where the text has no reply. Looked
// for once.
struct Spoken {
  Spoken(const Notice& notice, std::string_view subject) {
    reply = transcript_reply(notice.text, &host);
    if (reply.empty() && find_code(notice.text) == 0 && find_status(notice.text).empty())
      reply = reply_in_subject(subject);
  }
  explicit Spoken(std::string_view text) { reply = transcript_reply(text, &host); }
  std::string host;
  std::string reply;
};

// A refusal beside the status of a delay, or of one that ended: it is somebody else's.
bool contradicts(const Recipient& recipient, std::string_view reply) {
  const std::string_view status = recipient.status;
  const bool waited = status.starts_with('4') || status == "5.4.7" || recipient.action == Action::kDelayed;
  return waited && (find_code(reply) >= 500 || find_status(reply).starts_with("5."));
}

// Codes and the better of two diagnostics.
// `text`: where they are looked for. `search`: look for a line that says more.
void settle_diagnostic(std::string_view text, const Spoken& said, bool search, Recipient* recipient) {
  std::string spoken = said.reply;
  const std::string& host = said.host;
  std::string& diagnostic = recipient->diagnostic;
  const bool coded = find_code(diagnostic) != 0 || !find_status(diagnostic).empty();
  const bool same_words = has_words(diagnostic);
  if (!spoken.empty() && (!coded || !same_words)) {
    diagnostic = std::move(spoken);
    if (recipient->remote_mta.empty()) recipient->remote_mta = host;
  } else if (search && (!same_words || !coded)) {
    std::string line = diagnostic_in_text(text, recipient->address);
    const bool better = !line.empty() && (find_code(line) != 0 || !find_status(line).empty() || !same_words);
    if (better && has_words(line)) diagnostic = std::move(line);
  }
  // A status that says why is worth more than a notice that does not.
  if (!has_words(diagnostic) && is_vague_status(recipient->status)) {
    diagnostic = one_line(without_repeated_header(text.substr(0, 1200)));
  }
  diagnostic = clean_diagnostic(std::string_view(diagnostic).substr(0, 2000));
  if (recipient->code == 0) recipient->code = find_code(diagnostic);
  std::string status = find_status(diagnostic);
  // One of success stands with a command that was taken.
  if (status.starts_with('2') && recipient->action != Action::kDelivered) status.clear();
  if (recipient->status.empty() || (is_vague_status(recipient->status) && !status.empty()))
    recipient->status = std::move(status);
}

// The same for one of several: by what the notice says of him, and nothing of the others.
void settle_one_of(const OwnWords& words, Recipient* recipient) {
  std::string_view own = words.of(*recipient);
  // What stood behind his name can run on to the next, or be the reason below a list of names.
  if (!own.empty() && !has_words(own)) {
    recipient->diagnostic.clear();
    if (find_code(own) == 0 && find_status(own).empty()) own = {};
  }
  if (words.names_another(*recipient, recipient->diagnostic)) recipient->diagnostic = one_line(own);
  const Recipient before = *recipient;
  settle_diagnostic(own, Spoken(own), true, recipient);
  if (contradicts(before, recipient->diagnostic)) *recipient = before;
}

void settle_all(const Notice& notice, std::string_view subject, std::vector<Recipient>* recipients) {
  if (recipients->size() == 1)
    return settle_diagnostic(notice.text, Spoken(notice, subject), true, &recipients->front());
  const OwnWords words(notice.text, *recipients);
  for (Recipient& each : *recipients) settle_one_of(words, &each);
}

// Senders that no person has. They are believed only when all the rest is there.
bool is_service(std::string_view from) {
  constexpr std::array<std::string_view, 10> kLocals = {
      "no-reply", "noreply",     "no_reply", "donotreply", "do-not-reply",
      "admin",    "mail-system", "smtp",     "exchange",   "gateway"};
  return from.empty() || std::any_of(kLocals.begin(), kLocals.end(),
                                     [&](std::string_view each) { return starts_with_folded(from, each); });
}

// Programs of all kinds write with an empty reverse-path, and about mail that came back too: who is no mail
// system brings the message along, or speaks of a mailbox of his own.
bool is_from_machine(const Signs& signs, const Notice& notice, const Named& named) {
  if (signs.daemon) return true;
  if (signs.person) return false;
  const bool service = named.any && is_service(signs.from);
  if (!signs.null_path && !signs.automatic && !service) return false;
  const bool told = signs.subject_failure + signs.subject_delay > 0;
  if (!notice.has_original) return signs.null_path && told && named.by_host;
  // A ticket may quote our words and enclose our message: its own subject, or what a server said, decides.
  return named.coded || (told && !signs.automatic);
}

using Words = std::array<uint8_t, WordTable::kTopics>;

// The words of failure in the text, and of delay.
int failures_in(const Words& words) { return words[kSaysFailure] + words[kSaysNews]; }

// Good news, and nothing in it that sounds otherwise.
bool is_success(const Signs& signs, const Notice& notice, const Words& words) {
  const bool failure = signs.subject_failure > signs.subject_news || words[kSaysFailure] > 0;
  const bool delay = signs.subject_delay > 0 || words[kSaysDelay] > 0;
  const bool success = signs.subject_delivered > 0 || words[kSaysDelivered] > 0;
  if (failure || delay || !success || find_code(notice.text) != 0) return false;
  const std::string status = find_status(notice.text);
  return status.empty() || status.front() == '2';
}

// "Hi,", "Dear colleagues,": somebody writes to somebody.
bool begins_as_letter(std::string_view text) {
  constexpr std::array<std::string_view, 16> kGreetings = {
      "hi",      "hello",   "dear",   "hey",  "good morning", "hallo",      "guten tag", "sehr geehrte",
      "bonjour", "bonsoir", "madame", "hola", "estimad",      "buongiorno", "gentil",    "beste"};
  LineReader lines(text);
  std::string_view line;
  while (lines.next(&line) && trimmed(line).empty()) {
  }
  line = trimmed(line);
  const bool ends = !line.empty() && (line.back() == ',' || line.back() == '!');
  return ends && std::any_of(kGreetings.begin(), kGreetings.end(),
                             [&](std::string_view each) { return starts_with_folded(line, each); });
}

// Is this a notice of a mail system at all? Weighs signs; words alone never do.
bool is_notice(const Part& head, const Signs& signs, const Notice& notice, const Words& words,
               const Named& named) {
  // A person who talks about bounces; a mail system that answers into a thread still says so itself.
  if ((signs.list || signs.answer) && !signs.daemon) return false;
  if (head.has("x-failed-recipients")) return true;
  if (signs.unproven && (!named.any || begins_as_letter(notice.text))) return false;
  // A gateway that passes a report on forwards too; people have an address that answers reach.
  const bool by_person = !signs.daemon || !signs.null_path;
  if ((signs.forwarded && by_person) || (signs.answered && !signs.daemon)) return false;
  const int failure = failures_in(words) + words[kSaysDelay] + words[kSaysDelivered];
  const int subject = signs.subject_failure + signs.subject_delay + signs.subject_delivered;
  const bool reply = find_code(notice.text) != 0 || !find_status(notice.text).empty();
  // In a language that is not read here, the message that came back speaks for itself, or the reply that the
  // system quotes.
  const bool quotes_reply = find_code(notice.text) != 0 && !find_status(notice.text).empty();
  const bool speaks = signs.daemon && signs.null_path && named.any && (notice.has_original || quotes_reply);
  if (failure == 0 && subject == 0 && !speaks) return false;
  const bool typed = head.report_type == "delivery-status";
  if (!typed && !is_from_machine(signs, notice, named)) return false;
  // Parcels are not delivered either, and mailboxes of one's own are nearly full: mail that came back shows
  // whose it was, or brings the message along, or a reply.
  if (!named.any && !notice.has_original && (!signs.daemon || find_code(notice.text) == 0)) return false;
  // Statistics of a mail system, and what programs that watch it write, are full of refusals.
  const bool bare = !typed && subject == 0 && !notice.has_original;
  const bool says_whose = reply || named.our_mail || failures_in(words) + words[kSaysDelay] > 1;
  if (bare && (!signs.daemon || !says_whose || (!signs.null_path && !signs.answer))) return false;
  int score = 0;
  score += signs.daemon ? 3 : 0;
  score += signs.null_path ? 3 : 0;
  score += signs.automatic ? 1 : 0;
  score += head.report_type == "delivery-status" ? 4 : 0;
  score += subject > 0 ? 3 : 0;
  score += failure > 2 ? 3 : failure > 0 ? 2 : 0;
  score += notice.has_original ? 2 : 0;
  score += named.any ? 1 : 0;
  score -= signs.person ? 3 : 0;
  return score >= 6;
}

}  // namespace

Kind read_free_form(const Part& head, const Signs& signs, const Notice& notice, const Part& original,
                    Report* report) {
  const Words words = notice_words().count(notice.text, kWordsOctets);
  // A recipient only speaks for a notice: what is none even with one is not searched for any.
  if (!is_notice(head, signs, notice, words, Named())) return Kind::kNotBounce;
  const KnownAddresses known = known_addresses(head, signs, original);
  std::vector<Recipient> recipients = recipients_in_text(notice.text, known);
  if (recipients.empty()) recipients = recipients_in_text(reply_in_subject(signs.subject), known);
  if (!is_notice(head, signs, notice, words, named_in(notice.text, signs.from, recipients)))
    return Kind::kNotBounce;
  const bool success = is_success(signs, notice, words);
  if (success && (!signs.daemon || recipients.empty())) return Kind::kNotBounce;
  if (recipients.empty()) {
    // The text names nobody: the message was for these.
    for (const std::string& address : known.returned) {
      if (recipients.size() < 20) recipients.emplace_back().address = address;
      if (!known.returned.empty() && recipients.size() == 1 && known.returned.size() > 3) break;
    }
  }
  if (recipients.empty() && failures_in(words) + words[kSaysDelay] + signs.subject_failure < 2)
    return Kind::kNotBounce;
  if (recipients.empty()) recipients.emplace_back();
  const bool only_delay = (signs.subject_delay > 0 && failures_in(words) <= 3) ||
                          (words[kSaysDelay] > 0 && signs.subject_failure == 0) || words[kSaysDelay] >= 2;
  const Action action = success ? Action::kDelivered : only_delay ? Action::kDelayed : Action::kFailed;
  for (Recipient& recipient : recipients) recipient.action = action;
  settle_all(notice, signs.subject, &recipients);
  report->recipients = std::move(recipients);
  return success ? Kind::kDelivered : only_delay ? Kind::kDelayed : Kind::kNonstandard;
}

void complete_from_text(const Part& head, const Signs& signs, const Notice& notice, const Part& original,
                        Report* report) {
  const bool poor =
      std::any_of(report->recipients.begin(), report->recipients.end(), [](const Recipient& each) {
        return each.address.find('@') == kNowhere || !has_words(each.diagnostic);
      });
  if (!poor || report->recipients.size() > 50) return;
  const KnownAddresses known = known_addresses(head, signs, original);
  const std::vector<Recipient> named = recipients_in_text(notice.text, known);
  for (Recipient& recipient : report->recipients) {
    if (recipient.address.find('@') == kNowhere) {
      if (recipient.original_address.find('@') != kNowhere) {
        recipient.address = recipient.original_address;
      } else if (report->recipients.size() == 1 && named.size() == 1) {
        recipient.address = named.front().address;
      } else if (report->recipients.size() == 1 && known.returned.size() == 1) {
        recipient.address = known.returned.front();
      }
    }
  }
  // The fields may tell of one of several whom the words name.
  std::vector<Recipient> all = report->recipients;
  const auto is_there = [&](const Recipient& each) {
    return same_address(each.address, all.front().address);
  };
  if (std::any_of(named.begin(), named.end(), is_there)) all.insert(all.end(), named.begin(), named.end());
  const bool several = report->recipients.size() > 1 || !std::all_of(all.begin(), all.end(), is_there);
  const Spoken spoken(notice, signs.subject);
  const OwnWords words(several ? std::string_view(notice.text) : std::string_view(), all);
  for (Recipient& recipient : report->recipients) {
    if (has_words(recipient.diagnostic)) continue;
    const auto same = std::find_if(named.begin(), named.end(), [&](const Recipient& each) {
      return same_address(each.address, recipient.address);
    });
    const std::string before =
        std::exchange(recipient.diagnostic, same == named.end() ? std::string() : same->diagnostic);
    several ? settle_one_of(words, &recipient) : settle_diagnostic(notice.text, spoken, true, &recipient);
    if (!has_words(recipient.diagnostic)) recipient.diagnostic = before;
  }
}

}  // namespace bounce::report
