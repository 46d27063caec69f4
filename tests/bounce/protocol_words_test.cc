#include "bounce/protocol_words.h"

#include <gtest/gtest.h>

namespace bounce {
namespace {

Reply reply(const std::string& line) {
  return Reply::make(static_cast<uint16_t>(std::stoi(line)), line.size() > 4 ? line.substr(4) : "");
}

TEST(ProtocolWords, TooManyRecipientsInAnyCode) {
  for (const char* line :
       {"452 4.5.3 Too many recipients", "452 4.5.3", "452 #4.5.3 Too many recipients.",
        "552 5.5.3 Maximum limit of 3 recipients reached", "552 too many recipients",
        "452 Too many recipients received this session", "451 4.5.3 Too many recipients",
        "452 4.3.1 Too many recipients, send the rest later", "550 5.5.3 Too many recipients",
        "421 4.5.3 Too many recipients in this transaction", "450 max rcpts limit reached",
        "452 4.5.3 recipient in a separate transaction. - gsmtp", "554 5.5.3 RCPT limit exceeded",
        "550 Too many RCPT TO commands", "452 Trop de destinataires", "552 Zu viele Empf\xc3\xa4nger",
        "450 4.7.1 one recipient at a time, please", "554 5.7.1 Multiple recipients are not taken here",
        "452 4.5.3 Recipients belong to multiple regions ATTR38"}) {
    EXPECT_TRUE(says_too_many_recipients(reply(line))) << line;
  }
}

TEST(ProtocolWords, FullMailboxesAndPacesAreNotTooManyRecipients) {
  for (const char* line :
       {"452 4.2.2 mailbox full", "552 5.2.2 over quota", "452 insufficient system storage",
        "552 message size exceeds fixed limit", "450 4.7.1 too many recipients per hour from you",
        "452 4.5.3 too many recipients today", "550 5.1.1 no such user",
        "550 5.1.1 at least one recipient is invalid", "550 5.1.1 One or more recipients are unknown",
        "554 one or more recipients were rejected",
        "552 5.3.4 Message size exceeds maximum limit of 10240 KB",
        "552 Message exceeds the maximum limit of 20 MB",
        "552 5.2.2 mailbox exceeds the maximum limit of 2 GB",
        "550 5.1.1 single recipient lookup: no such user",
        "554 5.7.1 Rejected as spam. Start a new session when you have cleaned your lists",
        "554 5.7.1 too many links for our recipients", "503 Bad sequence of commands, open a new session",
        "450 4.7.1 too many recipients, sending rate too high", "250 ok"}) {
    EXPECT_FALSE(says_too_many_recipients(reply(line))) << line;
  }
}

TEST(ProtocolWords, TooManyMessagesOnAConnection) {
  for (const char* line :
       {"421 4.7.0 too many messages on this connection, closing", "452 4.5.3 Too many mails in this session",
        "550 Maximum messages per session reached", "421 message limit per connection exceeded",
        "450 4.7.1 Max message count per connection, reconnect",
        "421 4.7.0 Too 4.7.0 many messages per session", "450 4.7.1 Error: session limit of messages reached",
        "554 5.7.1 You have sent enough mail on this connection",
        "451 4.5.0 Zu viele Nachrichten in dieser Verbindung", "421 Trop de messages dans cette connexion",
        "421 Demasiados mensajes en esta conexión", "450 Muitas mensagens nesta sessão",
        "421 Troppi messaggi in questa sessione", "421 Te veel berichten in deze verbinding",
        "421 Zbyt wiele wiadomości w tej sesji", "421 Слишком много сообщений в этом соединении",
        "421 この接続ではメッセージが多すぎます", "421 此连接邮件过多"}) {
    EXPECT_TRUE(says_too_many_messages(reply(line))) << line;
  }
  for (const char* line :
       {"421 too many connections", "421 4.7.0 too many concurrent sessions, too many messages waiting",
        "450 too many messages per hour on this connection", "451 slow down", "250 ok",
        "451 Zu viele Nachrichten pro Stunde in dieser Verbindung", "452 Zu viele Nachrichten im Postfach",
        "450 Trop de messages par heure, connexion refusée"}) {
    EXPECT_FALSE(says_too_many_messages(reply(line))) << line;
  }
}

TEST(ProtocolWords, ALostCommandIsNotARefusal) {
  for (const char* line :
       {"500", "502", "500 5.5.1 Command unrecognized", "502 5.5.2 Error: command not recognized",
        "500 Syntax error", "500 5.5.1 Invalid command", "550 5.5.1 Unknown command",
        "500 Unrecognized command: \"PT TO:<b\"", "502 Command not implemented",
        "500 5.5.2 Error: bad syntax", "500 Line too long"}) {
    EXPECT_TRUE(says_command_lost(reply(line))) << line;
  }
  for (const char* line :
       {"500 Message rejected", "500 5.7.1 command denied by policy", "500 5.1.1 User unknown",
        "500 No such user here", "550 5.5.1 Recipient address rejected: unknown user",
        "501 5.5.4 Syntax error in parameters or arguments", "501 5.1.3 Bad recipient address syntax",
        "550 5.5.0 rejected", "450 4.5.1 command failed", "250 ok", "500 Relay access denied",
        "502 5.5.2 unknown option"}) {
    EXPECT_FALSE(says_command_lost(reply(line))) << line;
  }
  for (const char* line : {"500 ?", "502 5.5.2 Error", "504 what", "554 5.5.0 Communication error"})
    EXPECT_TRUE(is_about_command(reply(line))) << line;
  for (const char* line : {"501 ?", "554 what", "550 5.1.1 no", "500 5.7.1 no", "450 4.5.0 no", "250 ok"})
    EXPECT_FALSE(is_about_command(reply(line))) << line;
  EXPECT_TRUE(says_no_recipient(reply("554 5.5.1 Error: no valid recipients")));
  EXPECT_FALSE(says_no_recipient(reply("554 5.1.1 recipient unknown")));
}

TEST(ProtocolWords, AHostThatGoesDownIsNotAPace) {
  for (const char* line : {"421 4.3.2 shutting down", "421 4.3.0 System maintenance, try later",
                           "421 mx.example.net is being restarted", "451 4.3.2 the host is going down"}) {
    EXPECT_TRUE(says_going_down(reply(line))) << line;
  }
  for (const char* line : {"421 4.3.2 shutting down, too many connections", "421 4.7.0 shutting down",
                           "450 4.2.1 mailbox under maintenance", "554 5.3.2 shutting down",
                           "421 Service not available, closing transmission channel",
                           "421 4.3.2 rate exceeded, shutting down"}) {
    EXPECT_FALSE(says_going_down(reply(line))) << line;
  }
}

TEST(ProtocolWords, AnObjectionToTlsIsNotAWishForIt) {
  for (const char* line :
       {"454 4.7.0 TLS not available due to temporary reason", "421 4.7.0 TLS error, closing",
        "554 5.7.0 SSL handshake was not good", "550 5.7.1 client certificate required"}) {
    EXPECT_TRUE(says_tls_fails(reply(line))) << line;
  }
  for (const char* line :
       {"530 5.7.0 Must issue a STARTTLS command first", "550 5.1.1 no such user", "250 TLS",
        "550 5.7.1 STARTTLS is required for this domain", "550 titles are not taken"}) {
    EXPECT_FALSE(says_tls_fails(reply(line))) << line;
  }
}

TEST(ProtocolWords, TlsIsWanted) {
  for (const char* line : {"530 5.7.0 Must issue a STARTTLS command first", "530 TLS required",
                           "550 5.7.1 STARTTLS is required for this domain", "451 4.7.1 start tls first"}) {
    EXPECT_TRUE(says_tls_wanted(reply(line))) << line;
  }
  for (const char* line : {"530 5.7.0 Authentication required", "454 4.7.0 STARTTLS is not available",
                           "250 STARTTLS first", "550 5.7.1 your TLS certificate is bad"}) {
    EXPECT_FALSE(says_tls_wanted(reply(line))) << line;
  }
}

TEST(ProtocolWords, BadSequenceIsNotPermission) {
  for (const char* line : {"503 5.5.1 Error: nested MAIL command", "503 bad sequence of commands", "503",
                           "503 5.5.1 need MAIL before RCPT", "501 5.5.1 Sender already specified",
                           "550 Bad sequence of commands", "500 5.5.1 Say EHLO first",
                           "503 5.5.1 valid RCPT command must precede DATA", "501 5.5.1 MAIL already given",
                           "554 5.5.1 Error: transaction already in progress", "550 5.5.1 no transaction"}) {
    EXPECT_TRUE(says_bad_sequence(reply(line))) << line;
  }
  for (const char* line : {"503 5.7.1 authentication required", "503 This server requires authentication",
                           "550 5.1.1 no such user", "503 5.1.1 user unknown", "503 relay access denied",
                           "550 5.7.1 bad reputation", "550 5.1.8 no sender domain in DNS",
                           "550 no sender domain in DNS", "554 5.7.1 valid HELO required"}) {
    EXPECT_FALSE(says_bad_sequence(reply(line))) << line;
  }
}

// As Sendmail, Exim, postscreen, Exchange, qmail and others word it.
TEST(ProtocolWords, LostStepInTheWordsOfAnyServer) {
  for (const char* line :
       {"503 5.0.0 Need MAIL before RCPT", "503 5.0.0 Need RCPT (recipient)", "503 5.0.0 Need MAIL command",
        "503 5.0.0 Polite people say HELO first", "503 5.3.0 sequence", "503 5.7.0 Bad sequence of commands",
        "554 SMTP synchronization error", "554 5.5.1 Error: desynchronized", "550 5.5.1 Protocol error",
        "521 5.5.1 Protocol error", "554 5.5.0 SMTP protocol error", "550 5.5.0 protocol violation",
        "550 5.7.1 Improper use of SMTP command pipelining", "554 5.0.0 protocol synchronisation error",
        "503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining",
        "503 MAIL first (#5.5.1)", "503 5.5.2 Need mail command", "554 5.5.1 commands out of order"}) {
    EXPECT_TRUE(says_bad_sequence(reply(line))) << line;
  }
  for (const char* line :
       {"554 5.6.0 protocol violation", "550 protocol violation: bare LF", "550 5.7.1 protocol error",
        "554 SMTP protocol violation, line too long", "554 5.1.1 protocol error", "550 5.5.0 rejected",
        "503 5.6.0 no", "503 5.2.1 no", "250 pipelining"}) {
    EXPECT_FALSE(says_bad_sequence(reply(line))) << line;
  }
  for (const char* line : {"502 unimplemented (#5.5.1)", "500 5.3.3 Unrecognized command",
                           "502 5.0.0 unimplemented", "500 5.0.0 Command unrecognized"}) {
    EXPECT_TRUE(says_command_lost(reply(line))) << line;
  }
}

TEST(ProtocolWords, IdleConnectionsTeachNoNumber) {
  EXPECT_TRUE(says_idle_or_closing_down(reply("421 4.4.2 closing")));
  EXPECT_TRUE(says_idle_or_closing_down(reply("421 Idle time-out")));
  EXPECT_TRUE(says_idle_or_closing_down(reply("421 4.3.2 shutting down")));
  EXPECT_FALSE(says_idle_or_closing_down(reply("421 4.7.0 enough messages")));
}

}  // namespace
}  // namespace bounce
