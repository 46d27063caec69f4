// Who wrote a mail: people who speak of bounces and of answers, and the systems and programs beside them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bounce/report/meaning.h"
#include "bounce/report/report.h"

namespace bounce::report {
namespace {

struct Sample {
  const char* name;
  std::string fields;
  std::string text;
};

Report read(const Sample& mail) {
  return read_report(mail.fields + "To: news@sender.example\n" +
                     "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" +
                     mail.text + "\n");
}

void expect_kind(const Sample& mail, Kind kind) {
  EXPECT_STREQ(to_text(read(mail).kind), to_text(kind)) << mail.name;
}

TEST(Writers, APersonAtPostmasterIsNoMailSystem) {
  const std::string from = "From: Postmaster <postmaster@works.example>\n";
  for (const Sample& mail : std::vector<Sample>{
           {"answer", from + "Subject: Re: Undeliverable mail?\nIn-Reply-To: <q@sender.example>\n",
            "Hello,\n\nkim@works.example left us: \"550 5.1.1 User unknown\" is right.\n\n> Why?"},
           {"answer that quotes the mail", from + "Subject: Re: Hello\nIn-Reply-To: <q@sender.example>\n",
            "We answered 550 5.1.1 for kim@works.example.\n\n-----Original Message-----\nFrom: "
            "a@sender.example\n"
            "To: postmaster@works.example\nSubject: Hello\nDate: today\nMessage-ID: "
            "<q@sender.example>\n\nwhy"},
           {"policy", from + "Subject: New rules for bulk senders\n",
            "From May on we answer 550 5.7.1 to mail without DKIM. Write to kim@works.example."},
           {"letter", from + "Subject: Rejected mail from your newsletter\n",
            "Hi,\n\nyour mail to kim@works.example was rejected with 550 5.1.1: she left "
            "us.\n\nRegards,\nLee"},
           {"bounce policy", from + "Subject: Our bounces will change\n",
            "Mail to unknown users is rejected with 550 5.1.1."},
           {"administrator", "From: System Administrator <kim@works.example>\nSubject: Maintenance\n",
            "On Sunday the server answers 450 4.3.2 to all mail for lee@works.example."}})
    expect_kind(mail, Kind::kNotBounce);
}

TEST(Writers, AMailSystemAtPostmasterIsOne) {
  const std::string from = "From: Postmaster <postmaster@works.example>\nSubject: Mail\n";
  const std::string text = "Could not deliver your message.\n\n<kim@works.example>: 550 5.1.1 User unknown\n";
  const std::string ours =
      "\n----- Original message -----\nReceived: from x by y\nFrom: news@sender.example\n"
      "To: kim@works.example\nMessage-ID: <1@sender.example>\nSubject: Hi\n\nhi";
  for (const Sample& mail : std::vector<Sample>{
           {"empty path", "Return-Path: <>\n" + from, text},
           {"marked", "Auto-Submitted: auto-generated\n" + from + "X-Note: a\n", text + ours},
           {"brings it along", from, text + ours},
           {"subject", "From: postmaster@works.example\nSubject: Undeliverable: Hi\n", text},
           {"other name", "From: MAILER-DAEMON@works.example\nSubject: Undeliverable: Hi\n", text}})
    expect_kind(mail, Kind::kNonstandard);
}

TEST(Writers, WhoSpeaksOfAnAnswerIsNotAway) {
  const std::string from = "From: Kim <kim@one.example>\nSubject: ";
  const std::string text =
      "Please read this before you go on vacation. I am out of the office says the sample.";
  for (const char* subject : {"Fwd: Automatic reply: Spring letter", "WG: Abwesenheitsnotiz: Post",
                              "TR: Réponse automatique : Bonjour", "FW: Out of Office",
                              "How to write your out of office message", "Guide for out-of-office replies",
                              "New template for the automatic reply", "Why we love the out of office"})
    expect_kind({subject, from + subject + "\n", text}, Kind::kNotBounce);
  for (const char* subject :
       {"Out of Office: Spring letter", "Automatic reply: Spring letter", "Kim Lee is out of the office",
        "Out of office", "Re: Spring letter - out of office", "[Desk] Out of office",
        "I am out of the office", "Out of the office until May"})
    expect_kind({subject, from + subject + "\n", "I am on vacation and out of the office."},
                Kind::kAutoReply);
}

TEST(Writers, ProgramsAnswerInManyLanguages) {
  for (const char* subject :
       {"Automatisk svar: Brev", "Automatikus válasz: Levél", "Αυτόματη απάντηση: Νέα",
        "Răspuns automat: Scrisoare", "Автоматична відповідь: Лист", "Automatická odpověď: Dopis",
        "Otomatik yanıt: Mektup", "Automaattinen vastaus: Kirje", "Frånvaromeddelande: Brev",
        "Automatski odgovor: Pismo"})
    expect_kind({subject, "From: Kim <kim@one.example>\nSubject: " + std::string(subject) + "\n", "27.5."},
                Kind::kAutoReply);
  expect_kind({"field", "From: kim@one.example\nDelivered-To: Autoresponder\nSubject: Urlaub\n", "Bis Juni."},
              Kind::kAutoReply);
  expect_kind(
      {"address", "From: kim@one.example\nDelivered-To: autoresponder@x.example\nSubject: Hi\n", "Hello."},
      Kind::kNotBounce);
}

TEST(Writers, AnAutomaticReplyOfAPostmasterIsOne) {
  const std::string from = "From: postmaster@works.example\nAuto-Submitted: auto-replied\nSubject: ";
  expect_kind({"answer", from + "Automatic reply: Undelivered Mail Returned to Sender\n",
               "We are out of office. For delivery failures (550 User unknown) call us."},
              Kind::kAutoReply);
  expect_kind({"refusal", from + "Undelivered Mail Returned to Sender\n",
               "Your message could not be delivered:\n\n<kim@works.example>: 550 5.1.1 User unknown"},
              Kind::kNonstandard);
}

TEST(Writers, ARefusalThatIsMarkedAsAnAnswerIsARefusal) {
  const std::string from =
      "Return-Path: <>\nFrom: postmaster@works.example\nAuto-Submitted: auto-replied\nSubject: ";
  for (const auto& [subject, text] : std::vector<std::pair<std::string, std::string>>{
           {"E-Mail abgewiesen",
            "Die Nachricht an folgende Empfänger wurde abgewiesen:\n\n   kim@works.example\n"},
           {"Ihre Nachricht wurde abgelehnt", "Empfänger: kim@works.example\nGrund: Anhang nicht erlaubt\n"},
           {"Message refusé", "Votre message a été bloqué.\n\nDestinataire : kim@works.example\n"},
           {"Messaggio respinto", "La mail è stata respinta.\n\nDestinatario: kim@works.example\n"},
           {"Vaše zpráva", "Zpráva nebyla doručena: byla odmítnuta.\n\nPříjemce:\nkim@works.example\n"}}) {
    const Report report = read({subject.c_str(), from + subject + "\n", text});
    EXPECT_STREQ(to_text(report.kind), "nonstandard") << subject;
    ASSERT_EQ(report.recipients.size(), 1U) << subject;
    EXPECT_EQ(report.recipients[0].address, "kim@works.example");
    EXPECT_NE(meaning_of(report, report.recipients[0], *Qualifier::shipped()).type, ErrorType::kHard)
        << subject;
  }
}

std::string with_file(const std::string& from, const std::string& text, const std::string& type) {
  return "Return-Path: <>\nFrom: " + from + "\nTo: news@sender.example\nSubject: Your mail\n" +
         "Content-Type: multipart/mixed; boundary=B\n\n--B\n\n" + text + "\n--B\nContent-Type: " + type +
         "\nContent-Disposition: attachment; filename=details.txt\n\nReporting-MTA: dns; works.example\n\n"
         "Final-Recipient: rfc822; kim@works.example\nAction: failed\nStatus: 5.1.1\n"
         "Diagnostic-Code: smtp; 550 user unknown\n\n--B--\n";
}

TEST(Writers, FieldsInAFileAreReadWhereASystemTellsOfAFailure) {
  for (const char* type : {"text/plain; name=details.txt", "application/octet-stream; name=details.txt"}) {
    const Report report =
        read_report(with_file("MAILER-DAEMON@works.example", "Could not be delivered.", type));
    EXPECT_STREQ(to_text(report.kind), "dsn") << type;
    ASSERT_EQ(report.recipients.size(), 1U) << type;
    EXPECT_EQ(report.recipients[0].address, "kim@works.example");
    EXPECT_EQ(report.recipients[0].status, "5.1.1");
    EXPECT_STREQ(to_text(read_report(with_file("kim@works.example", "Could not be delivered.", type)).kind),
                 "notbounce");
    EXPECT_STREQ(to_text(read_report(with_file("MAILER-DAEMON@works.example", "A log.", type)).kind),
                 "notbounce");
  }
}

TEST(Writers, LinesOfAReasonAndAnAddressNameSeveralRecipients) {
  const Report report =
      read({"lines", "Return-Path: <>\nFrom: postmaster@works.example\nSubject: Undeliverable Mail\n",
            "Unknown user: kim@works.example\n"
            "User mailbox exceeds allowed size: lee@works.example\n"
            "Unknown host: pat@nowhere.example\n"});
  ASSERT_EQ(report.recipients.size(), 3U);
  std::vector<std::string> reasons;
  for (const Recipient& each : report.recipients)
    reasons.emplace_back(label(meaning_of(report, each, *Qualifier::shipped()).reason));
  EXPECT_EQ(reasons, (std::vector<std::string>{"User unknown", "Mailbox full", "Invalid domain"}));
}

}  // namespace
}  // namespace bounce::report
