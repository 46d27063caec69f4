#include "bench/load/client.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace bench::load {
namespace {

class LoadClient : public testing::Test, protected Supply {
 protected:
  LoadClient() {
    options.prefix = "t";
    options.size = "500";
    options.domains = "d.test";
  }
  bool next(bool, Message* message) override {
    if (given >= messages) return false;
    message->number = ++given;
    return true;
  }
  void answered(const Message& message, int code, std::string_view text) override {
    answers.push_back(std::to_string(message.number) + " " + std::to_string(code) + " " + std::string(text));
  }
  void start() {
    content = Content::make(options, "today").value();
    client = std::make_unique<Client>(options, *content, static_cast<Supply*>(this));
  }
  // What the client writes after this was read; a message is shown as <N>.
  std::string says(const std::string& text, bool good = true) {
    EXPECT_EQ(client->feed(text, 0), good) << text;
    return written();
  }
  std::string written() {
    std::string out;
    iovec part;
    while (client->output().gather(&part, 1) == 1) {
      out.append(static_cast<const char*>(part.iov_base), part.iov_len);
      client->output().consume(part.iov_len);
    }
    for (uint64_t number = 1; number <= messages; ++number) {
      Output message;
      content->write(number, true, &message);
      std::string body;
      while (message.gather(&part, 1) == 1) {
        body.append(static_cast<const char*>(part.iov_base), part.iov_len);
        message.consume(part.iov_len);
      }
      if (const size_t at = out.find(body); at != std::string::npos)
        out.replace(at, body.size(), "<" + std::to_string(number) + ">");
    }
    return out;
  }

