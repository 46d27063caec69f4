// What is not labelled is read all the same.
#include <gtest/gtest.h>
#include <iconv.h>

#include <string>
#include <vector>

#include "bounce/report/meaning.h"
#include "bounce/report/mime_codec.h"
#include "bounce/report/report.h"

namespace bounce::report {
namespace {

std::string in_charset(const char* charset, const std::string& text) {
  iconv_t converter = ::iconv_open(charset, "utf-8");
  std::string out(text.size() * 2, '\0');
  char* in = const_cast<char*>(text.data());
  char* to = out.data();
  size_t left = text.size(), room = out.size();
  EXPECT_NE(::iconv(converter, &in, &left, &to, &room), static_cast<size_t>(-1)) << charset << " " << text;
  ::iconv_close(converter);
  out.resize(out.size() - room);
  return out;
}

struct Texts {
  std::vector<const char*> charsets;
  std::vector<const char*> texts;
};

const std::vector<Texts>& all_texts() {
  static const std::vector<Texts> all = {
      {{"windows-1252", "iso-8859-1", "iso-8859-15"},
       {"Empfänger unbekannt", "Das Postfach ist überfüllt", "Größe überschritten",
        "La boîte aux lettres est pleine", "Destinataire désactivé", "El buzón está lleno",
        "Usuario inválido: ¿está bien escrito?", "Endereço não encontrado", "A caixa não existe",
        "La casella è piena: non è possibile consegnare", "ÜBERMITTLUNG FEHLGESCHLAGEN"}},
      {{"windows-1250", "iso-8859-2"},
       {"Skrzynka odbiorcy jest pełna", "Użytkownik nie został znaleziony",
        "Wiadomość nie mogła zostać dostarczona", "Nieprawidłowy adres, proszę sprawdzić pisownię"}},
      {{"windows-1251", "koi8-r", "iso-8859-5"},
       {"Пользователь не найден", "Почтовый ящик переполнен", "Сообщение не доставлено: адрес не существует",
        "НЕДОСТАВЛЕННОЕ СООБЩЕНИЕ", "user unknown: нет такого получателя"}},
      {{"cp932", "euc-jp"},
       {"宛先のユーザーは存在しません", "メールボックスがいっぱいです",
        "メールを配信できませんでした。宛先が見つかりません。"}},
      {{"gbk", "gb18030"},
       {"收件人不存在", "用户邮箱已满，无法投递", "您的邮件被退回，原因是收件人地址无效"}},
      {{"big5"}, {"收件人不存在", "使用者信箱已滿，無法投遞", "您的郵件被退回，原因是收件人地址無效"}},
  };
  return all;
}

TEST(Charset, OfATextWithoutALabelIsGuessed) {
  for (const Texts& each : all_texts()) {
    for (const char* charset : each.charsets) {
      for (const std::string text : each.texts) {
        for (const char* label : {"", "us-ascii", "utf-8"})
          EXPECT_EQ(to_utf8(label, in_charset(charset, text)), text) << charset;
        const std::string among = "<kim@one.example>: 550 5.1.1 " + text + " (host mx.one.example)\n";
        EXPECT_EQ(to_utf8("", in_charset(charset, among)), among) << charset;
      }
    }
  }
}

TEST(Charset, ThatIsLabelledIsBelieved) {
  const std::string octets = in_charset("windows-1251", "Пользователь не найден");
  EXPECT_EQ(to_utf8("windows-1251", octets), "Пользователь не найден");
  EXPECT_NE(to_utf8("iso-8859-1", octets), "Пользователь не найден");
}

TEST(Charset, ATextThatWasCutIsStillUtf8) {
  const std::string text = "Пользователь не найден";
  EXPECT_EQ(to_utf8("utf-8", text.substr(0, text.size() - 1)).substr(0, text.size() - 2),
            text.substr(0, text.size() - 2));
}

TEST(Charset, AReportWithoutALabelIsRead) {
  struct Case {
    const char* charset;
    const char* subject;
    const char* notice;
    Reason reason;
  };
  for (const Case& c :
       {Case{"windows-1251", "Недоставленное сообщение", "Сообщение не доставлено: пользователь не найден",
             Reason::kUserUnknown},
        Case{"koi8-r", "Недоставленное сообщение", "Сообщение не доставлено: ящик переполнен",
             Reason::kMailboxFull},
        Case{"gbk", "退信通知", "邮件无法投递：用户不存在", Reason::kUserUnknown},
        Case{"cp932", "配信できませんでした", "メールを配信できませんでした。ユーザーは存在しません",
             Reason::kUserUnknown},
        Case{"iso-8859-1", "Unzustellbare Nachricht",
             "Die Nachricht konnte nicht zugestellt werden: Empfänger unbekannt", Reason::kUserUnknown}}) {
    const std::string mail =
        "Return-Path: <>\nFrom: MAILER-DAEMON@one.example\nTo: b@sender.example\nSubject: " +
        in_charset(c.charset, c.subject) + "\n\n<kim@one.example>:\n" + in_charset(c.charset, c.notice) +
        "\n";
    const Report report = read_report(mail);
    ASSERT_EQ(report.kind, Kind::kNonstandard) << c.charset;
    ASSERT_EQ(report.recipients.size(), 1U) << c.charset;
    EXPECT_EQ(meaning_of(report, report.recipients[0], *Qualifier::shipped()).reason, c.reason) << c.charset;
  }
}

}  // namespace
}  // namespace bounce::report
