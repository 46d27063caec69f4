// The words of an unknown user are said of many things: an address, an account, a name that is ours is no
// recipient. Every noun of a language here is joined with every predicate.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "bounce/diagnostic.h"
#include "bounce/qualifier.h"

namespace bounce {
namespace {

using Words = std::vector<std::string>;

struct Language {
  std::string name;
  Words ours;     // what we are or send
  Words theirs;   // the recipient
  Words missing;  // is not there
};

const std::vector<Language>& languages() {
  static const std::vector<Language> all = {
      {"en",
       {"Your IP address", "The source address", "Client host name", "Your EHLO name", "Return address",
        "Envelope sender", "Your account", "Sending user", "The certificate name", "Header address",
        "The address of your server", "Originator", "Attachment name", "The session id", "Your domain name"},
       {"The recipient", "User", "This mailbox", "Addressee", "Mail account", "That alias", "Inbox"},
       {"is unknown", "does not exist", "was not found", "is not valid", "is not registered here",
        "is not recognized", "has been deleted", "no longer exists"}},
      {"de",
       {"Ihre IP-Adresse", "Die Absenderadresse", "Clientname", "Ihr Hostname", "Rücksendeadresse",
        "Ihr Konto", "Quelladresse", "Der Servername", "Ihre Domain"},
       {"Der Empfänger", "Benutzer", "Dieses Postfach", "Briefkasten", "Anwender", "Teilnehmer"},
       {"ist unbekannt", "existiert nicht", "wurde nicht gefunden", "ist ungültig", "wurde gelöscht",
        "kennen wir nicht"}},
      {"fr",
       {"Votre adresse IP", "Adresse de retour", "Nom d'hôte", "Votre compte", "Adresse source",
        "Adresse du client", "Votre nom de domaine", "Adresse d'expédition"},
       {"Le destinataire", "Utilisateur", "Cette boîte", "Correspondant", "Abonné", "Adresse électronique"},
       {"inconnu", "n'existe pas", "introuvable", "n'est pas connu", "n'existe plus"}},
      {"es",
       {"Su dirección IP", "Dirección de retorno", "Nombre de host", "Su cuenta", "Dirección de origen",
        "Dirección del cliente", "Su dominio", "Nombre del servidor"},
       {"El destinatario", "Usuario", "Este buzón", "Casilla", "Abonado", "Contacto"},
       {"desconocido", "no existe", "no encontrado", "no se encuentra", "ya no existe", "inexistente"}},
      {"pt",
       {"Seu endereço IP", "Endereço de retorno", "Nome do host", "Sua conta", "Endereço de origem",
        "Endereço do cliente", "Seu domínio", "Nome do servidor"},
       {"O destinatário", "Usuário", "Esta caixa postal", "Assinante", "Utilizador", "Endereço eletrônico"},
       {"desconhecido", "não existe", "não foi encontrado", "não é válido", "inexistente", "inválido"}},
      {"it",
       {"Il vostro indirizzo IP", "Indirizzo di ritorno", "Nome host", "Il vostro account",
        "Indirizzo di origine", "Indirizzo del client", "Il vostro dominio", "Nome del server"},
       {"Il destinatario", "Utente", "Questa casella", "Abbonato", "Mailbox", "Indirizzo di posta"},
       {"sconosciuto", "non esiste", "non trovato", "inesistente", "è stato eliminato", "non è valido"}},
      {"nl",
       {"Uw IP-adres", "Retouradres", "Hostnaam", "Uw account", "Bronadres", "Clientadres", "Uw domein",
        "Servernaam"},
       {"De ontvanger", "Gebruiker", "Dit postvak", "Postbus", "Abonnee", "Brievenbus"},
       {"onbekend", "bestaat niet", "niet gevonden", "is verwijderd", "ongeldig"}},
      {"pl",
       {"Twój adres IP", "Adres zwrotny", "Nazwa hosta", "Twoje konto", "Adres źródłowy", "Adres klienta",
        "Twoja domena", "Nazwa serwera"},
       {"Odbiorca", "Użytkownik", "Ta skrzynka", "Abonent", "Adresat"},
       {"nieznany", "nie istnieje", "nie znaleziono", "usunięty", "nie jest znany"}},
      {"ru",
       {"Ваш IP-адрес", "Обратный адрес", "Имя хоста", "Ваш аккаунт", "Адрес отправителя", "Адрес клиента",
        "Ваш домен", "Имя сервера"},
       {"Получатель", "Пользователь", "Этот ящик", "Абонент", "Адресат", "Учётная запись"},
       {"неизвестен", "не существует", "не найден", "удалён", "отсутствует", "недействителен"}},
      {"ja",
       {"あなたのIPアドレス", "返信先アドレス", "ホスト名", "あなたのアカウント", "送信元アドレス",
        "クライアント名", "差出人のアドレス", "サーバー名"},
       {"受信者", "ユーザー", "このメールボックス", "送信先", "送り先", "宛先アドレス"},
       {"は存在しません", "が見つかりません", "が不明です", "は登録されていません", "は削除されました"}},
      {"zh",
       {"您的IP地址", "回复地址", "主机名", "您的账号", "来源地址", "客户端地址", "发件人域名", "服务器名"},
       {"收件人", "用户", "该邮箱", "联系人", "使用者", "信箱"},
       {"不存在", "未找到", "无效", "未知", "已删除", "有误"}},
  };
  return all;
}

Qualification meaning_of(const std::string& line) {
  const Reply reply = read_diagnostic(line);
  return Qualifier::shipped()->qualify({Stage::kRcpt, &reply});
}

// Each of the first with each of the second.
Words joined(const Words& firsts, const std::string& gap, const Words& seconds) {
  Words all;
  for (const std::string& first : firsts)
    for (const std::string& second : seconds) all.push_back(first + gap + second);
  return all;
}

// In every language: "550 " and the like before each sentence about these nouns.
Words replies(const Words& codes, Words Language::*nouns) {
  Words all;
  for (const Language& language : languages()) {
    const std::string gap = language.name == "ja" || language.name == "zh" ? "" : " ";
    const Words sentences = joined(language.*nouns, gap, language.missing);
    std::ranges::move(joined(codes, "", sentences), std::back_inserter(all));
  }
  return all;
}

void expect_hard(const Words& replies) {
  for (const std::string& reply : replies) {
    const Qualification meaning = meaning_of(reply);
    EXPECT_EQ(meaning.type, ErrorType::kHard) << reply << " by " << meaning.rule;
  }
}

TEST(WhoseWords, OursMoveNoRecipient) {
  const Words codes = {"550 ", "550 5.7.1 ", "550 5.1.1 ", "550 5.2.1 ",
                       "554 5.7.1 <a@b.example>: Recipient address rejected: "};
  for (const std::string& reply : replies(codes, &Language::ours)) {
    const Qualification meaning = meaning_of(reply);
    EXPECT_NE(meaning.type, ErrorType::kHard) << reply << " by " << meaning.rule;
    EXPECT_NE(meaning.scope, Scope::kRecipient) << reply << " by " << meaning.rule;
  }
}

TEST(WhoseWords, TheirsAreHard) {
  expect_hard(replies({"550 ", "550 5.7.1 ", "550 5.1.1 "}, &Language::theirs));
}

// RFC 5321 §4.2.2: these codes speak of a command.
TEST(WhoseWords, ACommandThatIsRefusedIsNoAddress) {
  const Words texts = {"No such user", "Recipient unknown", "Valid RCPT command must precede DATA",
                       "Invalid address parameter", "<a@b.example>: recipient not valid"};
  for (const std::string& reply : joined({"500", "502", "503", "503 5.5.1", "530", "555"}, " ", texts)) {
    const Qualification meaning = meaning_of(reply);
    EXPECT_NE(meaning.type, ErrorType::kHard) << reply << " by " << meaning.rule;
  }
}

// What Postfix says to DATA when every RCPT was refused, joined to the refusals by a client that pipelines.
TEST(WhoseWords, NoValidRecipientsBesideAReasonSaysNothing) {
  const std::string after = "554 5.5.1 Error: no valid recipients";
  for (const char* text :
       {"550 5.7.1 Blocked by admin", "554 5.7.9 Message not accepted for policy reasons",
        "550 5.7.1 [HM08] Message rejected due to local policy", "550 Rejected, see our list",
        "552 5.2.2 Mailbox full", "550 5.1.1 User unknown"}) {
    for (const std::string& joined : {text + (" " + after), after + " " + text}) {
      EXPECT_EQ(meaning_of(joined).reason, meaning_of(text).reason) << joined;
      EXPECT_EQ(meaning_of(joined).type, meaning_of(text).type) << joined;
    }
  }
  EXPECT_NE(meaning_of(after).type, ErrorType::kHard);
}

TEST(WhoseWords, AFullMailboxIsThere) {
  for (const char* text :
       {"The recipient cannot receive mail until old messages are deleted", "User has no longer any room",
        "Postfach: alte Nachrichten werden nicht gelöscht", "recipient rejected"}) {
    const Qualification meaning = meaning_of(std::string("552 5.2.2 ") + text);
    EXPECT_EQ(meaning.reason, Reason::kMailboxFull) << text << " by " << meaning.rule;
    EXPECT_EQ(meaning.type, ErrorType::kSoft) << text << " by " << meaning.rule;
  }
}

TEST(WhoseWords, AdviceToUsBehindTheSentenceChangesNothing) {
  const Words dead = {"550 5.1.1 User unknown", "550 No such recipient here",
                      "550 <a@b.example>: Recipient address rejected: User unknown", "550 Unknown user"};
  const Words advice = {". Check the settings of your mail account.", ". Your IP address was noted.",
                        ". Contact your network administrator.", "; the message was deleted"};
  expect_hard(joined(dead, "", advice));
}

// What servers add to a refusal, in the languages of the replies.
TEST(WhoseWords, WhatBecameOfTheMailChangesNothing) {
  struct Pair {
    Words dead, thrown_away;
  };
  const std::vector<Pair> pairs = {
      {{"User unknown", "No such recipient here", "The mailbox does not exist", "invalid address"},
       {"message deleted", "the mail has been discarded", "your e-mail was dropped",
        "the message is destroyed"}},
      {{"Benutzer unbekannt", "Der Empfänger existiert nicht"},
       {"Nachricht gelöscht", "die Mail wurde verworfen", "Ihre Nachricht wurde daher gelöscht"}},
      {{"Utilisateur inconnu", "La boîte n'existe pas"}, {"le message a été supprimé", "message détruit"}},
      {{"El usuario no existe", "buzón desconocido"},
       {"el mensaje fue eliminado", "su correo ha sido descartado"}},
      {{"O usuário não existe", "caixa inexistente"}, {"a mensagem foi apagada", "mensagem descartada"}},
      {{"Utente sconosciuto", "La casella non esiste"},
       {"il messaggio è stato cancellato", "messaggio scartato"}},
      {{"Gebruiker onbekend", "De postbus bestaat niet"}, {"bericht verwijderd", "uw e-mail is gewist"}},
      {{"Nieznany użytkownik", "Skrzynka nie istnieje"},
       {"wiadomość została usunięta", "wiadomość skasowana"}},
      {{"Пользователь не найден", "Ящик не существует"}, {"сообщение удалено", "письмо было уничтожено"}},
      {{"ユーザーは存在しません", "宛先が見つかりません"},
       {"メールは削除されました", "メッセージを破棄しました"}},
      {{"用户不存在", "找不到收件人"}, {"邮件已被删除", "消息已丢弃"}},
  };
  for (const auto& [dead, thrown_away] : pairs) {
    for (const char* between : {", ", ". ", ": ", " - ", "; "}) {
      expect_hard(joined({"550", "550 5.1.1"}, " ", joined(dead, between, thrown_away)));
      expect_hard(joined({"550", "550 5.7.1"}, " ", joined(thrown_away, between, dead)));
    }
    for (const std::string& reply : joined({"550", "550 5.1.1", "550 5.2.1"}, " ", thrown_away))
      EXPECT_NE(meaning_of(reply).type, ErrorType::kHard) << reply << " by " << meaning_of(reply).rule;
  }
}

// data/no_verdict.tsv
TEST(WhoseWords, AConditionOrAGuessIsNoVerdict) {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/tests/bounce/data/no_verdict.tsv");
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    ++rows;
    const Qualification meaning = meaning_of(line.substr(2));
    EXPECT_EQ(meaning.type == ErrorType::kHard, line[0] == 'h') << line << " by " << meaning.rule;
  }
  EXPECT_GE(rows, 200);
}

// "If the user does not exist", "perhaps": with every noun and predicate.
TEST(WhoseWords, WhatIsOnlySupposedIsNoVerdict) {
  const std::map<std::string, Words> supposed = {
      {"en", {"If ", "Perhaps ", "Remove it in case ", "We cannot say whether "}},
      {"de", {"Falls ", "Vielleicht ", "Prüfen Sie, ob "}},
      {"fr", {"Peut-être que ", "Il est possible que "}},
      {"es", {"Quizás ", "Es posible que ", "En caso de que "}},
      {"pt", {"Talvez ", "É possível que "}},
      {"it", {"Forse ", "Nel caso ", "È possibile che "}},
      {"nl", {"Misschien ", "Indien ", "Wellicht "}},
      {"pl", {"Jeśli ", "Być może "}},
      {"ru", {"Если ", "Возможно, "}}};
  for (const Language& language : languages()) {
    const auto words = supposed.find(language.name);
    if (words == supposed.end()) continue;
    for (const std::string& before : words->second)
      for (const std::string& who : language.theirs)
        for (const std::string& missing : language.missing) {
          const std::string reply = "550 " + before + who + " " + missing + ".";
          EXPECT_NE(meaning_of(reply).type, ErrorType::kHard) << reply << " by " << meaning_of(reply).rule;
        }
  }
}

}  // namespace
}  // namespace bounce