  LoadOptions options;
  uint64_t messages = 2;
  uint64_t given = 0;
  std::vector<std::string> answers;
  std::unique_ptr<Content> content;
  std::unique_ptr<Client> client;
};

using Answers = std::vector<std::string>;
constexpr char kMail[] = "MAIL FROM:<load@sender.test>\r\n";

TEST_F(LoadClient, OneFlightCarriesAContentAndTheNextEnvelope) {
  start();
  EXPECT_EQ(says("220 hi\r\n"), "EHLO load.test\r\n");
  EXPECT_EQ(says("250-hi\r\n250 PIPELINING\r\n"), std::string(kMail) + "RCPT TO:<user1@d.test>\r\nDATA\r\n");
  EXPECT_EQ(says("250 a\r\n250 b\r\n354 c\r\n"),
            "<1>.\r\n" + std::string(kMail) + "RCPT TO:<user2@d.test>\r\nDATA\r\n");
  EXPECT_EQ(says("250 one\r\n250 a\r\n250 b\r\n354 c\r\n"), "<2>.\r\n");
  EXPECT_EQ(says("250 two\r\n"), "");
  EXPECT_TRUE(client->idle());
  EXPECT_EQ(answers, (Answers{"1 250 250 one", "2 250 250 two"}));
}

TEST_F(LoadClient, RepliesMayBeSplitAnywhere) {
  start();
  std::string out;
  for (const char byte :
       std::string("220 hi\r\n250-hi\r\n250 PIPELINING\r\n250 a\r\n250 b\r\n354 c\r\n250 one\r\n"))
    out += says(std::string(1, byte));
  EXPECT_EQ(answers, Answers{"1 250 250 one"});
  EXPECT_NE(out.find("<1>.\r\n"), std::string::npos);
}

TEST_F(LoadClient, OneCommandAtATimeWithoutPipelining) {
  options.recipients = 2;
  messages = 1;
  start();
  says("220 hi\r\n");
  EXPECT_EQ(says("250 hi\r\n"), kMail);
  EXPECT_EQ(says("250 ok\r\n"), "RCPT TO:<user1@d.test>\r\n");
  EXPECT_EQ(says("250 ok\r\n"), "RCPT TO:<user1-1@d.test>\r\n");
  EXPECT_EQ(says("250 ok\r\n"), "DATA\r\n");
  EXPECT_EQ(says("354 ok\r\n"), "<1>.\r\n");
  says("250 done\r\n");
  EXPECT_EQ(answers, Answers{"1 250 250 done"});
}

TEST_F(LoadClient, ARefusedRecipientIsTheOutcome) {
  start();
  says("220 hi\r\n250-hi\r\n250 PIPELINING\r\n");
  EXPECT_EQ(says("250 a\r\n550 5.1.1 no\r\n554 none\r\n"), "RSET\r\n");
  EXPECT_EQ(says("250 reset\r\n"), std::string(kMail) + "RCPT TO:<user2@d.test>\r\nDATA\r\n");
  EXPECT_EQ(says("451 later\r\n503 no\r\n503 no\r\n"), "RSET\r\n");
  says("250 reset\r\n");
  EXPECT_EQ(answers, (Answers{"1 550 550 5.1.1 no", "2 451 451 later"}));
}

TEST_F(LoadClient, ChunksGoWithTheEnvelope) {
  options.chunking = true;
  start();
  says("220 hi\r\n");
  const std::string flight = says("250-hi\r\n250-CHUNKING\r\n250 PIPELINING\r\n");
  EXPECT_EQ(flight, std::string(kMail) + "RCPT TO:<user1@d.test>\r\nBDAT 500 LAST\r\n<1>");
  EXPECT_EQ(says("250 a\r\n550 b\r\n503 c\r\n"), "RSET\r\n");
  const std::string second = says("250 reset\r\n");
  EXPECT_EQ(second, std::string(kMail) + "RCPT TO:<user2@d.test>\r\nBDAT 500 LAST\r\n<2>");
  says("250 a\r\n250 b\r\n250 two\r\n");
  EXPECT_EQ(answers, (Answers{"1 550 550 b", "2 250 250 two"}));
}

TEST_F(LoadClient, StarttlsDropsWhatCameInClear) {
  options.tls = TlsMode::kStarttls;
  start();
  says("220 hi\r\n");
  EXPECT_EQ(says("250-hi\r\n250-PIPELINING\r\n250 STARTTLS\r\n"), "STARTTLS\r\n");
  EXPECT_EQ(says("220 go\r\n250 injected\r\n"), "");
  ASSERT_TRUE(client->wants_tls());
  client->tls_up();
  EXPECT_EQ(written(), "EHLO load.test\r\n");
  EXPECT_EQ(says("250 hi\r\n"), kMail) << "PIPELINING was offered in clear only";
}

TEST_F(LoadClient, WithoutStarttlsNoMailIsSent) {
  options.tls = TlsMode::kStarttls;
  start();
  says("220 hi\r\n");
  EXPECT_EQ(says("250 hi\r\n", false), "");
  EXPECT_EQ(client->trouble(), "the relay does not offer STARTTLS");
}

TEST_F(LoadClient, LogsInByPlainOrLogin) {
  options.user = "me";
  options.password = "secret";
  start();
  says("220 hi\r\n");
  EXPECT_EQ(says("250 AUTH PLAIN LOGIN\r\n"), "AUTH PLAIN AG1lAHNlY3JldA==\r\n");
  EXPECT_EQ(says("235 ok\r\n"), kMail);

  options.auth = AuthMechanism::kLogin;
  given = 0;
  start();
  says("220 hi\r\n");
  EXPECT_EQ(says("250 AUTH PLAIN LOGIN\r\n"), "AUTH LOGIN\r\n");
  EXPECT_EQ(says("334 VXNlcm5hbWU6\r\n"), "bWU=\r\n");
  EXPECT_EQ(says("334 UGFzc3dvcmQ6\r\n"), "c2VjcmV0\r\n");
  says("535 5.7.8 no\r\n", false);
  EXPECT_EQ(client->trouble(), "535 5.7.8 no");
}

TEST_F(LoadClient, A421EndsTheSessionAndItsMessagesAreKept) {
  start();
  says("220 hi\r\n250-hi\r\n250 PIPELINING\r\n250 a\r\n250 b\r\n354 c\r\n");
  says("421 4.3.2 closing\r\n", false);
  ASSERT_EQ(client->open_messages().size(), 2U);
  EXPECT_EQ(client->open_messages()[0].number, 1U);
  EXPECT_EQ(client->open_messages()[1].number, 2U);
  EXPECT_EQ(client->trouble(), "421 4.3.2 closing");
  EXPECT_TRUE(answers.empty());
}

TEST_F(LoadClient, NoSmtpIsTrouble) {
  start();
  says("HTTP/1.1 400 Bad Request\r\n", false);
  EXPECT_EQ(client->trouble(), "HTTP/1.1 400 Bad Request");
  start();
  says(std::string(5000, '2'), false);
}

TEST_F(LoadClient, QuitsAfterSoManyMessages) {
  options.per_connection = 1;
  start();
  says("220 hi\r\n250-hi\r\n250 PIPELINING\r\n");
  EXPECT_EQ(says("250 a\r\n250 b\r\n354 c\r\n"), "<1>.\r\n");
  EXPECT_EQ(says("250 one\r\n"), "QUIT\r\n");
  EXPECT_TRUE(client->ended());
  says("221 bye\r\n", false);
}

}  // namespace
}  // namespace bench::load
